// IP addresses as text: strict (no leading zeros, no zones, no IPv4 inside of IPv6), and their canonical form.

export interface Ip {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export function parseIp(text: string): Ip | undefined {
  return text.includes(":") ? parseIp6(text) : parseIp4(text);
}

function parseIp4(text: string): Ip | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return { family: 4, value: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n) };
}

function parseIp6(text: string): Ip | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const groups = [...expandIp4(head, halves.length === 1), ...expandIp4(tail, true)];
  const missing = 8 - groups.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const headLength = expandIp4(head, halves.length === 1).length;
  const all = [
    ...groups.slice(0, headLength),
    ...Array<string>(missing).fill("0"),
    ...groups.slice(headLength),
  ];
  if (!all.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  const value = all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  // An IPv4 address in the clothes of IPv6 has two meanings.
  if (value >> 32n === 0xffffn) return undefined;
  return { family: 6, value };
}

/** `…:1.2.3.4` at the end is two groups. */
function expandIp4(groups: readonly string[], last: boolean): readonly string[] {
  const end = groups.at(-1) ?? "";
  if (!last || !end.includes(".")) return groups;
  const found = parseIp4(end);
  if (found === undefined) return groups;
  return [...groups.slice(0, -1), (found.value >> 16n).toString(16), (found.value & 0xffffn).toString(16)];
}

export function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  const [start, length] = longestZeros(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

/** Where the longest run of zero groups is, the first of equals. */
function longestZeros(groups: readonly string[]): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === "0") end++;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}
