// Runs before Azurite, in its process. To find and compile its 800 files is more than a third of the CPU time of a start, and every
// start would do it again: V8's code, and the file that each `require` means, are kept in one file beside the package, for this
// version of Node.js alone. V8 refuses code that it cannot use, and compiles anew.
const fs = require("fs"), path = require("path"), vm = require("vm");
const kept = path.join(process.argv[1], "../../../../..", `compiled-${process.version}-${process.arch}`);
let was = { files: {}, code: {} };
let complete = true;
try {
  const data = fs.readFileSync(kept);
  const end = 4 + data.readUInt32LE(0);
  const index = JSON.parse(data.toString("utf8", 4, end));
  was.files = index.files;
  for (const [file, from, until] of index.code) was.code[file] = data.subarray(end + from, end + until);
} catch {
  complete = false;
}
const files = {}, scripts = new Map();

const resolve = Module._resolveFilename;
Module._resolveFilename = function (id, parent, isMain, options) {
  if (options || !parent?.filename || Module.isBuiltin(id)) return resolve.call(this, id, parent, isMain, options);
  const key = `${path.dirname(parent.filename)} ${id}`;
  complete &&= key in was.files;
  return (files[key] = was.files[key] ?? resolve.call(this, id, parent, isMain, options));
};

const compile = Module.prototype._compile;
Module.prototype._compile = function (text, filename, format) {
  if (format === "module" || filename.endsWith(".mjs")) return compile.call(this, text, filename, format);
  const cachedData = was.code[filename];
  const script = new vm.Script(Module.wrap(text.replace(/^#!.*/, "")), { filename, cachedData });
  complete &&= cachedData && !script.cachedDataRejected;
  scripts.set(filename, script);
  const require = (id) => this.require(id);
  Object.assign(require, { cache: Module._cache, extensions: Module._extensions, main: process.mainModule });
  require.resolve = (id, options) => Module._resolveFilename(id, this, false, options);
  return script.runInThisContext().call(this.exports, this.exports, require, this, filename, path.dirname(filename));
};

// After Azurite's own start. Whoever renames last wins; without a right to write there, the next start compiles again.
setImmediate(() => {
  if (complete) return;
  const code = [], parts = [];
  let at = 0;
  for (const [file, script] of scripts) {
    const data = script.createCachedData();
    code.push([file, at, (at += data.length)]);
    parts.push(data);
  }
  const index = Buffer.from(JSON.stringify({ files, code }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(index.length);
  try {
    fs.writeFileSync(`${kept}.${process.pid}`, Buffer.concat([length, index, ...parts]));
    fs.renameSync(`${kept}.${process.pid}`, kept);
  } catch {}
});
