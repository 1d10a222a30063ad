// ClusterRoles with an aggregation rule have the rules of all ClusterRoles that it selects.
// Watches: clusterroles.  Owns: nothing.  Writes: clusterroles.

import { isDeepStrictEqual } from "node:util";
import { ClusterRoles } from "#client/refs.ts";
import type { ClusterRole, PolicyRule } from "#machinery/gen/types/rbac-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";
import { patchAction } from "#reconcile/action.ts";
import { defineController, watching, type Plan, type Reads } from "#reconcile/controller.ts";

type ReadRole = DeepReadonly<ClusterRole>;

export interface AggregationInput {
  readonly role: ReadRole;
  /** All there are. */
  readonly roles: readonly ReadRole[];
}

const nameOf = ({ metadata }: ReadRole): string => metadata?.name ?? "";
const selectorsOf = ({ aggregationRule }: ReadRole) => aggregationRule?.clusterRoleSelectors ?? [];

const selects = (role: ReadRole, other: ReadRole): boolean =>
  selectorsOf(role).some((one) => {
    const selector = selectorFromObject(one);
    return selector !== undefined && matches(selector, other.metadata?.labels);
  });

/** Selector by selector, and within each by name; what is there twice is there once. */
export function aggregatedRules({ role, roles }: AggregationInput): DeepReadonly<PolicyRule>[] {
  const sorted = [...roles].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const found = new Map<string, DeepReadonly<PolicyRule>>();
  for (const one of selectorsOf(role)) {
    const selector = selectorFromObject(one);
    if (selector === undefined) continue;
    for (const other of sorted) {
      if (nameOf(other) === nameOf(role) || !matches(selector, other.metadata?.labels)) continue;
      for (const rule of other.rules ?? []) found.set(JSON.stringify(rule), rule);
    }
  }
  return [...found.values()];
}

export function planAggregation(input: AggregationInput): Plan {
  const { role } = input;
  if (role.aggregationRule === undefined || role.metadata?.deletionTimestamp !== undefined)
    return { actions: [] };
  const rules = aggregatedRules(input);
  if (isDeepStrictEqual(rules, role.rules ?? [])) return { actions: [] };
  const patch = { metadata: { uid: role.metadata?.uid }, rules };
  return { actions: [patchAction(ClusterRoles, role, "merge", patch, { absentIsFine: true })] };
}

const aggregating = (reads: Reads): readonly ReadRole[] =>
  reads.of<ClusterRole>(ClusterRoles).byIndex("aggregating", "yes");

export const clusterRoleAggregationController = defineController<AggregationInput>({
  name: "clusterrole-aggregation-controller",
  owns: [],
  writes: [ClusterRoles],
  watches: [
    watching<ClusterRole>({
      ref: ClusterRoles,
      indexes: { aggregating: ({ aggregationRule }) => (aggregationRule === undefined ? [] : ["yes"]) },
      keys: (role, reads) => [
        nameOf(role),
        ...aggregating(reads)
          .filter((one) => selects(one, role))
          .map(nameOf),
      ],
    }),
  ],
  read: (key, reads) => {
    const role = reads.of<ClusterRole>(ClusterRoles).get(key);
    if (role?.aggregationRule === undefined) return undefined;
    return { role, roles: [...reads.of<ClusterRole>(ClusterRoles).list()] };
  },
  plan: planAggregation,
});
