// IP addresses and ranges in fields: which are valid, and which are taken as they are but should be written otherwise. Pure.

import { formatIp, networkOf, parseCidr, parseIp } from "#base/ip.ts";
import { invalid, type FieldError } from "#machinery/field-error.ts";

export const notAnIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const notACidr = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** Addresses in older fields may have leading zeros. */
export const ipAddress = (value: string, path: string, { lenient = false } = {}): FieldError[] =>
  parseIp(value, { lenient }) === undefined ? [invalid(path, value, notAnIp)] : [];

export const cidrRange = (value: string, path: string, { lenient = false } = {}): FieldError[] =>
  parseCidr(value, { lenient }) === undefined ? [invalid(path, value, notACidr)] : [];

const future = "will be considered invalid in a future Kubernetes release";

export function cidrWarnings(text: string, path: string): string[] {
  const cidr = parseCidr(text, { lenient: true });
  if (cidr === undefined) return [];
  const { ip, bits } = cidr;
  const network = formatIp(networkOf(cidr));
  const canonical = `${network}/${bits}`;
  if (parseCidr(text) === undefined)
    return [
      `${path}: non-standard CIDR value ${JSON.stringify(text)} ${future}: use ${JSON.stringify(canonical)}`,
    ];
  if (network !== formatIp(ip)) {
    const whole = ip.family === "IPv4" ? 32 : 128;
    return [
      `${path}: CIDR value ${JSON.stringify(text)} is ambiguous in this context (should be ${JSON.stringify(canonical)} or ${JSON.stringify(`${formatIp(ip)}/${whole}`)}?)`,
    ];
  }
  return ip.family === "IPv6" && canonical !== text
    ? [
        `${path}: IPv6 CIDR value ${JSON.stringify(text)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`,
      ]
    : [];
}

/** Why this is not the one way in which this address is written, or nothing. */
export function notCanonical(text: string): string[] {
  const ip = parseIp(text);
  if (ip === undefined) return [];
  const canonical = formatIp(ip);
  return canonical === text ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}
