// Bundles the programs of this package into dist/, for bin/ to run: less to read and to compile at each start, and V8's
// compile cache beside. Files are written beside and renamed, the one that names the others last: several may build at
// once, and what runs keeps its files.
//   scripts/build.ts [kubectl] [leme]     both, where none is named

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { declarationFolders, packDescriptions } from "../src/apiserver/openapi/descriptions.ts";

const root = dirname(import.meta.dirname);
const dist = join(root, "dist");
/** Chunks that no build of this age has made are nobody's any more. */
const staleMs = 24 * 3_600_000;

const shared: BuildOptions = {
  bundle: true,
  platform: "node",
  target: "node24",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
};

function writeWhole(name: string, content: string | Uint8Array): void {
  const temporary = join(dist, `${name}.${process.pid}`);
  writeFileSync(temporary, content);
  renameSync(temporary, join(dist, name));
}

async function buildKubectl(): Promise<void> {
  const { outputFiles } = await build({
    ...shared,
    entryPoints: [join(root, "src/cli/kubectl-entry.ts")],
    format: "cjs",
    write: false,
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error("esbuild wrote nothing");
  mkdirSync(dist, { recursive: true });
  writeWhole("kubectl-bundle.cjs", bundle.contents);
  writeWhole(
    "kubectl.cjs",
    `require("node:module").enableCompileCache(__dirname + "/compile-cache");\nrequire("./kubectl-bundle.cjs");\n`,
  );
  // As bin/kubectl runs it: the cache is for these flags of V8. Room for all that a short command makes, so that it
  // ends before the first collection.
  const youngHeap = "--min-semi-space-size=16";
  // Commands that need no cluster compile what all of them share; an empty server address fails after the rest.
  for (const args of [
    ["version", "--client"],
    ["get", "pods", "--server=http://127.0.0.1:9", "--cache-dir="],
  ])
    spawnSync(process.execPath, [youngHeap, join(dist, "kubectl.cjs"), ...args], { stdio: "ignore" });
}

/** One chunk for each part that is loaded on demand: a node does not read the API server's code. */
async function buildLeme(): Promise<void> {
  const { outputFiles } = await build({
    ...shared,
    entryPoints: { main: join(root, "src/cli/main.ts") },
    format: "esm",
    splitting: true,
    outdir: join(dist, "leme"),
    entryNames: "[name]-[hash]",
    // Modules before scripts: what is loaded on demand has named exports then, and only what is used of it.
    mainFields: ["module", "main"],
    // Native, absent by choice, or a script whose names a bundle would hide.
    external: ["classic-level", "bufferutil", "utf-8-validate", "yaml"],
    banner: {
      js: 'import { createRequire as lemeRequire } from "node:module"; const require = lemeRequire(import.meta.url);',
    },
    write: false,
  });
  const names = new Set(outputFiles.map(({ path }) => basename(path)));
  mkdirSync(join(dist, "leme"), { recursive: true });
  for (const { path, contents } of outputFiles) writeWhole(join("leme", basename(path)), contents);
  const main = [...names].find((name) => name.startsWith("main-"));
  if (main === undefined) throw new Error("esbuild wrote no entry");
  writeWhole(
    "leme.mjs",
    `import { enableCompileCache } from "node:module";\nenableCompileCache(import.meta.dirname + "/compile-cache");\nawait import("./leme/${main}");\n`,
  );
  for (const name of readdirSync(join(dist, "leme"))) {
    const path = join(dist, "leme", name);
    if (!names.has(name) && Date.now() - statSync(path).mtimeMs > staleMs) rmSync(path, { force: true });
  }
}

/** The thread that makes OpenAPI documents, and the API's documentation for it, from the libraries that are installed. */
async function buildOpenApi(): Promise<void> {
  const { outputFiles } = await build({
    ...shared,
    entryPoints: [join(root, "src/apiserver/openapi/worker.ts")],
    format: "esm",
    mainFields: ["module", "main"],
    banner: {
      js: 'import { createRequire as lemeRequire } from "node:module"; const require = lemeRequire(import.meta.url);',
    },
    write: false,
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error("esbuild wrote nothing");
  mkdirSync(dist, { recursive: true });
  writeWhole("openapi-worker.mjs", bundle.contents);
  const docs = join(dist, "api-docs.json");
  const sources = [import.meta.filename, ...declarationFolders(import.meta.url)];
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (!existsSync(docs) || statSync(docs).mtimeMs < newest)
    writeWhole("api-docs.json", packDescriptions(import.meta.url));
}

const asked = process.argv.slice(2);
try {
  if (asked.length === 0 || asked.includes("kubectl")) await buildKubectl();
  if (asked.length === 0 || asked.includes("leme")) {
    await buildOpenApi();
    await buildLeme();
  }
} catch (error) {
  // Where nothing can be written, the programs run from their sources, and nobody needs to hear of it.
  if (!["EACCES", "EPERM", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  process.exitCode = 1;
}
