// Bundles our kubectl into dist/kubectl.cjs, one file that starts fast. `--if-stale` leaves a bundle alone that is
// newer than its sources. Written beside and renamed: several may build at once.

import { globSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const root = dirname(import.meta.dirname);
const out = join(root, "dist", "kubectl.cjs");

const time = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function isStale(): boolean {
  const built = time(out);
  const sources = globSync("src/{base,machinery,client,streams,kubectl,cli}/**/*.ts", { cwd: root });
  return built === 0 || [...sources, "scripts/build.ts"].some((path) => time(join(root, path)) > built);
}

if (!process.argv.includes("--if-stale") || isStale()) {
  const { outputFiles } = await build({
    entryPoints: [join(root, "src/cli/kubectl-entry.ts")],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minifySyntax: true,
    write: false,
    legalComments: "none",
    logLevel: "warning",
    // Frees the bundle from the module loader for ESM, which costs milliseconds.
    define: { "import.meta.dirname": "__dirname" },
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error("esbuild wrote nothing");
  mkdirSync(dirname(out), { recursive: true });
  const temporary = `${out}.${process.pid}`;
  try {
    writeFileSync(temporary, bundle.contents);
    renameSync(temporary, out);
  } finally {
    rmSync(temporary, { force: true });
  }
}
