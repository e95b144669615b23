// Runs Azurite's own entry point in this process, and ends it when standard input closes. The starter holds the other
// end of that pipe, and the kernel closes it however the starter ends: nothing is left behind by kill -9 either.
"use strict";
const [entry] = process.argv.splice(1, 1);
process.argv.splice(1, 0, "azurite");

// More than half of Azurite's start goes into loading its telemetry, which --disableTelemetry never lets it use.
const Module = require("module");
const load = Module._load;
Module._load = (id, ...rest) => (id === "applicationinsights" ? {} : load(id, ...rest));

const release = () => {
  // Azurite writes its data on SIGTERM; in memory there is nothing to write.
  const asked = !process.argv.includes("--inMemoryPersistence") && process.emit("SIGTERM");
  if (!asked) process.exit(0);
  setTimeout(() => process.exit(0), 3000).unref();
};
process.stdin.on("end", release).on("error", release).resume();
require(entry);
