// A cluster of its own name for one test file: brought up and down with the commands that a newcomer types, talked
// to with the kubectl that the test chooses, under a kubeconfig of its own.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { realClock } from "#base/clock.ts";
import { defaultRoots, planOf, readRecord } from "#cluster/record.ts";
import type { ClusterPlan } from "#cluster/plan.ts";
import { run, type RunResult } from "#host/run.ts";

export const repository = dirname(dirname(import.meta.dirname));
export const tutorial = join(repository, "examples/tutorial");
export const ourKubectl = join(repository, "bin/kubectl");

const commandMsMax = 10 * 60_000;
const pollMs = 200;

/** Why tests with real nodes are left out here; undefined where they can run. */
export function reasonToSkip(): string | undefined {
  if (process.platform !== "linux") return `real nodes need Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "real nodes need root: run 'sudo npm test'";
  return undefined;
}

export interface ClusterUnderTest {
  readonly name: string;
  readonly kubeconfig: string;
  /** Runs a program with this cluster's name and kubeconfig. Does not look at its exit status. */
  run(command: readonly string[], input?: string): Promise<RunResult>;
  /** The same, for a program that must succeed; its standard output. */
  runOk(command: readonly string[], input?: string): Promise<string>;
  /** Names, addresses and paths. Only while the cluster is there. */
  plan(): ClusterPlan;
  /** Removes the cluster, if it is there, and the kubeconfig. */
  remove(): Promise<void>;
}

export function clusterUnderTest(name: string, nodes = 3): ClusterUnderTest {
  const folder = mkdtempSync(join(tmpdir(), `leme-${name}-`));
  const kubeconfig = join(folder, "config");
  const environment = ["env", `CLUSTER_NAME=${name}`, `NUM_NODES=${nodes}`, `KUBECONFIG=${kubeconfig}`];
  const runHere = (command: readonly string[], input?: string): Promise<RunResult> =>
    run([...environment, ...command], { input, cwd: repository, timeoutMs: commandMsMax });
  return {
    name,
    kubeconfig,
    run: runHere,
    async runOk(command, input) {
      const result = await runHere(command, input);
      assert.equal(result.code, 0, `${command.join(" ")}\n${result.stdout}${result.stderr}`);
      return result.stdout;
    },
    plan() {
      const record = readRecord(defaultRoots, name);
      assert.ok(record !== undefined, `there is no cluster ${name}`);
      return planOf(record, defaultRoots);
    },
    async remove() {
      const result = await runHere(["cluster/kube-down.sh"]);
      rmSync(folder, { recursive: true, force: true });
      assert.equal(result.code, 0, `kube-down.sh failed:\n${result.stdout}${result.stderr}`);
    },
  };
}

/** Asks again until `check` returns something; after `msMax` fails with what was last `seen`. */
export async function until<T>(
  what: string,
  msMax: number,
  check: (seen: (state: string) => void) => Promise<T | undefined>,
): Promise<T> {
  const deadline = realClock.monotonic() + msMax;
  let last = "nothing";
  for (;;) {
    const found = await check((state) => {
      last = state;
    });
    if (found !== undefined) return found;
    if (realClock.monotonic() > deadline)
      assert.fail(`${what}: not within ${msMax / 1000} s. Last seen:\n${last}`);
    await realClock.sleep(pollMs);
  }
}
