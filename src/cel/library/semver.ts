// Kubernetes' semver library: versions as semver.org defines them, compared without their build.
import { overload, readsFirst, type Overload } from "../signature.ts";
import { EvaluationError, OpaqueValue } from "../value.ts";

class SemverValue extends OpaqueValue {
  readonly typeName = "kubernetes.Semver";
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];

  constructor(numbers: readonly bigint[], pre: readonly string[]) {
    super();
    this.numbers = numbers;
    this.pre = pre;
  }

  get identity(): string {
    return `${this.numbers.join(".")}-${this.pre.join(".")}`;
  }
}

/** More digits than these are in no number that fits. */
const number = "(0|[1-9]\\d{0,19})";
const shape = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

function parse(text: string, normalize: boolean): SemverValue | undefined {
  const found = shape.exec(normalize ? normalized(text) : text);
  if (found === null) return undefined;
  const numbers = found.slice(1, 4).map(BigInt);
  const pre = found[4]?.split(".") ?? [];
  if (pre.some((part) => /^0\d+$/.test(part)) || numbers.some((one) => one >= 2n ** 64n)) return undefined;
  return new SemverValue(numbers, pre);
}

/** `v1.2` → `1.2.0`, `01.2.3` → `1.2.3` */
function normalized(text: string): string {
  const bare = text.replace(/^v/, "");
  const end = bare.search(/[-+]/);
  const core = end < 0 ? bare : bare.slice(0, end);
  const parts = core.split(".").map((part) => part.replace(/^0+(?=\d+$)/, ""));
  // Only whole versions may have more behind them.
  while (parts.length < 3 && end < 0) parts.push("0");
  return parts.join(".") + (end < 0 ? "" : bare.slice(end));
}

function semver(text: string, normalize = false): SemverValue {
  const found = parse(text, normalize);
  if (found === undefined) throw new EvaluationError(`invalid semantic version ${JSON.stringify(text)}`);
  return found;
}

const sign = (less: boolean, equal: boolean): bigint => (equal ? 0n : less ? -1n : 1n);

function compare(a: SemverValue, b: SemverValue): bigint {
  for (let i = 0; i < 3; i++) {
    const [x = 0n, y = 0n] = [a.numbers[i], b.numbers[i]];
    if (x !== y) return sign(x < y, false);
  }
  // A version before the release is less than the release.
  if (a.pre.length === 0 || b.pre.length === 0)
    return sign(b.pre.length === 0, a.pre.length === b.pre.length);
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = comparePart(a.pre[i] ?? "", b.pre[i] ?? "");
    if (order !== 0n) return order;
  }
  return sign(a.pre.length < b.pre.length, a.pre.length === b.pre.length);
}

function comparePart(x: string, y: string): bigint {
  const [xNumber, yNumber] = [/^\d+$/.test(x), /^\d+$/.test(y)];
  // Numbers without leading zeros: the longer one is the larger.
  if (xNumber && yNumber && x.length !== y.length) return sign(x.length < y.length, false);
  return xNumber === yNumber ? sign(x < y, x === y) : sign(xNumber, false);
}

const type = "kubernetes.Semver";
const part = (at: number) => (value: SemverValue) => value.numbers[at] ?? 0n;
export const semvers: readonly Overload[] = [
  overload(`semver(string): ${type}`, semver, readsFirst),
  overload(`semver(string, bool): ${type}`, semver, readsFirst),
  overload("isSemver(string): bool", (text: string) => parse(text, false) !== undefined, readsFirst),
  overload(
    "isSemver(string, bool): bool",
    (text: string, normalize: boolean) => parse(text, normalize) !== undefined,
    readsFirst,
  ),
  overload(`${type}.major(): int`, part(0)),
  overload(`${type}.minor(): int`, part(1)),
  overload(`${type}.patch(): int`, part(2)),
  overload(`${type}.isGreaterThan(${type}): bool`, (a: SemverValue, b: SemverValue) => compare(a, b) > 0n),
  overload(`${type}.isLessThan(${type}): bool`, (a: SemverValue, b: SemverValue) => compare(a, b) < 0n),
  overload(`${type}.compareTo(${type}): int`, compare),
];
