// Our kubectl prints what kubectl 1.36 printed: each transcript is run again, on a control plane of its own. Where
// the real one is on this machine, what is recorded is still what it prints.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { startGoldenCluster, transcripts } from "./golden-cluster.ts";
import { runBinary, runOurs, type Surroundings } from "./run-kubectl.ts";
import { parseTranscript, replay, type Result, type Step } from "./transcript.ts";
import { realKubectl } from "../reference-clients.ts";

const files = globSync(join(transcripts, "*.txt")).sort();

async function again(
  steps: readonly Step[],
  run: (line: string, around: Surroundings) => Promise<Result>,
): Promise<Step[]> {
  const cluster = await startGoldenCluster();
  try {
    return await replay(steps, (line) => run(line, cluster));
  } finally {
    await cluster.stop();
  }
}

function compare(found: readonly Step[], wanted: readonly Step[]): void {
  for (const [index, step] of found.entries()) assert.deepEqual(step, wanted[index], `kubectl ${step.line}`);
}

for (const file of files) {
  test(`${basename(file)}: ours`, async () => {
    const wanted = parseTranscript(readFileSync(file, "utf8"));
    compare(await again(wanted, runOurs), wanted);
  });
}

const reference = realKubectl("1.36");
const skip = reference === undefined && "no kubectl 1.36 here";

// One file is enough to notice that the recordings are of another kubectl, or of another server.
test("get-table.txt: the real one", { skip }, async () => {
  const wanted = parseTranscript(readFileSync(join(transcripts, "get-table.txt"), "utf8"));
  compare(await again(wanted, (line, around) => runBinary(reference as string, line, around)), wanted);
});

// What grows with the server is compared live, not recorded.
const live = [
  "api-versions",
  "api-resources",
  "api-resources -o wide",
  "api-resources -o name --namespaced=false",
  "api-resources --categories=all --sort-by=kind",
  "api-resources --api-group= -o yaml",
  "create -f base.yaml",
  "get all -A -o wide",
  "get all -A -o yaml",
  "get all -A -o json --show-managed-fields",
  "get all -A -o kyaml",
  "get clusterroles,clusterrolebindings",
  "get clusterroles -o json",
  "get pods -o jsonpath={.items[0]}",
  "get pods web-1 -o go-template={{.}}",
  "get --raw /apis",
  "cluster-info",
];
test("ours beside the real one, on one cluster", { skip }, async () => {
  const cluster = await startGoldenCluster();
  try {
    for (const line of live) {
      const theirs = await runBinary(reference as string, line, cluster);
      // What was made before is there: only reads can be compared so.
      if (!line.startsWith("create")) assert.deepEqual(await runOurs(line, cluster), theirs, line);
    }
  } finally {
    await cluster.stop();
  }
});
