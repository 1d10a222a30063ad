// Which version of an API is preferred: stable before beta before alpha, the newer ones first, then other names. Pure.

const known = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const stability: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

function partsOf(name: string): readonly number[] | undefined {
  const match = known.exec(name);
  if (match === null) return undefined;
  const [, major, stage, minor = "0"] = match;
  return [stage === undefined ? 2 : (stability[stage] ?? 0), Number(major), Number(minor)];
}

/** Orders the preferred one first. */
export function compareVersionNames(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  if (left === undefined || right === undefined) {
    if (left === right) return a < b ? -1 : a > b ? 1 : 0;
    return left === undefined ? 1 : -1;
  }
  for (let at = 0; at < left.length; at++) {
    const difference = (right[at] ?? 0) - (left[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
