// Placing and preempting for a pod that extenders have a say in: the plan's parts, and between them what extenders answer.
// Other pods are planned meanwhile, so what was found is looked at once more before it counts.

import type { Random } from "#base/random.ts";
import type { Selector } from "#machinery/selectors.ts";
import type { ExtenderClient } from "./extender-client.ts";
import type { Extenders } from "./extenders.ts";
import type { PodInfo, ReadPod } from "./plan/pod-info.ts";
import {
  candidatesFrom,
  choosePreemption,
  ineligibility,
  preemptionCandidates,
  type PreemptionContext,
  type PreemptionPlan,
} from "./plan/preemption.ts";
import type { Profile } from "./plan/profile.ts";
import type { Refusals } from "./plan/refusal.ts";
import {
  chooseNode,
  findNodes,
  stillFeasible,
  unschedulable,
  type Placement,
  type Search,
  type Unschedulable,
} from "./plan/schedule.ts";
import type { Snapshot } from "./plan/snapshot.ts";

export interface Asking {
  readonly extenders: Extenders;
  /** Those that are interested in the pod. */
  readonly clients: readonly ExtenderClient[];
  readonly pod: ReadPod;
}

export interface ExtendedContext {
  readonly snapshot: Snapshot;
  readonly profile: Profile;
  readonly workload: Selector | undefined;
  readonly startAt: number;
  readonly random: Random;
}

/** Those that filters and extenders let pass, and the reasons of all others. */
async function search(
  info: PodInfo,
  { extenders, clients, pod }: Asking,
  context: ExtendedContext,
): Promise<{ found: Search; passed: readonly string[] }> {
  const found = findNodes(info, { ...context, explains: true });
  const names = found.feasible.map(({ name }) => name);
  const { passed, refused } = await extenders.filter(clients, pod, names);
  for (const [name, { reason, resolvable }] of refused) {
    const node = context.snapshot.node(name);
    if (node !== undefined) found.refusals.add(node, { filter: "Extender", reasons: [reason], resolvable });
  }
  return { found, passed };
}

/** Undefined when the cluster has changed so much meanwhile that none of the nodes takes the pod any longer. */
export async function planWithExtenders(
  info: PodInfo,
  asking: Asking,
  context: ExtendedContext,
): Promise<Placement | Unschedulable | undefined> {
  let { found, passed } = await search(info, asking, context);
  // Refused on the node that was cleared for it: perhaps another takes it.
  if (passed.length === 0 && found.feasible[0]?.name === info.nominatedNode)
    ({ found, passed } = await search({ ...info, nominatedNode: "" }, asking, context));
  if (passed.length === 0) return unschedulable(context.snapshot, found);
  const { extenders, clients, pod } = asking;
  const more = passed.length === 1 ? undefined : await extenders.scores(clients, pod, passed);
  const feasible = stillFeasible(info, passed, context);
  if (feasible.length === 0) return undefined;
  return { node: chooseNode(info, feasible, context, more), evaluated: found.evaluated };
}

export async function planPreemptionWithExtenders(
  info: PodInfo,
  refusals: Refusals,
  { extenders, clients, pod }: Asking,
  context: PreemptionContext,
): Promise<PreemptionPlan> {
  const message = ineligibility(info, refusals, context);
  if (message !== undefined) return { preemption: undefined, message };
  const candidates = preemptionCandidates(info, refusals, context);
  const offered = new Map(
    candidates.map(({ node, victims, violations }) => [
      node.name,
      { uids: victims.map(({ uid }) => uid), violations },
    ]),
  );
  const left = await extenders.victims(clients, pod, offered, (answer) => candidatesFrom(answer, context));
  return choosePreemption(left === offered ? candidates : candidatesFrom(left, context), refusals, context);
}
