// Runs Azurite's own entry point in this process, and ends it when standard input closes. The starter holds the other
// end of that pipe, and the kernel closes it however the starter ends: nothing is left behind by kill -9 either.
"use strict";
const [entry] = process.argv.splice(1, 1);
process.argv.splice(1, 0, "azurite");

// More than half of Azurite's start goes into loading its telemetry, which --disableTelemetry never lets it use.
// And every minute its queue service collects deleted messages, one by one, with an index of all of them rebuilt for each
// and no other work in between: after some thousand messages it answers nothing for minutes. Its runs here are short, so
// it collects nothing (24 days is the longest that a timer of Node.js waits).
const Module = require("module");
const load = Module._load;
Module._load = (id, ...rest) => {
  if (id === "applicationinsights") return {};
  const loaded = load(id, ...rest);
  if (/\butils\/constants$/.test(id) && loaded.DEFAULT_GC_INTERVAL_MS) loaded.DEFAULT_GC_INTERVAL_MS = 2 ** 31 - 1;
  return loaded;
};

const release = () => {
  // Azurite writes its data on SIGTERM; in memory there is nothing to write.
  const asked = !process.argv.includes("--inMemoryPersistence") && process.emit("SIGTERM");
  if (!asked) process.exit(0);
  setTimeout(() => process.exit(0), 3000).unref();
};
process.stdin.on("end", release).on("error", release).resume();
require(entry);
