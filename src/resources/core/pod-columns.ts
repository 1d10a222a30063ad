// How a pod shows in a table: ready containers, status in a word, restarts. Pure.

import type { Column } from "#machinery/define-resource.ts";
import type { ContainerStatus, Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { humanDuration } from "../age.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

interface Summary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: number;
  readonly lastRestart: string | undefined;
}

type Status = DeepReadonly<ContainerStatus>;

const exitReason = (terminated: NonNullable<NonNullable<Status["state"]>["terminated"]>): string =>
  terminated.reason
    ? terminated.reason
    : terminated.signal
      ? `Signal:${terminated.signal}`
      : `ExitCode:${terminated.exitCode ?? 0}`;

const finishedAt = (status: Status): string | undefined =>
  status.lastState?.terminated?.finishedAt ?? undefined;

function later(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

interface InitSummary {
  /** `Init:0/2`, `Init:CrashLoopBackOff` …; undefined once initialisation is over. */
  readonly reason: string | undefined;
  readonly restarts: number;
  readonly lastRestart: string | undefined;
  readonly sidecarsReady: number;
  readonly sidecars: number;
  readonly sidecarRestarts: number;
}

function summarizeInit(pod: DeepReadonly<Pod>): InitSummary {
  const specs = pod.spec?.initContainers ?? [];
  const sidecar = new Set(specs.filter((one) => one.restartPolicy === "Always").map((one) => one.name));
  let restarts = 0;
  let sidecarRestarts = 0;
  let sidecarsReady = 0;
  let lastRestart: string | undefined;
  let reason: string | undefined;
  for (const [at, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    restarts += status.restartCount ?? 0;
    lastRestart = later(lastRestart, finishedAt(status));
    const restartable = sidecar.has(status.name);
    if (restartable) {
      sidecarRestarts += status.restartCount ?? 0;
      if (status.ready) sidecarsReady++;
    }
    if (reason !== undefined) continue;
    const { terminated, waiting } = status.state ?? {};
    if (terminated !== undefined && (terminated.exitCode ?? 0) === 0) continue;
    if (restartable && status.started === true) continue;
    if (terminated !== undefined) reason = `Init:${exitReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") reason = `Init:${waiting.reason}`;
    else reason = `Init:${at}/${specs.length}`;
  }
  return { reason, restarts, lastRestart, sidecarsReady, sidecars: sidecar.size, sidecarRestarts };
}

const isTrue = (pod: DeepReadonly<Pod>, type: string): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ??
  false;

export function summarize(pod: DeepReadonly<Pod>): Summary {
  const init = summarizeInit(pod);
  const statuses = pod.status?.containerStatuses ?? [];
  let status = pod.status?.reason || (pod.status?.phase ?? "");
  const gated = pod.status?.conditions?.some(
    (one) => one.type === "PodScheduled" && one.reason === "SchedulingGated",
  );
  if (gated === true) status = "SchedulingGated";
  let ready = init.sidecarsReady;
  let restarts = init.restarts;
  let lastRestart = init.lastRestart;
  if (init.reason !== undefined && !isTrue(pod, "Initialized")) status = init.reason;
  else {
    restarts = init.sidecarRestarts;
    let running = false;
    for (const one of [...statuses].reverse()) {
      restarts += one.restartCount ?? 0;
      lastRestart = later(lastRestart, finishedAt(one));
      const { waiting, terminated, running: runs } = one.state ?? {};
      if (waiting?.reason) status = waiting.reason;
      else if (terminated !== undefined) status = exitReason(terminated);
      else if (one.ready === true && runs !== undefined) {
        running = true;
        ready++;
      }
    }
    if (status === "Completed" && running) status = isTrue(pod, "Ready") ? "Running" : "NotReady";
  }
  if (pod.metadata?.deletionTimestamp !== undefined) {
    if (pod.status?.reason === "NodeLost") status = "Unknown";
    else if (pod.status?.phase !== "Failed" && pod.status?.phase !== "Succeeded") status = "Terminating";
  }
  return { ready, total: (pod.spec?.containers?.length ?? 0) + init.sidecars, status, restarts, lastRestart };
}

function restartsCell(pod: DeepReadonly<Pod>, nowMs: number): string {
  const { restarts, lastRestart } = summarize(pod);
  return restarts > 0 && lastRestart !== undefined
    ? `${restarts} (${humanDuration(nowMs - Date.parse(lastRestart))} ago)`
    : String(restarts);
}

function readinessGates(pod: DeepReadonly<Pod>): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  return `${gates.filter(({ conditionType }) => isTrue(pod, conditionType ?? "")).length}/${gates.length}`;
}

const orNone = (text: string | undefined): string => text || "<none>";

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  column("Ready", (pod) => `${summarize(pod).ready}/${summarize(pod).total}`, {
    description: "Containers that are ready, of all.",
  }),
  column("Status", (pod) => summarize(pod).status, { description: "The state of the pod in a word." }),
  column("Restarts", restartsCell, { description: "Container restarts, and when the last one was." }),
  ageColumn,
  column("IP", (pod) => orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP), { wide: true }),
  column("Node", (pod) => orNone(pod.spec?.nodeName), { wide: true }),
  column("Nominated Node", (pod) => orNone(pod.status?.nominatedNodeName), { wide: true }),
  column("Readiness Gates", readinessGates, { wide: true }),
];
