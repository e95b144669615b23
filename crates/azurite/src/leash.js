// Runs Azurite's own entry point in this process, and ends it when standard input closes. The starter holds the other
// end of that pipe, and the kernel closes it however the starter ends: nothing is left behind by kill -9 either.
const [entry] = process.argv.splice(1, 1);
process.argv.splice(1, 0, "azurite");

const release = () => {
  // Azurite writes its data on SIGTERM; in memory there is nothing to write.
  const asked = !process.argv.includes("--inMemoryPersistence") && process.emit("SIGTERM");
  if (!asked) process.exit(0);
  setTimeout(() => process.exit(0), 3000).unref();
};
process.stdin.on("end", release).on("error", release).resume();
require(entry);
