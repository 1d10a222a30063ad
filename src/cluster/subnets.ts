// IPv4 subnet arithmetic for plans. Pure.

export interface Subnet {
  /** The network address as a number. */
  readonly base: number;
  readonly prefixLength: number;
  readonly size: number;
}

export function parseAddress(text: string): number {
  const parts = text.split(".");
  const octets = parts.map(Number);
  const valid =
    parts.length === 4 && parts.every((part, i) => /^\d{1,3}$/.test(part) && (octets[i] as number) < 256);
  if (!valid) throw new Error(`not an IPv4 address: ${text}`);
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

export function parseSubnet(text: string): Subnet {
  const [address = "", length = "32"] = text.split("/");
  const prefixLength = Number(length);
  if (!/^\d{1,2}$/.test(length) || prefixLength > 32) throw new Error(`not an IPv4 subnet: ${text}`);
  const size = 2 ** (32 - prefixLength);
  const value = parseAddress(address);
  return { base: value - (value % size), prefixLength, size };
}

/** The address at `offset` from the start of the subnet. */
export function addressAt(subnet: string, offset: number): string {
  const { base, size } = parseSubnet(subnet);
  if (offset < 0 || offset >= size) throw new Error(`${subnet} has no address number ${offset}`);
  return formatAddress(base + offset);
}

/** The `index`-th subnet of that length inside `subnet`. A subnet of that length is its own only one. */
export function subnetOf(subnet: string, prefixLength: number, index: number): string {
  const outer = parseSubnet(subnet);
  if (outer.prefixLength === prefixLength) return `${formatAddress(outer.base)}/${prefixLength}`;
  const start = outer.base + index * 2 ** (32 - prefixLength);
  if (start >= outer.base + outer.size) throw new Error(`${subnet} has no /${prefixLength} number ${index}`);
  return `${formatAddress(start)}/${prefixLength}`;
}

export function overlaps(a: string, b: string): boolean {
  const left = parseSubnet(a);
  const right = parseSubnet(b);
  return left.base < right.base + right.size && right.base < left.base + left.size;
}
