// Records what the real kubectl prints: runs the commands of src/kubectl/testdata/1.36/*.txt, each file on a new
// control plane, and writes their outputs into the file. To add a case, add its `$ kubectl …` line and run this.
//   scripts/node scripts/record-kubectl.ts [--ours] [--to FOLDER] [FILE.txt …]
// --ours runs our kubectl instead, --to writes elsewhere: `diff -r` then shows where they differ.

import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { startGoldenCluster, transcripts } from "../test/kubectl/golden-cluster.ts";
import { runBinary, runOurs } from "../test/kubectl/run-kubectl.ts";
import { formatTranscript, headerOf, parseTranscript, replay } from "../test/kubectl/transcript.ts";

const { values, positionals } = parseArgs({
  options: { ours: { type: "boolean" }, to: { type: "string" } },
  allowPositionals: true,
});

const referencePath = (): string =>
  execFileSync("sh", [join(import.meta.dirname, "reference-kubectl.sh"), "1.36"], { encoding: "utf8" })
    .trim()
    .split("\n")
    .at(-1) as string;

const binary = values.ours === true ? "" : referencePath();
const folder = values.to ?? transcripts;
mkdirSync(folder, { recursive: true });
for (const path of globSync(join(transcripts, "*.txt")).sort()) {
  const name = basename(path);
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const text = readFileSync(path, "utf8");
  const cluster = await startGoldenCluster();
  try {
    const steps = await replay(parseTranscript(text), (line) =>
      values.ours === true ? runOurs(line, cluster) : runBinary(binary, line, cluster),
    );
    writeFileSync(join(folder, name), formatTranscript(headerOf(text), steps));
    console.log(`${name}: ${steps.length} commands`);
  } finally {
    await cluster.stop();
  }
}
process.exit(0);
