// What a PodDisruptionBudget allows: how many pods are expected, how many must be healthy, how many are, and which
// evictions are still on their way. Pure.

import { timestamp } from "#base/clock.ts";
import { PodDisruptionBudgets, Pods } from "#client/refs.ts";
import type { Condition } from "#machinery/gen/types/meta-v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "#machinery/gen/types/policy-v1.ts";
import { controllerOf, type DeepReadonly } from "#machinery/meta.ts";
import { formatSelector, selectorFromObject } from "#machinery/selectors.ts";
import { referenceTo, statusAction, type Action } from "#reconcile/action.ts";
import type { Plan } from "#reconcile/controller.ts";
import { isDeepStrictEqual } from "node:util";
import { resolveAmount } from "../amounts.ts";
import { isPodReady, type ReadPod } from "../pod-state.ts";

export type ReadBudget = DeepReadonly<PodDisruptionBudget>;

/** An evicted pod that is not being deleted after so long stays. */
export const deletionTimeoutMs = 120_000;

/** How many pods an owner wants; or why that is not known. */
export type Wanted = { readonly uid: string; readonly replicas: number } | { readonly error: string };

export interface BudgetInput {
  readonly budget: ReadBudget;
  /** All pods that it selects. */
  readonly pods: readonly ReadPod[];
  /** Who wants a pod, by the uid of its controller; a Deployment where that is the controller's own controller. */
  readonly wantedBy: ReadonlyMap<string, Wanted>;
}

type Said = readonly [type: "Normal" | "Warning", reason: string, message: string];

interface Count {
  readonly expected: number;
  readonly desired: number;
}

class CannotCount extends Error {
  override name = "CannotCount";
}

/** The sum over the owners of the pods. Throws when one cannot be asked. */
function expectedByOwners({ budget, pods, wantedBy }: BudgetInput, events: Said[]): number {
  const owners = new Map<string, number>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata ?? {};
    const owner = controllerOf(pod);
    if (owner === undefined) {
      unmanaged.push(name);
      continue;
    }
    const wanted = wantedBy.get(owner.uid);
    if (wanted !== undefined && "replicas" in wanted) owners.set(wanted.uid, wanted.replicas);
    else if (wanted !== undefined) throw new CannotCount(wanted.error);
    // The owner of a pod that is on its way out may be gone already.
    else if (deletionTimestamp === undefined) {
      const message = `found no controllers for pod ${JSON.stringify(name)}`;
      events.push(["Warning", "NoControllers", message]);
      throw new CannotCount(message);
    }
  }
  if (unmanaged.length > 0) {
    const selector = formatSelector(selectorFromObject(budget.spec?.selector) ?? []);
    events.push([
      "Warning",
      "UnmanagedPods",
      `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the ` +
        `status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for ` +
        `these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
    ]);
  }
  return [...owners.values()].reduce((sum, replicas) => sum + replicas, 0);
}

function countOf(input: BudgetInput, events: Said[]): Count {
  const { minAvailable, maxUnavailable } = input.budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const expected = expectedByOwners(input, events);
    return { expected, desired: Math.max(0, expected - resolveAmount(maxUnavailable, expected, "up")) };
  }
  if (typeof minAvailable === "string") {
    const expected = expectedByOwners(input, events);
    return { expected, desired: resolveAmount(minAvailable, expected, "up") };
  }
  return { expected: input.pods.length, desired: minAvailable ?? 0 };
}

interface Evictions {
  /** Those that are still to be seen. */
  readonly pending: Readonly<Record<string, string>>;
  readonly againAfterMs: number | undefined;
  readonly events: readonly Action[];
}

function evictionsOf({ budget, pods }: BudgetInput, nowMs: number): Evictions {
  const { namespace = "", name: budgetName = "" } = budget.metadata ?? {};
  const noted = new Map(Object.entries(budget.status?.disruptedPods ?? {}));
  const pending: [string, string][] = [];
  const events: Action[] = [];
  let againAfterMs: number | undefined;
  if (noted.size === 0) return { pending: {}, againAfterMs, events };
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata ?? {};
    const evicted = noted.get(name);
    if (evicted === undefined || evicted === null || deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(evicted) + deletionTimeoutMs - nowMs;
    if (leftMs <= 0) {
      const message = `Pod was expected by PDB ${namespace}/${budgetName} to be deleted but it wasn't`;
      events.push({
        do: "event",
        about: referenceTo(Pods, pod),
        type: "Warning",
        reason: "NotDeleted",
        message,
      });
      continue;
    }
    pending.push([name, evicted]);
    againAfterMs = Math.min(againAfterMs ?? Infinity, leftMs);
  }
  return { pending: Object.fromEntries(pending), againAfterMs, events };
}

