// One evaluation of a compiled expression: its variables, and what it has cost so far.
import {
  CostExceeded,
  EvaluationError,
  describeKey,
  mapKey,
  noSuchOverload,
  type MapKey,
  type Value,
} from "./value.ts";

export class Evaluation {
  cost = 0;
  /** The variables of the macros around, from the outermost. */
  readonly slots: Value[] = [];
  private readonly limit: number;
  private readonly lookUp: (name: string) => Value | undefined;

  constructor(lookUp: (name: string) => Value | undefined, limit: number) {
    this.lookUp = lookUp;
    this.limit = limit;
  }

  spend(units: number): void {
    this.cost += units;
    if (this.cost > this.limit) throw new CostExceeded();
  }

  variable(name: string): Value {
    const value = this.lookUp(name);
    if (value === undefined) throw new EvaluationError(`no such attribute(s): ${name}`);
    return value;
  }
}

export type Program = (evaluation: Evaluation) => Value;

/** Which slots hold which variables of macros. */
export type Scope = ReadonlyMap<string, number>;

export const nameCost = 1;
export const literalCosts = { list: 10, map: 30, struct: 40 };

/** An error of the evaluation as a value: others (a spent budget) go through. */
export function boolOrError(program: Program, evaluation: Evaluation): boolean | EvaluationError {
  try {
    const value = program(evaluation);
    return typeof value === "boolean" ? value : noSuchOverload();
  } catch (thrown) {
    if (thrown instanceof EvaluationError) return thrown;
    throw thrown;
  }
}

/** Adds an entry to a map in the making; a key may stand there once. */
export function insert(made: Map<MapKey, readonly [Value, Value]>, key: Value, value: Value): void {
  const known = mapKey(key);
  if (known === undefined) throw new EvaluationError("unsupported key type");
  if (made.has(known)) throw new EvaluationError(`insert failed: key ${describeKey(key)} already exists`);
  made.set(known, [key, value]);
}
