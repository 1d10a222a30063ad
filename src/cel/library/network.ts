// Kubernetes' IP and CIDR libraries.
import { overload, readsFirst, type Overload } from "../signature.ts";
import { EvaluationError, OpaqueValue } from "../value.ts";
import { formatIp, parseIp, type Ip } from "../ip-text.ts";

class IpValue extends OpaqueValue {
  readonly typeName = "net.IP";
  readonly ip: Ip;
  constructor(ip: Ip) {
    super();
    this.ip = ip;
  }
  get identity(): string {
    return formatIp(this.ip);
  }
}

class CidrValue extends OpaqueValue {
  readonly typeName = "net.CIDR";
  readonly ip: Ip;
  readonly bits: number;
  constructor(ip: Ip, bits: number) {
    super();
    this.ip = ip;
    this.bits = bits;
  }
  get identity(): string {
    return `${formatIp(this.ip)}/${this.bits}`;
  }
}

const width = ({ family }: Ip): number => (family === 4 ? 32 : 128);

function ip(text: string): IpValue {
  const parsed = parseIp(text);
  if (parsed === undefined)
    throw new EvaluationError(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return new IpValue(parsed);
}

function parseCidr(text: string): CidrValue | undefined {
  const found = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = found === null ? undefined : parseIp(found[1] ?? "");
  const bits = Number(found?.[2]);
  return address === undefined || bits > width(address) ? undefined : new CidrValue(address, bits);
}

function cidr(text: string): CidrValue {
  const parsed = parseCidr(text);
  if (parsed === undefined)
    throw new EvaluationError("network address parse error during conversion from string");
  return parsed;
}

/** The part of an address that its network shares. */
const prefix = (address: Ip, bits: number): bigint => address.value >> BigInt(width(address) - bits);

const containsIp = (net: CidrValue, { ip: address }: IpValue): boolean =>
  net.ip.family === address.family && prefix(net.ip, net.bits) === prefix(address, net.bits);
const containsCidr = (net: CidrValue, other: CidrValue): boolean =>
  other.bits >= net.bits &&
  net.ip.family === other.ip.family &&
  prefix(net.ip, net.bits) === prefix(other.ip, net.bits);

function masked({ ip: address, bits }: CidrValue): CidrValue {
  const shift = BigInt(width(address) - bits);
  return new CidrValue({ ...address, value: (address.value >> shift) << shift }, bits);
}

const within =
  (...networks: readonly string[]) =>
  ({ ip: address }: IpValue): boolean =>
    networks.some((text) => {
      const net = cidr(text);
      return net.ip.family === address.family && prefix(net.ip, net.bits) === prefix(address, net.bits);
    });
const isUnspecified = within("0.0.0.0/32", "::/128");
const isLoopback = within("127.0.0.0/8", "::1/128");
const isLinkLocalMulticast = within("224.0.0.0/24", "ff02::/16", "ff12::/16");
const isLinkLocalUnicast = within("169.254.0.0/16", "fe80::/10");
const isMulticast = within("224.0.0.0/4", "ff00::/8");
const isBroadcast = within("255.255.255.255/32");
const isGlobalUnicast = (value: IpValue): boolean =>
  ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((is) => is(value));

function isCanonical(text: string): boolean {
  return ip(text).identity === text;
}

export const ips: readonly Overload[] = [
  overload("isIP(string): bool", (text: string) => parseIp(text) !== undefined, readsFirst),
  overload("ip(string): net.IP", ip, readsFirst),
  overload("ip::isCanonical(string): bool", isCanonical, readsFirst),
  overload(
    "string(net.IP): string",
    (value: IpValue) => value.identity,
    undefined,
    () => 39,
  ),
  overload("net.IP.family(): int", (value: IpValue) => BigInt(value.ip.family)),
  overload("net.IP.isUnspecified(): bool", isUnspecified),
  overload("net.IP.isLoopback(): bool", isLoopback),
  overload("net.IP.isLinkLocalMulticast(): bool", isLinkLocalMulticast),
  overload("net.IP.isLinkLocalUnicast(): bool", isLinkLocalUnicast),
  overload("net.IP.isGlobalUnicast(): bool", isGlobalUnicast),
];

export const cidrs: readonly Overload[] = [
  overload("isCIDR(string): bool", (text: string) => parseCidr(text) !== undefined, readsFirst),
  overload("cidr(string): net.CIDR", cidr, readsFirst),
  overload(
    "string(net.CIDR): string",
    (value: CidrValue) => value.identity,
    undefined,
    () => 43,
  ),
  overload("net.CIDR.containsIP(net.IP): bool", containsIp),
  overload("net.CIDR.containsIP(string): bool", (net: CidrValue, text: string) => containsIp(net, ip(text))),
  overload("net.CIDR.containsCIDR(net.CIDR): bool", containsCidr),
  overload("net.CIDR.containsCIDR(string): bool", (net: CidrValue, text: string) =>
    containsCidr(net, cidr(text)),
  ),
  overload("net.CIDR.ip(): net.IP", (value: CidrValue) => new IpValue(value.ip)),
  overload("net.CIDR.masked(): net.CIDR", masked),
  overload("net.CIDR.prefixLength(): int", (value: CidrValue) => BigInt(value.bits)),
];