const isHealthy = (pod: ReadPod, pending: Evictions["pending"]): boolean =>
  pod.metadata?.deletionTimestamp === undefined &&
  !Object.hasOwn(pending, pod.metadata?.name ?? "") &&
  isPodReady(pod);

function conditionsOf(
  { metadata, status }: ReadBudget,
  [isAllowed, reason, message]: readonly [boolean, string, string],
  nowMs: number,
): Condition[] {
  const conditions = [...(status?.conditions ?? [])] as Condition[];
  const at = conditions.findIndex(({ type }) => type === "DisruptionAllowed");
  const old = conditions[at];
  const is = isAllowed ? "True" : "False";
  const next: Condition = {
    type: "DisruptionAllowed",
    status: is,
    observedGeneration: metadata?.generation ?? 0,
    lastTransitionTime: old?.status === is ? (old.lastTransitionTime ?? timestamp(nowMs)) : timestamp(nowMs),
    reason,
    message,
  };
  if (at < 0) conditions.push(next);
  else conditions[at] = next;
  return conditions;
}

function written(budget: ReadBudget, status: PodDisruptionBudgetStatus): Action[] {
  if (isDeepStrictEqual(status, budget.status)) return [];
  return [statusAction(PodDisruptionBudgets, { ...budget, status })];
}

const told = (budget: ReadBudget, events: readonly Said[]): Action[] =>
  events.map(([type, reason, message]) => ({
    do: "event",
    about: referenceTo(PodDisruptionBudgets, budget),
    type,
    reason,
    message,
  }));

const noNumbers = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

/** The caches of owners may be behind that of pods. */
const countAgainMs = 5000;

/** What cannot be counted allows nothing; the other numbers stay as they were. It is told once. */
function planNothingAllowed(budget: ReadBudget, error: string, events: Said[], nowMs: number): Plan {
  events.push([
    "Warning",
    "CalculateExpectedPodCountFailed",
    `Failed to calculate the number of expected pods: ${error}`,
  ]);
  const conditions = conditionsOf(budget, [false, "SyncFailed", error], nowMs);
  const status = {
    ...noNumbers,
    ...budget.status,
    disruptionsAllowed: 0,
    conditions,
  } as PodDisruptionBudgetStatus;
  const writes = written(budget, status);
  return {
    actions: writes.length === 0 ? [] : [...told(budget, events), ...writes],
    againAfterMs: countAgainMs,
  };
}

export function planBudget(input: BudgetInput, nowMs: number): Plan {
  const { budget, pods } = input;
  if (budget.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  const events: Said[] = [];
  if (pods.length === 0) events.push(["Normal", "NoPods", "No matching pods found"]);
  let count: Count;
  try {
    count = countOf(input, events);
  } catch (thrown) {
    if (thrown instanceof CannotCount) return planNothingAllowed(budget, thrown.message, events, nowMs);
    throw thrown;
  }
  const { pending, againAfterMs, events: late } = evictionsOf(input, nowMs);
  const currentHealthy = pods.filter((pod) => isHealthy(pod, pending)).length;
  const disruptionsAllowed = count.expected <= 0 ? 0 : Math.max(0, currentHealthy - count.desired);
  const reason = disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods";
  const { generation } = budget.metadata ?? {};
  const status: PodDisruptionBudgetStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(Object.keys(pending).length === 0 ? {} : { disruptedPods: pending }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy: count.desired,
    expectedPods: count.expected,
    conditions: conditionsOf(budget, [disruptionsAllowed > 0, reason, ""], nowMs),
  };
  const actions = [...told(budget, events), ...late, ...written(budget, status)];
  return againAfterMs === undefined ? { actions } : { actions, againAfterMs };
}
