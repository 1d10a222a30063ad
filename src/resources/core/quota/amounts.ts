// Lists of amounts by resource name, as quotas reckon with them: exact, and shown in the format of what was added. Pure.

import { formatQuantity, parseQuantity, type Quantity } from "#machinery/quantity.ts";

export type AmountsByName = ReadonlyMap<string, Quantity>;

const zero: Quantity = { nano: 0n, format: "DecimalSI" };

export const whole = (count: number): Quantity => ({
  nano: BigInt(count) * 1_000_000_000n,
  format: "DecimalSI",
});

export function parseAmounts(list: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

export function formatAmounts(amounts: AmountsByName): Record<string, string> {
  const names = [...amounts.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, formatQuantity(amounts.get(name) ?? zero)]));
}

/** Nothing has no format of its own. */
export function addTo(total: Map<string, Quantity>, more: AmountsByName): void {
  for (const [name, { nano, format }] of more) {
    const old = total.get(name) ?? zero;
    total.set(name, { nano: old.nano + nano, format: old.nano === 0n ? format : old.format });
  }
}

/** What there is more of than before; less is negative. */
export function difference(now: AmountsByName, before: AmountsByName): Map<string, Quantity> {
  const found = new Map(now);
  for (const [name, { nano, format }] of before)
    found.set(name, { nano: (now.get(name)?.nano ?? 0n) - nano, format: now.get(name)?.format ?? format });
  return found;
}

/** As messages list them: `cpu=1,pods=2`. */
export const shownAmounts = (amounts: AmountsByName): string =>
  Object.entries(formatAmounts(amounts))
    .map(([name, text]) => `${name}=${text}`)
    .join(",");
