// Whole clusters of hollow nodes, each in a process of its own: how fast pods come to be, what they cost, what a user
// feels meanwhile. The floor is creating as many pods through the same API, with nothing done about them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repository } from "./processes.ts";
import type { ScaleResult } from "./scale-run.ts";
import { short, type Row } from "./stats.ts";

async function run(...words: readonly (string | number)[]): Promise<ScaleResult> {
  const child = spawn(
    join(repository, "scripts/node"),
    ["--max-old-space-size=12000", join(repository, "bench/scale-run.ts"), ...words.map(String)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`bench/scale-run.ts ${words.join(" ")} ended with status ${code}`);
  return JSON.parse(text.trim().split("\n").at(-1) ?? "") as ScaleResult;
}

function rate(name: string, pods: number, took: number, floor: number, least?: number): Row {
  const perSecond = pods / took;
  return {
    name,
    ours: `${short(perSecond)}/s`,
    peer: `${short(floor)}/s`,
    ratio: perSecond / floor,
    ...(least === undefined ? {} : { aim: `≥ ${least}/s`, met: perSecond >= least }),
  };
}

const atMost = (name: string, value: number, unit: string, most: number): Row => ({
  name,
  ours: `${short(value)} ${unit}`,
  aim: `≤ ${most} ${unit}`,
  met: value <= most,
});

async function deploymentRows(progress: (text: string) => void): Promise<Row[]> {
  progress("one Deployment of 1,000 on 100 hollow nodes");
  const { exist, bound, ready } = await run("hollow", 100, 1, 1000);
  const [a, b, c] = [exist, bound, ready].map(short);
  const name = "one Deployment of 1,000 replicas, 100 hollow nodes: all exist / bound / ready";
  return [{ name, ours: `${a} / ${b} / ${c} s`, aim: "ready < 8 s", met: ready < 8 }];
}

async function boundRows(progress: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const nodes of [500, 1000, 5000]) {
    const pods = 3000;
    progress(`${pods} pods until they are bound, ${nodes} nodes`);
    const { bound, cpuMsPerPod, createdPerSecond } = await run("bare", nodes, pods);
    rows.push(rate(`basic, end to end to bound, ${nodes} nodes`, pods, bound, createdPerSecond, 680));
    if (nodes === 1000)
      rows.push(
        atMost(`basic, end to end to bound, ${nodes} nodes: CPU for each pod`, cpuMsPerPod, "ms", 1.5),
      );
  }
  return rows;
}

async function replicaSetRows(progress: (text: string) => void): Promise<Row[]> {
  progress("10,000 pods through ReplicaSets on 1,000 hollow nodes");
  const { exist, bound, ready, createdPerSecond, getP50Ms, getP99Ms } = await run("hollow", 1000, 10, 1000);
  const title = "10,000 pods through 10 ReplicaSets, 1,000 hollow nodes";
  return [
    rate(`${title}: to exist`, 10_000, exist, createdPerSecond),
    rate(`${title}: to bound`, 10_000, bound, createdPerSecond),
    rate(`${title}: to ready`, 10_000, ready, createdPerSecond, 250),
    { name: `${title}: a get meanwhile, p50 / p99`, ours: `${short(getP50Ms)} / ${short(getP99Ms)} ms` },
  ];
}

export async function scaleRows(progress: (text: string) => void): Promise<Row[]> {
  return [
    ...(await deploymentRows(progress)),
    ...(await boundRows(progress)),
    ...(await replicaSetRows(progress)),
  ];
}

const bigNodes = 5000;
const bigDeployments = 150;
const bigReplicas = 1000;

/** About ten minutes, and several gigabytes. */
export async function bigClusterRows(progress: (text: string) => void): Promise<Row[]> {
  progress(`${bigNodes} hollow nodes, ${bigDeployments * bigReplicas} pods: about ten minutes`);
  const result = await run("hollow", bigNodes, bigDeployments, bigReplicas);
  const pods = bigDeployments * bigReplicas;
  const title = "5,000 hollow nodes, 150,000 pods in one process";
  const { nodesSeconds, ready, createdPerSecond, megabytes, idleShare } = result;
  return [
    {
      name: `${title}: nodes registered`,
      ours: `${short(bigNodes / nodesSeconds)}/s`,
      aim: "≥ 500/s",
      met: bigNodes / nodesSeconds >= 500,
    },
    rate(`${title}: to ready`, pods, ready, createdPerSecond, 250),
    atMost(`${title}: resident memory`, megabytes, "MB", 5000),
    { name: `${title}: CPU for each pod`, ours: `${short(result.cpuMsPerPod)} ms` },
    { name: `${title}: idle CPU`, ours: `${short(idleShare * 100)} % of a core` },
    {
      name: `${title}: a get meanwhile, p50 / p99`,
      ours: `${short(result.getP50Ms)} / ${short(result.getP99Ms)} ms`,
    },
    {
      name: `${title}: longest GC pause / longest turn`,
      ours: `${short(result.longestGcMs)} / ${short(result.longestTurnMs)} ms`,
    },
  ];
}
