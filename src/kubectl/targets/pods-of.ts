// The pods behind an object: a pod itself, or those that a workload's or Service's selector picks, best first.

import { resourcePath } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { KubeList, KubeObject } from "#machinery/meta.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { CommandError, type Context } from "../command.ts";

interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

const operators: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

const ofLabels = (labels: Readonly<Record<string, string>>): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);

/** Kinds whose selector is a plain map of labels; the others have matchLabels and matchExpressions. */
const mapSelectors = new Set(["ReplicationController", "Service"]);
const selectingKinds = new Set([
  ...mapSelectors,
  "DaemonSet",
  "Deployment",
  "Job",
  "ReplicaSet",
  "StatefulSet",
]);

/** The query that finds the object's pods. Throws a sentence where it has none. */
export function podSelector(object: KubeObject): string {
  const { kind = "", metadata } = object;
  const selector = (object as { spec?: { selector?: unknown } }).spec?.selector ?? {};
  if (!selectingKinds.has(kind)) throw new Error(`selector for *v1.${kind} not implemented`);
  if (mapSelectors.has(kind)) {
    const labels = ofLabels(selector as Record<string, string>);
    if (kind === "Service" && labels.length === 0)
      throw new Error(`invalid service '${metadata?.name ?? ""}': Service is defined without a selector`);
    return labels.join(",");
  }
  const { matchLabels = {}, matchExpressions = [] } = selector as LabelSelector;
  return [
    ...ofLabels(matchLabels),
    ...matchExpressions.map(
      ({ key, operator, values = [] }) => operators[operator]?.(key, values.join(",")) ?? key,
    ),
  ].join(",");
}

const phaseRank: Readonly<Record<string, number>> = { Running: 0, Unknown: 1, Pending: 2 };

function readiness(pod: Pod): { readonly ready: boolean; readonly since: string } {
  const condition = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return { ready: condition?.status === "True", since: condition?.lastTransitionTime ?? "" };
}

const restarts = (pod: Pod): number =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount ?? 0));

/** The times compare as text; an empty one is the latest. */
const timeOrder = (a: string, b: string): number =>
  a === b ? 0 : a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1;

/**
 * Which of two pods to talk to first: on a node, running, ready, longest ready, then by restarts (`preferRestarts`: most
 * first, for logs; else fewest), oldest.
 */
export function comparePods(a: Pod, b: Pod, preferRestarts: boolean): number {
  const assigned = (pod: Pod): number => (pod.spec?.nodeName ? 0 : 1);
  const rank = (pod: Pod): number => phaseRank[pod.status?.phase ?? ""] ?? 0;
  const [readyA, readyB] = [readiness(a), readiness(b)];
  return (
    assigned(a) - assigned(b) ||
    rank(a) - rank(b) ||
    Number(readyB.ready) - Number(readyA.ready) ||
    (readyA.ready && readyB.ready ? timeOrder(readyA.since, readyB.since) : 0) ||
    (preferRestarts ? restarts(b) - restarts(a) : restarts(a) - restarts(b)) ||
    timeOrder(a.metadata?.creationTimestamp ?? "", b.metadata?.creationTimestamp ?? "")
  );
}

const pollMs = 500;

export interface PodsOptions {
  /** What the command would do with them: `attach to`, `get the logs from`. */
  readonly purpose: string;
  readonly preferRestarts: boolean;
  /** How long to wait until there is one. */
  readonly waitMs: number;
}

/** The pods of an object of any kind that has some, best first; at least one. */
export async function podsOf(
  context: Context,
  object: KubeObject,
  options: PodsOptions,
): Promise<readonly Pod[]> {
  if (object.kind === "Pod") return [object as Pod];
  let labelSelector: string;
  try {
    labelSelector = podSelector(object);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new CommandError(`cannot ${options.purpose} *v1.${object.kind ?? ""}: ${why}`);
  }
  const client = await context.client();
  const query = new URLSearchParams({ labelSelector }).toString();
  const path = resourcePath(Pods, object.metadata?.namespace ?? "");
  for (let waited = 0; ; waited += pollMs) {
    const { items } = await client.json<KubeList<Pod>>("GET", `${path}?${query}`);
    if (items.length > 0) return items.toSorted((a, b) => comparePods(a, b, options.preferRestarts));
    if (waited >= options.waitMs) throw new CommandError("timed out waiting for the condition");
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
