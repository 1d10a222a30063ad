// Macros → closures. Each loop charges what the loop that the language defines it by would: its counter, its
// condition, what it builds.
import type { Expr, MacroExpr } from "./ast.ts";
import {
  boolOrError,
  insert,
  literalCosts,
  nameCost,
  type Evaluation,
  type Program,
  type Scope,
} from "./evaluation.ts";
import { macroCosts } from "./macro-costs.ts";
import {
  EntriesMap,
  EvaluationError,
  ListValue,
  MapValue,
  OptionalValue,
  noSuchOverload,
  type MapKey,
  type Value,
} from "./value.ts";

/** Sets the variables for each round; `body` answers whether to go on. */
type Loop = (evaluation: Evaluation, range: Value, body: () => boolean) => void;

export function compileMacro(
  expr: MacroExpr,
  scope: Scope,
  compileProgram: (expr: Expr, scope: Scope) => Program,
): Program {
  const range = compileProgram(expr.range, scope);
  const depth = scope.size === 0 ? 0 : Math.max(...scope.values()) + 1;
  const inner = new Map(scope);
  expr.vars.forEach((name, i) => inner.set(name, depth + i));
  const body = compileProgram(expr.body, inner);
  const filter = expr.filter === undefined ? undefined : compileProgram(expr.filter, inner);
  const loop = loopOver(depth, expr.vars.length);
  switch (expr.macro) {
    case "all":
      return quantifier(range, loop, body, false, macroCosts.all);
    case "exists":
      return quantifier(range, loop, body, true, macroCosts.exists);
    case "existsOne":
      return existsOne(range, loop, body);
    case "filter":
      return keepWhere(range, loop, body, depth);
    case "map":
    case "transformList":
      return toList(range, loop, body, filter);
    case "transformMap":
      return toMap(range, loop, filter, (evaluation, made) => {
        evaluation.spend(nameCost);
        insert(made, evaluation.slots[depth] as Value, body(evaluation));
      });
    case "transformMapEntry":
      return toMap(range, loop, filter, (evaluation, made) => {
        const entries = body(evaluation);
        if (!(entries instanceof MapValue)) throw noSuchOverload();
        for (const [key, value] of entries.entries()) insert(made, key, value);
      });
    case "bind":
      return (evaluation) => {
        evaluation.slots[depth] = range(evaluation);
        return body(evaluation);
      };
    case "optMap":
    case "optFlatMap":
      return ofOptional(range, body, depth, expr.macro === "optFlatMap");
  }
}

function loopOver(depth: number, variables: number): Loop {
  return (evaluation, range, body) => {
    const { slots } = evaluation;
    if (range instanceof ListValue) {
      for (let i = 0; i < range.length; i++) {
        if (variables === 2) slots[depth] = BigInt(i);
        slots[depth + variables - 1] = range.at(i);
        if (!body()) return;
      }
    } else if (range instanceof MapValue) {
      for (const key of range.keys()) {
        slots[depth] = key;
        if (variables === 2) slots[depth + 1] = range.get(key) as Value;
        if (!body()) return;
      }
    } else throw noSuchOverload();
  };
}

/** `all` ends at the first false, `exists` at the first true; errors count only where nothing ends it. */
function quantifier(
  range: Program,
  loop: Loop,
  predicate: Program,
  decisive: boolean,
  cost: { readonly round: number; readonly result: number },
): Program {
  return (evaluation) => {
    let failure: EvaluationError | undefined;
    let decided = false;
    loop(evaluation, range(evaluation), () => {
      evaluation.spend(cost.round);
      const value = boolOrError(predicate, evaluation);
      if (value === decisive) decided = true;
      else if (value instanceof EvaluationError) failure ??= value;
      return !decided;
    });
    evaluation.spend(cost.result);
    if (decided) return decisive;
    if (failure !== undefined) throw failure;
    return !decisive;
  };
}

function expectBool(value: Value): boolean {
  if (typeof value !== "boolean") throw noSuchOverload();
  return value;
}

function existsOne(range: Program, loop: Loop, predicate: Program): Program {
  return (evaluation) => {
    let count = 0;
    loop(evaluation, range(evaluation), () => {
      const found = expectBool(predicate(evaluation));
      if (found) count++;
      evaluation.spend(found ? macroCosts.existsOne.taken : macroCosts.existsOne.skipped);
      return true;
    });
    evaluation.spend(macroCosts.existsOne.result);
    return count === 1;
  };
}

function keepWhere(range: Program, loop: Loop, predicate: Program, slot: number): Program {
  return (evaluation) => {
    const kept: Value[] = [];
    const over = range(evaluation);
    evaluation.spend(literalCosts.list);
    loop(evaluation, over, () => {
      const found = expectBool(predicate(evaluation));
      if (found) kept.push(evaluation.slots[slot] as Value);
      evaluation.spend(found ? macroCosts.filter.taken : macroCosts.filter.skipped);
      return true;
    });
    evaluation.spend(nameCost);
    return ListValue.of(kept);
  };
}

function toList(range: Program, loop: Loop, body: Program, filter: Program | undefined): Program {
  return (evaluation) => {
    const made: Value[] = [];
    const over = range(evaluation);
    evaluation.spend(literalCosts.list);
    loop(evaluation, over, () => {
      if (filter !== undefined && !expectBool(filter(evaluation))) {
        evaluation.spend(macroCosts.map.skipped);
        return true;
      }
      made.push(body(evaluation));
      evaluation.spend(macroCosts.map.taken);
      return true;
    });
    evaluation.spend(nameCost);
    return ListValue.of(made);
  };
}

function toMap(
  range: Program,
  loop: Loop,
  filter: Program | undefined,
  add: (evaluation: Evaluation, made: Map<MapKey, readonly [Value, Value]>) => void,
): Program {
  return (evaluation) => {
    const made = new Map<MapKey, readonly [Value, Value]>();
    const over = range(evaluation);
    evaluation.spend(literalCosts.map);
    loop(evaluation, over, () => {
      if (filter !== undefined && !expectBool(filter(evaluation))) {
        evaluation.spend(macroCosts.transformMap.skipped);
        return true;
      }
      add(evaluation, made);
      evaluation.spend(macroCosts.transformMap.taken);
      return true;
    });
    evaluation.spend(nameCost);
    return new EntriesMap(made);
  };
}

function ofOptional(range: Program, body: Program, slot: number, flat: boolean): Program {
  return (evaluation) => {
    const optional = range(evaluation);
    if (!(optional instanceof OptionalValue)) throw noSuchOverload();
    evaluation.spend(nameCost);
    if (!optional.present) return OptionalValue.none;
    evaluation.slots[slot] = optional.value;
    const value = body(evaluation);
    return flat ? value : OptionalValue.of(value);
  };
}
