// What the values of flags mean: durations, numbers, amounts; errors name the flag.

/** A Go duration such as `40s`, `1m30s`, `500ms`, in milliseconds. */
export function parseDuration(text: string, flag: string): number {
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== text)
    throw new Error(`--${flag}: ${JSON.stringify(text)} is not a duration such as 40s or 1m30s`);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit as string] as number), 0);
}

export function parseNumber(text: string, flag: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${flag} takes a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}
