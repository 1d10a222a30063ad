// Tells in the status of PodDisruptionBudgets how many of their pods may be evicted now; what counts is in disruption/.
// Watches: poddisruptionbudgets, pods, the built-in kinds with replicas (what they want).  Owns: nothing.
// Writes: poddisruptionbudgets/status, pods/status (clears stale marks).

import { toError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import {
  Deployments,
  PodDisruptionBudgets,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  StatefulSets,
} from "#client/refs.ts";
import type { Scale } from "#machinery/gen/types/autoscaling-v1.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { PodDisruptionBudget } from "#machinery/gen/types/policy-v1.ts";
import {
  controllerOf,
  groupResource,
  objectKey,
  parseApiVersion,
  type DeepReadonly,
  type KubeObject,
  type OwnerReference,
} from "#machinery/meta.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";
import { ApiError } from "#machinery/status.ts";
import { defineController, watching, type ControllerDefinition, type Reads } from "#reconcile/controller.ts";
import { planBudget, type BudgetInput, type ReadBudget, type Wanted } from "./disruption/budget-plan.ts";
import { isMarked, planStaleTarget } from "./disruption/stale-target.ts";
import { Pace } from "./pace.ts";
import type { ReadPod } from "./pod-state.ts";
import { Kinds } from "./served-kinds.ts";

interface Replicated extends KubeObject {
  spec?: { replicas?: number };
}
type Owner = DeepReadonly<OwnerReference>;

interface BudgetWork extends BudgetInput {
  readonly do: "budget";
  readonly podsLookedAt: number;
  /** Controllers of other kinds: their scale is asked for. */
  readonly others: readonly { readonly owner: Owner; readonly namespace: string }[];
}
type Work =
  | { readonly do: "wait"; readonly waitMs: number }
  | BudgetWork
  | { readonly do: "pod"; readonly pod: ReadPod };

const known = new Map<string, ResourceRef>(
  [ReplicationControllers, ReplicaSets, StatefulSets, Deployments].map((ref) => [
    `${ref.group}/${ref.kind}`,
    ref,
  ]),
);
const kindOf = (owner: Owner): ResourceRef | undefined =>
  known.get(`${parseApiVersion(owner.apiVersion).group}/${owner.kind}`);

/** What a controller of a built-in kind wants, or the Deployment behind it; nothing where it is not there (any more). */
function wantedByKnown(reads: Reads, namespace: string, owner: Owner, ref: ResourceRef): Wanted | undefined {
  const found = reads.of<Replicated>(ref).get(`${namespace}/${owner.name}`);
  if (found === undefined || found.metadata?.uid !== owner.uid) return undefined;
  const behind = controllerOf(found);
  const next = behind === undefined ? undefined : kindOf(behind);
  if (behind !== undefined && next === Deployments) return wantedByKnown(reads, namespace, behind, next);
  return { uid: owner.uid, replicas: found.spec?.replicas ?? 1 };
}

function selects({ spec }: ReadBudget, pod: ReadPod): boolean {
  const selector = selectorFromObject(spec?.selector);
  return selector !== undefined && matches(selector, pod.metadata?.labels);
}

function readBudget(budget: ReadBudget, reads: Reads): BudgetWork {
  const namespace = budget.metadata?.namespace ?? "";
  const selector = selectorFromObject(budget.spec?.selector);
  const all = selector === undefined ? [] : reads.of<Pod>(Pods).byIndex("namespace", namespace);
  const pods = selector === undefined ? [] : all.filter((pod) => matches(selector, pod.metadata?.labels));
  const wantedBy = new Map<string, Wanted>();
  const others = new Map<string, Owner>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined || wantedBy.has(owner.uid) || others.has(owner.uid)) continue;
    const ref = kindOf(owner);
    if (ref === undefined) others.set(owner.uid, owner);
    else {
      const wanted = wantedByKnown(reads, namespace, owner, ref);
      if (wanted !== undefined) wantedBy.set(owner.uid, wanted);
    }
  }
  return {
    do: "budget",
    budget,
    podsLookedAt: all.length,
    pods,
    wantedBy,
    others: [...others.values()].map((owner) => ({ owner, namespace })),
  };
}

