// What is said to scheduler extenders, and what their answers mean: the documented bodies, with field names as they have
// them. Names in answers are taken in any case, as extenders in other languages write them.

import type { Node } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import type { ReadPod } from "./pod-info.ts";

/** An extender as the configuration names it. */
export interface ExtenderConfig {
  readonly urlPrefix: string;
  /** Empty: it is not asked for that. */
  readonly filterVerb: string;
  readonly prioritizeVerb: string;
  readonly preemptVerb: string;
  readonly bindVerb: string;
  readonly weight: number;
  readonly timeoutMs: number;
  /** It knows the nodes itself, so that names are enough. */
  readonly nodeCacheCapable: boolean;
  /** It is asked about pods that want one of these alone; empty: about every pod. */
  readonly managedResources: ReadonlySet<string>;
  /** Pods are placed without it when it fails. */
  readonly ignorable: boolean;
  readonly tls: ExtenderTls | undefined;
}

/** File names, or contents in base64, which come first. */
export interface ExtenderTls {
  readonly insecure?: boolean;
  readonly serverName?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
  readonly certData?: string;
  readonly keyData?: string;
  readonly caData?: string;
}

export interface RefusedByExtender {
  readonly reason: string;
  readonly resolvable: boolean;
}

export interface FilterAnswer {
  readonly passed: readonly string[];
  readonly refused: ReadonlyMap<string, RefusedByExtender>;
}

/** Victims on a node, before whom they are is looked up. */
export interface VictimIds {
  readonly uids: readonly string[];
  readonly violations: number;
}

/** What a whole score of an extender (10) counts in the scheduler's scale. */
const scoreFactor = 10;

export function nodesArgs(
  pod: ReadPod,
  names: readonly string[],
  nodeOf: (name: string) => DeepReadonly<Node> | undefined,
  { nodeCacheCapable }: ExtenderConfig,
): object {
  if (nodeCacheCapable) return { Pod: pod, Nodes: null, NodeNames: names };
  const items = names.map(nodeOf).filter((node) => node !== undefined);
  return { Pod: pod, Nodes: { metadata: {}, items }, NodeNames: null };
}

type Answer = Readonly<Record<string, unknown>>;

function answerOf(value: unknown): Answer {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Answer;
  throw new Error("the answer is no object");
}

function fieldOf(answer: Answer, name: string): unknown {
  if (Object.hasOwn(answer, name)) return answer[name];
  const key = Object.keys(answer).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : answer[key];
}

function textOf(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw new Error(`${what} of the answer is no text`);
}

function numberOf(value: unknown, what: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new Error(`${what} of the answer is no whole number`);
}

function listOf(value: unknown, what: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value;
  throw new Error(`${what} of the answer is no list`);
}

function entriesOf(value: unknown, what: string): readonly [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (typeof value === "object" && !Array.isArray(value)) return Object.entries(value);
  throw new Error(`${what} of the answer is no map`);
}

function throwIfTold(answer: Answer): void {
  const error = textOf(fieldOf(answer, "Error"), "Error");
  if (error !== "") throw new Error(error);
}

/** Who passes, and who is refused and why. An extender can pass only nodes that it was asked about. */
export function readFilterAnswer(
  value: unknown,
  names: readonly string[],
  { nodeCacheCapable, urlPrefix }: ExtenderConfig,
): FilterAnswer {
  const answer = answerOf(value);
  throwIfTold(answer);
  const listed = nodeCacheCapable ? listOf(fieldOf(answer, "NodeNames"), "NodeNames") : undefined;
  const passed = listed?.map((name) => textOf(name, "NodeNames")) ?? namesIn(fieldOf(answer, "Nodes"));
  const asked = new Set(names);
  const stranger = passed.find((name) => !asked.has(name));
  if (stranger !== undefined)
    throw new Error(
      `extender ${JSON.stringify(urlPrefix)} claims a filtered node ${JSON.stringify(stranger)} which is not found in the input node list`,
    );
  const refused = new Map<string, RefusedByExtender>();
  for (const name of asked)
    refused.set(name, { reason: `node(s) were left out by extender ${urlPrefix}`, resolvable: false });
  for (const name of passed) refused.delete(name);
  for (const [field, resolvable] of [
    ["FailedNodes", true],
    ["FailedAndUnresolvableNodes", false],
  ] as const)
    for (const [name, reason] of entriesOf(fieldOf(answer, field), field))
      if (asked.has(name) && refused.has(name))
        refused.set(name, { reason: textOf(reason, field), resolvable });
  return { passed: [...new Set(passed)], refused };
}

function namesIn(nodes: unknown): string[] {
  if (nodes === undefined || nodes === null) return [];
  return (listOf(fieldOf(answerOf(nodes), "items"), "Nodes") ?? []).map((node) =>
    textOf(answerOf(answerOf(node)["metadata"])["name"], "Nodes"),
  );
}

/** What each node's total goes up by. */
export function readPriorities(value: unknown, { weight }: ExtenderConfig): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  for (const one of listOf(value, "HostPriorityList") ?? []) {
    const answer = answerOf(one);
    const host = textOf(fieldOf(answer, "Host"), "Host");
    const score = numberOf(fieldOf(answer, "Score"), "Score");
    scores.set(host, (scores.get(host) ?? 0) + score * weight * scoreFactor);
  }
  return scores;
}

export const bindingArgs = (
  { name, namespace, uid }: { name: string; namespace: string; uid: string },
  node: string,
): object => ({ PodName: name, PodNamespace: namespace, PodUID: uid, Node: node });

export function readBindingAnswer(value: unknown): void {
  if (value !== null) throwIfTold(answerOf(value));
}

export function preemptionArgs(
  pod: ReadPod,
  victims: ReadonlyMap<string, VictimIds>,
  podOf: (uid: string) => ReadPod | undefined,
  { nodeCacheCapable }: ExtenderConfig,
): object {
  const told = [...victims].map(([node, { uids, violations }]) => {
    const pods = nodeCacheCapable
      ? uids.map((UID) => ({ UID }))
      : uids.map(podOf).filter((one) => one !== undefined);
    return [node, { Pods: pods, NumPDBViolations: violations }] as const;
  });
  const map = Object.fromEntries(told);
  return {
    Pod: pod,
    NodeNameToVictims: nodeCacheCapable ? null : map,
    NodeNameToMetaVictims: nodeCacheCapable ? map : null,
  };
}

/** On which nodes preemption is still to be thought of, and of whom. */
export function readPreemptionAnswer(value: unknown): Map<string, VictimIds> {
  const victims = new Map<string, VictimIds>();
  const field = "NodeNameToMetaVictims";
  for (const [node, one] of entriesOf(fieldOf(answerOf(value), field), field)) {
    const answer = answerOf(one);
    const uids = (listOf(fieldOf(answer, "Pods"), "Pods") ?? []).map((pod) =>
      textOf(fieldOf(answerOf(pod), "UID"), "UID"),
    );
    victims.set(node, {
      uids,
      violations: numberOf(fieldOf(answer, "NumPDBViolations"), "NumPDBViolations"),
    });
  }
  return victims;
}
