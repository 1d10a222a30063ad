// Durations as flags take them: `1m30s`, `500ms`, `0`, and why another text is none.

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

export function parseGoDuration(text: string): { readonly ms: number; readonly error?: string } {
  const fail = (why: string): { ms: number; error: string } => ({ ms: 0, error: `time: ${why}` });
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return { ms: 0 };
  if (rest === "") return fail(`invalid duration ${quoted}`);
  let ms = 0;
  while (rest !== "") {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return fail(`invalid duration ${quoted}`);
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return fail(`missing unit in duration ${quoted}`);
    const scale = unitsMs[unit];
    if (scale === undefined) return fail(`unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    ms += Number(number) * scale;
    rest = rest.slice(unit.length);
  }
  return { ms: sign * ms };
}
