// The formats that a schema may ask of a text. Ones that nobody knows ask nothing. Pure.

import { isIP } from "node:net";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const uuid = (version: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, "i");
const hostname =
  /^([a-zA-Z0-9\u00a0-\uffff][a-zA-Z0-9\-\u00a0-\uffff]{0,62})(\.[a-zA-Z0-9\u00a0-\uffff][a-zA-Z0-9\-\u00a0-\uffff]{0,62})*\.?$/;
const dateTime = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const duration =
  /^[-+]?(\d+(\.\d*)?|\.\d+)\s*(ns|us|µs|ms|s|m|h|d|w|nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|weeks?)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w))*$/;

function isDate(year: string, month: string, day: string): boolean {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

function isDateTime(text: string): boolean {
  const match = dateTime.exec(text);
  if (match === null) return false;
  const [, year = "", month = "", day = "", hour, minute, second] = match;
  return isDate(year, month, day) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  const version = isIP(address);
  return (
    version !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
  );
}

const matches =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

const known: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": isDateTime,
  date: (text) => {
    const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
    return match !== null && isDate(match[1] ?? "", match[2] ?? "", match[3] ?? "");
  },
  duration: (text) => text === "0" || duration.test(text),
  email: matches(/^[^\s@<>()[\],;:"\\]+(\.[^\s@<>()[\],;:"\\]+)*@[a-zA-Z0-9.-]+$/),
  hostname: (text) => text.length <= 255 && hostname.test(text),
  ipv4: (text) => isIP(text) === 4,
  ipv6: (text) => isIP(text) === 6,
  ip: (text) => isIP(text) !== 0,
  cidr: isCidr,
  mac: matches(
    /^([0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(\2[0-9a-fA-F]{2}){4,6}|([0-9a-fA-F]{4}\.){2,3}[0-9a-fA-F]{4})$/,
  ),
  uri: (text) => URL.canParse(text) || /^\/[^\s]*$/.test(text),
  uuid: matches(uuid("[0-9a-f]")),
  uuid3: matches(uuid("3")),
  uuid4: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  uuid5: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  byte: matches(/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  bsonobjectid: matches(/^[0-9a-f]{24}$/),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matches(
    /^rgb\(\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*,\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*\)$/,
  ),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  "k8s-short-name": (text) => text.length <= 63 && new RegExp(`^${label}$`).test(text),
  "k8s-long-name": (text) => text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(text),
};

export const isFormatted = (format: string, text: string): boolean =>
  Object.hasOwn(known, format) ? (known[format] as (text: string) => boolean)(text) : true;

const limits: Readonly<Record<string, number>> = {
  int32: 2 ** 31,
  int64: 2 ** 63,
  uint32: 2 ** 32,
  uint64: 2 ** 64,
};

/** Whether a number is in the range that its format has. */
export function isInRange(format: string, value: number): boolean {
  const limit = Object.hasOwn(limits, format) ? (limits[format] as number) : undefined;
  if (limit === undefined) return format !== "float" || Math.abs(value) <= 3.4028234663852886e38;
  return Number.isInteger(value) && value < limit && value >= (format.startsWith("u") ? 0 : -limit);
}
