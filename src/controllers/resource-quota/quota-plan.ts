// What the objects of a namespace use of what its quota allows. Pure.

import { ResourceQuotas } from "#client/refs.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import type { Quantity } from "#machinery/quantity.ts";
import { statusAction } from "#reconcile/action.ts";
import type { Plan } from "#reconcile/controller.ts";
import {
  addTo,
  formatAmounts,
  parseAmounts,
  whole,
  type AmountsByName,
} from "#resources/core/quota/amounts.ts";
import { scopesOf, scopesTake, type ReadQuota } from "#resources/core/quota/scopes.ts";
import { countsTowards, quotaUsage, type Subject } from "#resources/core/quota/usage.ts";

export type Readable = DeepReadonly<KubeObject>;

export interface QuotaInput {
  readonly quota: ReadQuota;
  /** All objects of its namespace, of every resource that its amounts speak of. */
  readonly objects: readonly { readonly subject: Subject; readonly list: readonly Readable[] }[];
  /** Of resources that are only known by their number: by the name of their count. */
  readonly counts: ReadonlyMap<string, number>;
}

export type UsageOf = (subject: Subject, object: Readable, nowMs: number) => AmountsByName;

export function quotaUsed(
  { quota, objects, counts }: QuotaInput,
  nowMs: number,
  usageOf: UsageOf,
): Map<string, Quantity> {
  const names = Object.keys(quota.spec?.hard ?? {});
  const total = new Map<string, Quantity>();
  const hasScopes = scopesOf(quota).length > 0;
  for (const { subject, list } of objects) {
    for (const name of names) if (countsTowards(subject, name)) total.set(name, whole(0));
    for (const object of list)
      if (!hasScopes || scopesTake(quota, subject, object)) addTo(total, usageOf(subject, object, nowMs));
  }
  for (const [name, count] of counts) total.set(name, whole(hasScopes ? 0 : count));
  return new Map(names.flatMap((name) => [[name, total.get(name)] as const]).filter(isKnown));
}

const isKnown = (one: readonly [string, Quantity | undefined]): one is [string, Quantity] =>
  one[1] !== undefined;

const isSame = (a: AmountsByName, b: AmountsByName): boolean =>
  a.size === b.size && [...a].every(([name, { nano }]) => b.get(name)?.nano === nano);

export function planQuota(input: QuotaInput, nowMs: number, usageOf: UsageOf = quotaUsage): Plan {
  const { quota } = input;
  if (quota.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  const used = quotaUsed(input, nowMs, usageOf);
  const hard = parseAmounts(quota.spec?.hard);
  const { status } = quota;
  if (isSame(hard, parseAmounts(status?.hard)) && isSame(used, parseAmounts(status?.used)))
    return { actions: [] };
  const next = { hard: { ...quota.spec?.hard }, used: formatAmounts(used) };
  return { actions: [statusAction(ResourceQuotas, { ...quota, status: next })] };
}

/** The names of counts that none of these resources has: of custom kinds. */
export function unknownCounts(quota: ReadQuota, known: ReadonlySet<string>): string[] {
  return Object.keys(quota.spec?.hard ?? {}).filter((name) => name.startsWith("count/") && !known.has(name));
}
