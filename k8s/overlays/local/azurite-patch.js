// Runs before Azurite, in its process or its container.
"use strict";

// More than half of Azurite's start goes into loading its telemetry, which --disableTelemetry never lets it use, and a sixth of the
// rest into a client of SQL databases, which it uses with AZURITE_DB only.
// And every minute its queue service collects deleted messages, one by one, with an index of all of them rebuilt for each
// and no other work in between: after some thousand messages it answers nothing for minutes. Its runs here are short, so
// it collects nothing (24 days is the longest that a timer of Node.js waits).
const Module = require("module");
const load = Module._load;
Module._load = (id, ...rest) => {
  if (id === "applicationinsights") return {};
  if (id === "sequelize" && !process.env.AZURITE_DB) return { Model: class {} };
  const loaded = load(id, ...rest);
  if (/\butils\/constants$/.test(id) && loaded.DEFAULT_GC_INTERVAL_MS) loaded.DEFAULT_GC_INTERVAL_MS = 2 ** 31 - 1;
  return loaded;
};
