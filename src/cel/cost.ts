// The most that an expression can cost: the same rules as at run time, over the sizes that its types allow. A size of
// which nothing is known is without bound.
import type { CallExpr, Expr, MacroExpr } from "./ast.ts";
import type { CelType } from "./cel-type.ts";
import { literalCosts, nameCost } from "./evaluation.ts";
import { macroCosts } from "./macro-costs.ts";
import { stringFactor, type Sizes } from "./signature.ts";

interface Estimate {
  readonly cost: number;
  /** Characters, bytes, items: of what it evaluates to. */
  readonly size: number;
}

/** As good as without bound, and finite: products of it stay numbers that can be compared. */
const unbounded = 2 ** 64;
const bounded = (value: number): number => (value < unbounded ? value : unbounded);

const scalars: ReadonlySet<CelType["kind"]> = new Set([
  "bool",
  "int",
  "uint",
  "double",
  "timestamp",
  "duration",
  "null",
  "object",
  "opaque",
  "type",
]);

/** What a type alone says of the size of its values. */
function typeSize(type: CelType | undefined): number {
  if (type === undefined) return unbounded;
  if (scalars.has(type.kind)) return 1;
  return type.max ?? unbounded;
}

export const estimateCost = (expr: Expr): number => bounded(estimate(expr).cost);

function estimate(expr: Expr): Estimate {
  const size = typeSize(expr.type);
  switch (expr.kind) {
    case "literal":
      return { cost: 0, size: literalSize(expr.value) };
    case "ident":
      return { cost: nameCost, size };
    case "select":
      if (expr.resolved !== undefined) return { cost: nameCost, size };
      return { cost: estimate(expr.operand).cost + nameCost, size };
    case "call":
      return estimateCall(expr);
    case "list":
      return {
        cost: total(expr.elements.map(({ value }) => value)) + literalCosts.list,
        size: expr.elements.length,
      };
    case "map":
      return {
        cost: total(expr.entries.flatMap(({ key, value }) => [key, value])) + literalCosts.map,
        size: expr.entries.length,
      };
    case "struct":
      return { cost: total(expr.fields.map(({ value }) => value)) + literalCosts.struct, size: 1 };
    case "macro":
      return estimateMacro(expr);
  }
}

const total = (exprs: readonly Expr[]): number => exprs.reduce((sum, expr) => sum + estimate(expr).cost, 0);

function literalSize(value: unknown): number {
  if (typeof value === "string") return value.length;
  return value instanceof Uint8Array ? value.length : 1;
}

function estimateCall(expr: CallExpr): Estimate {
  const operands = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
  const estimates = operands.map(estimate);
  const [first, second, third] = estimates.map(({ cost }) => cost) as [number, number, number];
  const name = expr.qualified ?? expr.name;
  if (name === "_&&_" || name === "_||_") return { cost: first + second, size: 1 };
  if (name === "_?_:_") {
    const size = Math.max(estimates[1]?.size ?? unbounded, estimates[2]?.size ?? unbounded);
    return { cost: first + Math.max(second, third), size };
  }
  const sizes = new LargestSizes(operands, estimates);
  const overloads = expr.overloads ?? [];
  const own = Math.max(1, ...overloads.map(({ cost }) => (cost === undefined ? 1 : cost(sizes))));
  const declared = typeSize(expr.type);
  const computed = overloads.map(({ resultSize }) => resultSize?.(sizes) ?? declared);
  const size = Math.min(declared, Math.max(0, ...computed));
  return { cost: bounded(estimates.reduce((sum, { cost }) => sum + cost, 0) + own), size: bounded(size) };
}

class LargestSizes implements Sizes {
  private readonly operands: readonly Expr[];
  private readonly estimates: readonly Estimate[];

  constructor(operands: readonly Expr[], estimates: readonly Estimate[]) {
    this.operands = operands;
    this.estimates = estimates;
  }

  size(argument: number): number {
    return this.estimates[argument]?.size ?? unbounded;
  }

  traversal(argument: number): number {
    return bounded(traversal(this.operands[argument]?.type, this.size(argument)));
  }
}

function traversal(type: CelType | undefined, size: number): number {
  if (type?.kind === "list") return size * Math.max(1, traversal(type.element, typeSize(type.element)));
  if (type?.kind === "string" || type?.kind === "bytes") return Math.ceil(size * stringFactor);
  return type?.kind === "dyn" ? size : 1;
}

function estimateMacro(expr: MacroExpr): Estimate {
  const range = estimate(expr.range);
  const body = estimate(expr.body);
  const filter = expr.filter === undefined ? 0 : estimate(expr.filter).cost;
  if (expr.macro === "bind") return { cost: bounded(range.cost + body.cost), size: body.size };
  if (expr.macro === "optMap" || expr.macro === "optFlatMap")
    return { cost: range.cost + body.cost + nameCost, size: typeSize(expr.type) };
  const { round, around } = roundCost(expr);
  const cost = range.cost + around + bounded(range.size * (round + filter + body.cost));
  const collects = expr.type?.kind === "list" || expr.type?.kind === "map";
  return { cost: bounded(cost), size: collects ? range.size : 1 };
}

/** Of the macro itself: each round, and once. */
function roundCost({ macro }: MacroExpr): { readonly round: number; readonly around: number } {
  switch (macro) {
    case "all":
    case "exists":
      return { round: macroCosts[macro].round, around: macroCosts[macro].result };
    case "existsOne":
      return { round: macroCosts.existsOne.taken, around: macroCosts.existsOne.result };
    case "filter":
      return { round: macroCosts.filter.taken, around: literalCosts.list + nameCost };
    case "map":
    case "transformList":
      return { round: macroCosts.map.taken, around: literalCosts.list + nameCost };
    default:
      return { round: macroCosts.transformMap.taken + nameCost, around: literalCosts.map + nameCost };
  }
}
