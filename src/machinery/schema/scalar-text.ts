// The special scalars of the API as text: times, durations and base64 in the one form the server writes,
// or the reason why the text is not one. Pure text to text; errors read as Kubernetes clients know them.

export type Canonical = { readonly text: string } | { readonly error: string };

const layouts = {
  time: { layout: "2006-01-02T15:04:05Z07:00", fraction: "optional" },
  microtime: { layout: "2006-01-02T15:04:05.000000Z07:00", fraction: "micro" },
} as const;

const elements: readonly (readonly [string, RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
  ["05", /^\d{2}/],
];

const fast = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** RFC 3339 with seconds, in UTC. */
export function canonicalTime(text: string): Canonical {
  return fast.test(text) ? { text } : parseTime(text, "time");
}

/** RFC 3339 with exactly six digits of fraction, in UTC. */
export function canonicalMicroTime(text: string): Canonical {
  return parseTime(text, "microtime");
}

function parseTime(text: string, kind: "time" | "microtime"): Canonical {
  const { layout, fraction } = layouts[kind];
  const shown = `parsing time ${JSON.stringify(text)}`;
  const cannot = (rest: string, element: string): Canonical => ({
    error: `${shown} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`,
  });
  let rest = text;
  for (const [element, pattern] of elements) {
    const found = pattern.exec(rest);
    if (found === null) return cannot(rest, element);
    rest = rest.slice(found[0].length);
  }
  const digits = /^[.,](\d+)/.exec(rest);
  if (fraction === "micro" && digits?.[1]?.length !== 6) return cannot(rest, ".000000");
  if (digits !== null) rest = rest.slice(digits[0].length);
  const zone = /^(?:Z|[+-]\d{2}:\d{2})/.exec(rest);
  if (zone === null) return cannot(rest, "Z07:00");
  const extra = rest.slice(zone[0].length);
  if (extra !== "") return { error: `${shown}: extra text: ${JSON.stringify(extra)}` };
  const range = outOfRange(text);
  if (range !== undefined) return { error: `${shown}: ${range} out of range` };
  return { text: inUtc(text.slice(0, 19), zone[0], fraction === "micro" ? (digits?.[1] ?? "") : undefined) };
}

function outOfRange(text: string): string | undefined {
  const [year, month, day] = [text.slice(0, 4), text.slice(5, 7), text.slice(8, 10)].map(Number) as [
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12) return "month";
  if (day < 1 || day > daysIn(year, month)) return "day";
  if (Number(text.slice(11, 13)) > 23) return "hour";
  if (Number(text.slice(14, 16)) > 59) return "minute";
  return Number(text.slice(17, 19)) > 59 ? "second" : undefined;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function inUtc(local: string, zone: string, micros: string | undefined): string {
  const fraction = micros === undefined ? "" : `.${micros}`;
  if (zone === "Z") return `${local}${fraction}Z`;
  const sign = zone.startsWith("-") ? 1 : -1;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  const shifted = new Date(Date.parse(`${local}Z`) + sign * minutes * 60_000);
  return `${shifted.toISOString().slice(0, 19)}${fraction}Z`;
}

const unitNanos: { readonly [unit: string]: bigint } = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Nanoseconds of a duration text such as `1h15m30.5s`; undefined when it is not one. */
export function durationNanos(text: string): bigint | undefined {
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let nanos = 0n;
  for (const part of body.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const unit = unitNanos[part[3] ?? "s"] ?? 0n;
    const fraction = part[2] ?? "";
    nanos += BigInt(part[1] === "" ? "0" : (part[1] ?? "0")) * unit;
    if (fraction !== "") nanos += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  }
  return text.startsWith("-") ? -nanos : nanos;
}

/** `1h0m0s`, `1.5s`, `250ms`: how a duration is written. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return "0s";
  const sign = nanos < 0n ? "-" : "";
  const left = nanos < 0n ? -nanos : nanos;
  if (left < 1_000n) return `${sign}${left}ns`;
  if (left < 1_000_000n) return `${sign}${decimal(left, 3)}µs`;
  if (left < 1_000_000_000n) return `${sign}${decimal(left, 6)}ms`;
  const seconds = left % 60_000_000_000n;
  const minutes = left / 60_000_000_000n;
  const head = minutes >= 60n ? `${minutes / 60n}h${minutes % 60n}m` : minutes > 0n ? `${minutes}m` : "";
  return `${sign}${head}${decimal(seconds, 9)}s`;
}

function decimal(value: bigint, places: number): string {
  const text = value.toString().padStart(places + 1, "0");
  const fraction = text.slice(-places).replace(/0+$/, "");
  return fraction === "" ? text.slice(0, -places) : `${text.slice(0, -places)}.${fraction}`;
}

export function canonicalDuration(text: string): Canonical {
  const nanos = durationNanos(text);
  if (nanos !== undefined) return { text: formatDuration(nanos) };
  return { error: `time: invalid duration ${JSON.stringify(text)}` };
}

const base64Text = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Standard base64 with padding; line ends inside are dropped. */
export function canonicalBase64(text: string): Canonical {
  if (base64Text.test(text)) return { text };
  const bare = text.replace(/[\r\n]/g, "");
  if (base64Text.test(bare)) return { text: bare };
  const bad = /[^A-Za-z0-9+/]/.exec(bare);
  return { error: `illegal base64 data at input byte ${bad?.index ?? bare.length - (bare.length % 4)}` };
}
