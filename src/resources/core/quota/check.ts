// Whether quotas have room for what is written: what each is to be charged with, or why not. Pure.

import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { Quantity } from "#machinery/quantity.ts";
import { addTo, difference, parseAmounts, shownAmounts, type AmountsByName } from "./amounts.ts";
import { scopesTake, type ReadQuota } from "./scopes.ts";
import { countsTowards, isPods, quotaUsage, unsaidAmounts, type Subject } from "./usage.ts";

export interface QuotaQuestion {
  readonly subject: Subject;
  readonly object: DeepReadonly<KubeObject>;
  /** Of an update: how it was. */
  readonly old: DeepReadonly<KubeObject> | undefined;
}

export interface Answer {
  /** What each quota will say is used, by its name: those only that change. */
  readonly used: ReadonlyMap<string, Map<string, Quantity>>;
  readonly refusal?: string;
}

const only = (amounts: AmountsByName, wanted: (name: string) => boolean): Map<string, Quantity> =>
  new Map([...amounts].filter(([name]) => wanted(name)));

/** Which of its amounts an object counts for; none where its scopes leave the object out. */
function namesFor(quota: ReadQuota, { subject, object }: QuotaQuestion): string[] {
  const names = Object.keys(quota.status?.hard ?? {}).filter((name) => countsTowards(subject, name));
  return names.length > 0 && scopesTake(quota, subject, object) ? names : [];
}

/** `usedNow` is what a quota has by now been charged with, where that is more than its status says. */
export function askQuotas(
  quotas: readonly ReadQuota[],
  usedNow: ReadonlyMap<string, ReadonlyMap<string, Quantity>>,
  question: QuotaQuestion,
  nowMs: number,
): Answer {
  const { subject, object, old } = question;
  const concerned: { quota: ReadQuota; names: string[] }[] = [];
  for (const quota of quotas) {
    const names = namesFor(quota, question);
    if (names.length === 0) continue;
    const name = quota.metadata?.name ?? "";
    const unsaid =
      isPods(subject) && old === undefined ? unsaidAmounts(object as DeepReadonly<Pod>, names) : [];
    if (unsaid.length > 0)
      return { used: new Map(), refusal: `failed quota: ${name}: must specify ${unsaid.join("; ")}` };
    const unknown = names.filter((one) => quota.status?.used?.[one] === undefined);
    if (unknown.length > 0)
      return {
        used: new Map(),
        refusal: `status unknown for quota: ${name}, resources: ${unknown.sort().join(",")}`,
      };
    concerned.push({ quota, names });
  }
  const used = new Map<string, Map<string, Quantity>>();
  if (concerned.length === 0) return { used };
  const usage = quotaUsage(subject, object, nowMs);
  const change = only(
    old === undefined ? usage : difference(usage, quotaUsage(subject, old, nowMs)),
    (name) => usage.has(name) || old !== undefined,
  );
  for (const { quota, names } of concerned) {
    const { name: quotaName = "" } = quota.metadata ?? {};
    const requested = only(change, (name) => names.includes(name) && change.get(name)?.nano !== 0n);
    if (requested.size === 0) continue;
    const before = usedNow.get(quotaName) ?? parseAmounts(quota.status?.used);
    const after = new Map(before);
    addTo(after, requested);
    const hard = parseAmounts(quota.status?.hard);
    const isOver = (name: string): boolean =>
      (requested.get(name)?.nano ?? 0n) > 0n && (after.get(name)?.nano ?? 0n) > (hard.get(name)?.nano ?? 0n);
    const over = (amounts: AmountsByName): string => shownAmounts(only(amounts, isOver));
    if ([...requested.keys()].some(isOver))
      return {
        used: new Map(),
        refusal: `exceeded quota: ${quotaName}, requested: ${over(requested)}, used: ${over(before)}, limited: ${over(hard)}`,
      };
    used.set(quotaName, after);
  }
  return { used };
}
