// Compares what failed in mocha's report (TAP) with the list of known differences: node judge.js REPORT KNOWN
const { readFileSync } = require("fs");
const [report, known] = process.argv.slice(2).map((file) => readFileSync(file, "utf8").split("\n"));
const title = (line) => line.split(" | ")[0].trim();
const titles = new Set(known.filter((line) => line && !line.startsWith("//")).map(title));
const found = (start) => report.filter((line) => start.test(line)).map((line) => line.replace(start, "").trim());
const passed = found(/^ok \d+ (?!.* # SKIP)/);
const failed = found(/^not ok \d+ /);
const unknown = failed.filter((test) => !titles.has(test));
for (const test of unknown) console.log(`FAILED ${test}; why: see ${process.argv[2]}`);
for (const test of titles) if (!failed.includes(test)) console.log(`passes as well: ${test}`);
console.log(`${passed.length} passed, ${failed.length} failed, ${failed.length - unknown.length} of them known differences`);
process.exit(unknown.length > 0 || passed.length < 250 ? 1 : 0);
