// What runs of a local cluster, and on what kind of machine: lines for `leme status`.

import { createClient } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import { loadAccess } from "#client/kubeconfig.ts";
import { Nodes } from "#client/refs.ts";
import { recordedDaemon } from "#host/daemon.ts";
import { detectMachine, type Machine } from "#host/machine.ts";
import { netnsExists } from "#host/netns.ts";
import { isReady } from "./bridge.ts";
import { adminKubeconfig } from "./commands.ts";
import { bridgeDaemon, serverDaemon } from "./daemons.ts";
import type { ClusterPlan } from "./plan.ts";
import { planOf, readRecord, type Roots } from "./record.ts";

export interface ClusterStatus {
  readonly lines: readonly string[];
  /** Everything runs and every node is Ready. */
  readonly healthy: boolean;
}

type Row = readonly [what: string, state: string, detail: string];

/** Columns padded to their widest cell. Pure. */
export function alignRows(rows: readonly Row[]): string[] {
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  return rows.map(([what, state, detail]) =>
    `${what.padEnd(width(0))}  ${state.padEnd(width(1))}  ${detail}`.trimEnd(),
  );
}

export async function clusterStatus(name: string, roots: Roots): Promise<ClusterStatus> {
  const machine = machineRows(await detectMachine());
  const record = readRecord(roots, name);
  if (record === undefined)
    return {
      lines: [`There is no cluster "${name}" on this machine.`, "", ...alignRows(machine)],
      healthy: false,
    };
  const plan = planOf(record, roots);
  const ready = await readyNodes(plan);
  const cluster: Row[] = [
    [
      "control plane",
      ready instanceof Error ? ready.message : "ready",
      processDetail(serverDaemon(plan).record, plan.apiServer),
    ],
    [
      "bridge",
      processState(bridgeDaemon(plan).record),
      processDetail(bridgeDaemon(plan).record, `registry ${plan.registry}`),
    ],
    ...plan.nodes.flatMap((node): Row[] => [
      [
        node.name,
        ready instanceof Error ? "unknown" : ready.has(node.name) ? "Ready" : "NotReady",
        `${node.address}, pods ${node.podCidr}, network namespace ${netnsExists(node.netns) ? "there" : "missing"}`,
      ],
      [
        "  containerd",
        processState(node.containerd.record),
        processDetail(node.containerd.record, node.containerd.socket),
      ],
      ["  agent", processState(node.agentRecord), processDetail(node.agentRecord, node.agentLog)],
    ]),
  ];
  const healthy = cluster.every(([, state]) => ["ready", "running", "Ready"].includes(state));
  return {
    lines: [
      `Cluster "${name}", state in ${plan.stateDir}`,
      "",
      ...alignRows(cluster),
      "",
      ...alignRows(machine),
    ],
    healthy,
  };
}

function processState(record: string): string {
  return recordedDaemon(record) === undefined ? "stopped" : "running";
}

function processDetail(record: string, detail: string): string {
  const daemon = recordedDaemon(record);
  return daemon === undefined ? detail : `${detail} (pid ${daemon.pid})`;
}

async function readyNodes(plan: ClusterPlan): Promise<Set<string> | Error> {
  if (recordedDaemon(serverDaemon(plan).record) === undefined) return new Error("stopped");
  try {
    const transport = createHttpsTransport(await loadAccess(adminKubeconfig(plan)));
    try {
      const { items } = await createClient(transport).list(Nodes);
      return new Set(items.filter(isReady).map((node) => node.metadata?.name ?? ""));
    } finally {
      await transport.close();
    }
  } catch {
    return new Error("not answering");
  }
}

function machineRows(machine: Machine): Row[] {
  const program = (version: string | undefined): string => version ?? "missing";
  return [
    ["machine", machine.os, `Linux ${machine.kernel}`],
    ["cgroups", machine.cgroupVersion, "driver cgroupfs"],
    ["containerd", program(machine.containerdVersion), `runc ${program(machine.runcVersion)}`],
    ["nftables", program(machine.nftVersion), ""],
    ["CNI plugins", machine.cniBinDir === undefined ? "missing" : "found", machine.cniBinDir ?? ""],
    ["AppArmor", machine.apparmor ? "on" : "off", ""],
    [
      "OOM scores",
      machine.capSysResource ? "free" : "restricted",
      machine.capSysResource ? "" : "no CAP_SYS_RESOURCE",
    ],
    ["way out", machine.uplink ? "yes" : "no default route", `MTU ${machine.uplinkMtu}`],
  ];
}
