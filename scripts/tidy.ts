// Checks this repository's own rules (scripts/tidy/rules.ts) over every tracked source file.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  checkBans,
  checkDirection,
  checkHeader,
  checkName,
  checkUnusedExports,
  parseLayers,
  type SourceFile,
} from "./tidy/rules.ts";

const paths = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "--", "*.ts"], {
  encoding: "utf8",
  maxBuffer: 1 << 26,
})
  .split("\n")
  .filter(Boolean);
const files: SourceFile[] = paths.map((path) => ({ path, text: readFileSync(path, "utf8") }));
const checked = files.filter(({ path }) => !path.includes("/gen/"));
const layers = parseLayers(readFileSync("ARCHITECTURE.md", "utf8"));
const findings = [
  ...checked.flatMap((file) => [
    ...checkDirection(file, layers),
    ...checkName(file),
    ...checkHeader(file),
    ...checkBans(file),
  ]),
  ...checkUnusedExports(files),
];
for (const { path, line, message } of findings) console.error(`${path}:${line}: ${message}`);
console.log(`tidy: ${checked.length} files, ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
