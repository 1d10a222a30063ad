// IP addresses and ranges as text: which are valid, their one canonical form, what lies in what. Pure.

export interface Ip {
  readonly family: "IPv4" | "IPv6";
  readonly value: bigint;
}

export interface Cidr {
  readonly ip: Ip;
  /** Length of the prefix. */
  readonly bits: number;
}

const widths = { IPv4: 32n, IPv6: 128n } as const;
const ipv4Pattern = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Leading zeros are refused unless `lenient`: some programs read them as octal. */
function parseIpv4(text: string, lenient: boolean): bigint | undefined {
  const match = ipv4Pattern.exec(text);
  if (match === null) return undefined;
  let value = 0n;
  for (const part of match.slice(1)) {
    const number = Number(part);
    if (number > 255 || (!lenient && part.length > 1 && part.startsWith("0"))) return undefined;
    value = (value << 8n) | BigInt(number);
  }
  return value;
}

function parseGroups(text: string, lenient: boolean): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    if (part.includes(".")) {
      const last = at === parts.length - 1 ? parseIpv4(part, lenient) : undefined;
      if (last === undefined) return undefined;
      groups.push(last >> 16n, last & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function parseIpv6(text: string, lenient: boolean): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] as string, lenient);
  const tail = halves.length === 2 ? parseGroups(halves[1] as string, lenient) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const zeros = new Array<bigint>(missing).fill(0n);
  return [...head, ...zeros, ...tail].reduce((value, group) => (value << 16n) | group, 0n);
}

export function parseIp(text: string, { lenient = false } = {}): Ip | undefined {
  const family = text.includes(":") ? "IPv6" : "IPv4";
  const value = family === "IPv6" ? parseIpv6(text, lenient) : parseIpv4(text, lenient);
  return value === undefined ? undefined : { family, value };
}

export function parseCidr(text: string, options: { lenient?: boolean } = {}): Cidr | undefined {
  const slash = text.indexOf("/");
  const ip = slash < 0 ? undefined : parseIp(text.slice(0, slash), options);
  const length = text.slice(slash + 1);
  if (ip === undefined || !/^\d{1,3}$/.test(length) || (length.length > 1 && length.startsWith("0")))
    return undefined;
  const bits = Number(length);
  return bits <= Number(widths[ip.family]) ? { ip, bits } : undefined;
}

const hostBits = ({ ip, bits }: Cidr): bigint => (1n << (widths[ip.family] - BigInt(bits))) - 1n;

/** The first address of the range. */
export const networkOf = (cidr: Cidr): Ip => ({
  family: cidr.ip.family,
  value: cidr.ip.value & ~hostBits(cidr),
});

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  return ip.family === cidr.ip.family && (ip.value & ~hostBits(cidr)) === networkOf(cidr).value;
}

/** `outer` holds all of `inner`. */
export const cidrCovers = (outer: Cidr, inner: Cidr): boolean =>
  inner.bits >= outer.bits && cidrContains(outer, inner.ip);

/** An IPv4 address written as an IPv6 one (`::ffff:1.2.3.4`). */
export const isMapped = ({ family, value }: Ip): boolean => family === "IPv6" && value >> 32n === 0xffffn;

/** RFC 5952: lower case, the longest run of zeros left out. */
export function formatIp({ family, value }: Ip): string {
  if (family === "IPv4") return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => (value >> BigInt(16 * (7 - at))) & 0xffffn);
  let [start, length] = [-1, 1];
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && groups[end] === 0n) end++;
    if (end - at > length) [start, length] = [at, end - at];
  }
  const hex = groups.map((group) => group.toString(16));
  return start < 0
    ? hex.join(":")
    : `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}
