// IP addresses and ranges in fields: which are valid, and which are taken as they are but should be written otherwise. Pure.

import { formatIp, networkOf, parseCidr, parseIp } from "#base/ip.ts";
import { invalid, type FieldError } from "#machinery/field-error.ts";
import type { KubeObject } from "#machinery/meta.ts";

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

/** Addresses that mean something to every machine, and so cannot stand for another. */
const specialAddresses: readonly (readonly [RegExp, string])[] = [
  [/^(0\.0\.0\.0|::)$/, "may not be unspecified (0.0.0.0 or ::)"],
  [/^(127\.|::1$)/, "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [/^(169\.254\.|fe[89ab].:)/i, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [/^(224\.0\.0\.|ff02:)/i, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];

/** Why this address is not one of somebody else, or nothing. */
export const specialAddress = (value: string, path: string): FieldError[] =>
  specialAddresses.filter(([pattern]) => pattern.test(value)).map(([, why]) => invalid(path, value, why));

/** The endpoints of the API server itself: one that serves its own machine alone is at the loopback address. */
export const isOwnEndpoint = ({ metadata }: KubeObject): boolean =>
  metadata?.namespace === "default" && metadata.name === "kubernetes";