async function wantedByOther(
  client: Client,
  kinds: Kinds,
  namespace: string,
  owner: Owner,
): Promise<Wanted | undefined> {
  try {
    const ref = await kinds.resourceOf(owner);
    const isThere = await client.get(ref, namespace, owner.name, "scale").then(
      (scale) => scale as Scale,
      (thrown: unknown) => {
        if (!(thrown instanceof ApiError && thrown.code === 404)) throw thrown;
        return undefined;
      },
    );
    if (isThere === undefined)
      return { error: `${groupResource(ref)} does not implement the scale subresource` };
    if (isThere.metadata?.uid !== owner.uid) return undefined;
    return { uid: owner.uid, replicas: isThere.spec?.replicas ?? 0 };
  } catch (thrown) {
    return { error: toError(thrown).message };
  }
}

const budgetsOf = (reads: Reads, pod: ReadPod): string[] =>
  reads
    .of<PodDisruptionBudget>(PodDisruptionBudgets)
    .byIndex("namespace", pod.metadata?.namespace ?? "")
    .filter((budget) => selects(budget, pod))
    .map((budget) => `budget:${objectKey(budget)}`);

const replicated = (ref: ResourceRef) => watching<Replicated>({ ref, keys: () => [] });

export function disruptionController(clock: Clock): ControllerDefinition {
  let kinds: Kinds | undefined;
  const pace = new Pace(clock, 0);
  return defineController<Work>({
    name: "controllermanager",
    owns: [],
    writes: [PodDisruptionBudgets, Pods],
    watches: [
      watching<PodDisruptionBudget>({
        ref: PodDisruptionBudgets,
        indexes: { namespace: ({ metadata }) => [metadata?.namespace ?? ""] },
        keys: (budget) => [`budget:${objectKey(budget)}`],
      }),
      watching<Pod>({
        ref: Pods,
        indexes: { namespace: ({ metadata }) => [metadata?.namespace ?? ""] },
        keys: (pod, reads) => [...budgetsOf(reads, pod), ...(isMarked(pod) ? [`pod:${objectKey(pod)}`] : [])],
      }),
      replicated(ReplicationControllers),
      replicated(ReplicaSets),
      replicated(StatefulSets),
      replicated(Deployments),
    ],
    read: (key, reads) => {
      const at = key.indexOf(":");
      const [kind, id] = [key.slice(0, at), key.slice(at + 1)];
      if (kind === "pod") {
        const pod = reads.of<Pod>(Pods).get(id);
        return pod === undefined ? undefined : { do: "pod", pod };
      }
      const budget = reads.of<PodDisruptionBudget>(PodDisruptionBudgets).get(id);
      if (budget === undefined) {
        pace.forget(key);
        return undefined;
      }
      const waitMs = pace.wait(key);
      if (waitMs > 0) return { do: "wait", waitMs };
      const work = readBudget(budget, reads);
      pace.done(key, work.podsLookedAt);
      return work;
    },
    confirm: async (work, client) => {
      if (work.do !== "budget" || work.others.length === 0) return work;
      kinds ??= new Kinds(client, clock);
      const wantedBy = new Map(work.wantedBy);
      for (const { owner, namespace } of work.others) {
        const wanted = await wantedByOther(client, kinds, namespace, owner);
        if (wanted !== undefined) wantedBy.set(owner.uid, wanted);
      }
      return { ...work, wantedBy };
    },
    plan: (work, { nowMs }) => {
      if (work.do === "wait") return { actions: [], againAfterMs: work.waitMs };
      return work.do === "pod" ? planStaleTarget(work.pod, nowMs) : planBudget(work, nowMs);
    },
  });
}
