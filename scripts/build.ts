// Bundles our kubectl into dist/: kubectl.cjs, which turns on V8's compile cache and loads the bundle itself, and then
// runs it once, so that the cache is there for the first user. Files are written beside and renamed: several may build
// at once.

import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const root = dirname(import.meta.dirname);
const dist = join(root, "dist");

function writeWhole(name: string, content: string | Uint8Array): void {
  const temporary = join(dist, `${name}.${process.pid}`);
  writeFileSync(temporary, content);
  renameSync(temporary, join(dist, name));
}

const { outputFiles } = await build({
  entryPoints: [join(root, "src/cli/kubectl-entry.ts")],
  bundle: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  minify: true,
  write: false,
  legalComments: "none",
  logLevel: "warning",
});
const [bundle] = outputFiles;
if (bundle === undefined) throw new Error("esbuild wrote nothing");
mkdirSync(dist, { recursive: true });
writeWhole("kubectl-bundle.cjs", bundle.contents);
writeWhole(
  "kubectl.cjs",
  `require("node:module").enableCompileCache(__dirname + "/compile-cache");\nrequire("./kubectl-bundle.cjs");\n`,
);
// As bin/kubectl runs it: the cache is for these flags of V8. Room for all that a short command makes, so that it ends
// before the first collection.
const youngHeap = "--min-semi-space-size=16";
// Commands that need no cluster compile what all of them share; an empty server address fails after the rest.
for (const args of [
  ["version", "--client"],
  ["get", "pods", "--server=http://127.0.0.1:9", "--cache-dir="],
])
  spawnSync(process.execPath, [youngHeap, join(dist, "kubectl.cjs"), ...args], { stdio: "ignore" });
