// The long-lived processes of a cluster: where each keeps its record and its log.

import { existsSync, readFileSync } from "node:fs";
import type { ClusterPlan, NodePlan } from "./plan.ts";

export interface DaemonFiles {
  readonly record: string;
  readonly log: string;
}

export function serverDaemon(plan: ClusterPlan): DaemonFiles {
  return { record: `${plan.runDir}/server.pid`, log: `${plan.logDir}/server.log` };
}

export function bridgeDaemon(plan: ClusterPlan): DaemonFiles {
  return { record: `${plan.runDir}/bridge.pid`, log: `${plan.logDir}/bridge.log` };
}

export function agentDaemon(node: NodePlan): DaemonFiles {
  return { record: node.agentRecord, log: node.agentLog };
}

/** The end of a log, for an error message about the process that wrote it. */
export function lastLines(path: string, lines = 8): string {
  if (!existsSync(path)) return "";
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}
