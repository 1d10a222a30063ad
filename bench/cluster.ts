// A local cluster of three real nodes: the time until they are Ready, what its processes use when nothing happens,
// and how long a pod takes beside the bare CRI calls on the same containerd.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type Client } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import { loadAccess } from "#client/kubeconfig.ts";
import { bridgeDaemon, serverDaemon } from "#cluster/daemons.ts";
import type { ClusterPlan, NodePlan } from "#cluster/plan.ts";
import { defaultRoots, planOf, readRecord } from "#cluster/record.ts";
import { recordedDaemon } from "#host/daemon.ts";
import { podRows } from "./pod-start.ts";
import { cpuMicroseconds, repository, residentMegabytes } from "./processes.ts";
import { short, type Row } from "./stats.ts";

const name = "bench";
const nodes = 3;
const idleMs = 60_000;
const aims = { upMs: 8_000, serverMegabytes: 150, nodeMegabytes: 90, idleShare: 1 };

function leme(kubeconfig: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(join(repository, "bin/leme"), args, {
    encoding: "utf8",
    env: { ...process.env, CLUSTER_NAME: name, KUBECONFIG: kubeconfig },
  });
  if (status !== 0) throw new Error(`leme ${args.join(" ")}: ${stdout}${stderr}`);
}

export async function clusterRows(progress: (text: string) => void): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), "leme-bench-up-"));
  const kubeconfig = join(dir, "config");
  spawnSync("sh", [join(repository, "scripts/setup.sh")], { stdio: "inherit" });
  leme(kubeconfig, "down");
  try {
    progress(`up, ${nodes} nodes`);
    const from = performance.now();
    leme(kubeconfig, "up", `--nodes=${nodes}`);
    const upMs = performance.now() - from;
    const record = readRecord(defaultRoots, name);
    if (record === undefined) throw new Error(`there is no cluster ${name}`);
    const plan = planOf(record, defaultRoots);
    const rows: Row[] = [
      {
        name: `leme up to ${nodes} Ready nodes`,
        ours: `${short(upMs)} ms`,
        aim: `< ${aims.upMs} ms`,
        met: upMs < aims.upMs,
      },
    ];
    rows.push(...(await idleRows(plan, progress)));
    const client = createClient(createHttpsTransport(await loadAccess(kubeconfig)));
    rows.push(...(await podStart(client, plan, progress)));
    return rows;
  } finally {
    leme(kubeconfig, "down");
    rmSync(dir, { recursive: true });
  }
}

async function podStart(client: Client, plan: ClusterPlan, progress: (text: string) => void): Promise<Row[]> {
  try {
    return await podRows(client, plan, progress);
  } finally {
    await client.transport.close();
  }
}

async function idleRows(plan: ClusterPlan, progress: (text: string) => void): Promise<Row[]> {
  const watched = [
    { title: "control plane", record: serverDaemon(plan).record, aim: aims.serverMegabytes },
    { title: "leme node", record: (plan.nodes[0] as NodePlan).agentRecord, aim: aims.nodeMegabytes },
    { title: "leme bridge (registry, egress)", record: bridgeDaemon(plan).record },
  ].map(({ record, ...rest }) => {
    const pid = recordedDaemon(record)?.pid;
    if (pid === undefined) throw new Error(`${rest.title} does not run`);
    return { ...rest, pid, before: cpuMicroseconds(pid) };
  });
  progress(`idle for ${idleMs / 1000} s`);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  return watched.flatMap(({ title, pid, before, aim }) => {
    const share = ((cpuMicroseconds(pid) - before) / (idleMs * 1000)) * 100;
    const resident = residentMegabytes(pid);
    return [
      {
        name: `${title}, idle: resident memory`,
        ours: `${short(resident)} MB`,
        ...(aim === undefined ? {} : { aim: `≤ ${aim} MB`, met: resident <= aim }),
      },
      {
        name: `${title}, idle: CPU`,
        ours: `${short(share)} % of a core`,
        aim: `< ${aims.idleShare} %`,
        met: share < aims.idleShare,
      },
    ];
  });
}
