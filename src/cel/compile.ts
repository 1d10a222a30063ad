// A checked tree → closures that compute, and count what it costs while they do.
import type { CallExpr, Expr, ListExpr, MapExpr, SelectExpr, StructExpr } from "./ast.ts";
import { compileCall } from "./compile-call.ts";
import { compileMacro } from "./compile-macro.ts";
import { dynType, field, objectType } from "./cel-type.ts";
import { typeIdents } from "./type-idents.ts";
import { boolOrError, insert, literalCosts, nameCost, type Program, type Scope } from "./evaluation.ts";
import {
  BuiltObject,
  EntriesMap,
  EvaluationError,
  ListValue,
  MapValue,
  ObjectValue,
  OptionalValue,
  TypeValue,
  noSuchOverload,
  type MapKey,
  type Value,
} from "./value.ts";

export function compileProgram(expr: Expr, scope: Scope = new Map()): Program {
  switch (expr.kind) {
    case "literal": {
      const { value } = expr;
      return () => value;
    }
    case "ident":
      return compileName(expr.name, scope);
    case "select":
      return expr.resolved === undefined ? compileSelect(expr, scope) : compileName(expr.resolved, scope);
    case "call":
      return compileOperation(expr, scope);
    case "list":
      return compileList(expr, scope);
    case "map":
      return compileMap(expr, scope);
    case "struct":
      return compileStruct(expr, scope);
    case "macro":
      return compileMacro(expr, scope, compileProgram);
  }
}

function compileName(name: string, scope: Scope): Program {
  const slot = scope.get(name);
  if (slot !== undefined)
    return (evaluation) => {
      evaluation.spend(nameCost);
      return evaluation.slots[slot] as Value;
    };
  const type = typeIdents.get(name);
  if (type !== undefined) {
    const value = new TypeValue(type.name);
    return (evaluation) => {
      evaluation.spend(nameCost);
      return value;
    };
  }
  return (evaluation) => {
    evaluation.spend(nameCost);
    return evaluation.variable(name);
  };
}

function fieldOf(operand: Value, field: string): Value | undefined {
  if (operand instanceof ObjectValue || operand instanceof MapValue) return operand.get(field);
  throw noSuchOverload();
}

const optionally = (value: Value | undefined): OptionalValue =>
  value === undefined ? OptionalValue.none : OptionalValue.of(value);

function compileSelect({ operand, field, test, optional }: SelectExpr, scope: Scope): Program {
  const inner = compileProgram(operand, scope);
  if (test) {
    return (evaluation) => {
      const value = inner(evaluation);
      evaluation.spend(nameCost);
      if (value instanceof OptionalValue) return value.present && fieldOf(value.value, field) !== undefined;
      return fieldOf(value, field) !== undefined;
    };
  }
  return (evaluation) => {
    const value = inner(evaluation);
    evaluation.spend(nameCost);
    if (value instanceof OptionalValue)
      return value.present ? optionally(fieldOf(value.value, field)) : OptionalValue.none;
    const found = fieldOf(value, field);
    if (optional) return optionally(found);
    if (found === undefined) throw new EvaluationError(`no such key: ${field}`);
    return found;
  };
}

function compileOperation(expr: CallExpr, scope: Scope): Program {
  const operands = (expr.target === undefined ? expr.args : [expr.target, ...expr.args]).map((operand) =>
    compileProgram(operand, scope),
  );
  const [first, second, third] = operands;
  const name = expr.qualified ?? expr.name;
  if (first !== undefined && second !== undefined) {
    if (name === "_&&_") return either(first, second, false);
    if (name === "_||_") return either(first, second, true);
    if (name === "_?_:_" && third !== undefined) return conditional(first, second, third);
    if ((name === "or" || name === "orValue") && expr.target !== undefined)
      return alternative(first, second, name === "orValue");
  }
  return compileCall(expr.overloads ?? [], operands);
}

/** `&&` and `||`: one side that decides is enough, whatever the other side's error. */
function either(left: Program, right: Program, decisive: boolean): Program {
  return (evaluation) => {
    const a = boolOrError(left, evaluation);
    if (a === decisive) return decisive;
    const b = boolOrError(right, evaluation);
    if (b === decisive) return decisive;
    if (a instanceof EvaluationError) throw a;
    if (b instanceof EvaluationError) throw b;
    return !decisive;
  };
}

function conditional(condition: Program, whenTrue: Program, whenFalse: Program): Program {
  return (evaluation) => {
    const decided = condition(evaluation);
    if (typeof decided !== "boolean") throw noSuchOverload();
    return decided ? whenTrue(evaluation) : whenFalse(evaluation);
  };
}

function alternative(optional: Program, other: Program, unwrapped: boolean): Program {
  return (evaluation) => {
    const value = optional(evaluation);
    if (!(value instanceof OptionalValue)) throw noSuchOverload();
    evaluation.spend(nameCost);
    if (!value.present) return other(evaluation);
    return unwrapped ? value.value : value;
  };
}

/** An entry that may be missing: `[?a]`, `{?"k": a}`. */
function presentValue(value: Value, optional: boolean): Value | undefined {
  if (!optional) return value;
  if (!(value instanceof OptionalValue)) throw noSuchOverload();
  return value.present ? value.value : undefined;
}

function compileList({ elements }: ListExpr, scope: Scope): Program {
  const programs = elements.map(({ value, optional }) => ({
    optional,
    program: compileProgram(value, scope),
  }));
  return (evaluation) => {
    const values: Value[] = [];
    for (const { program, optional } of programs) {
      const value = presentValue(program(evaluation), optional);
      if (value !== undefined) values.push(value);
    }
    evaluation.spend(literalCosts.list);
    return ListValue.of(values);
  };
}

function compileMap({ entries }: MapExpr, scope: Scope): Program {
  const programs = entries.map(({ key, value, optional }) => ({
    optional,
    key: compileProgram(key, scope),
    value: compileProgram(value, scope),
  }));
  return (evaluation) => {
    const made = new Map<MapKey, readonly [Value, Value]>();
    for (const entry of programs) {
      const key = entry.key(evaluation);
      const value = presentValue(entry.value(evaluation), entry.optional);
      if (value !== undefined) insert(made, key, value);
    }
    evaluation.spend(literalCosts.map);
    return new EntriesMap(made);
  };
}

function compileStruct({ name, fields }: StructExpr, scope: Scope): Program {
  const programs = fields.map((one) => ({ ...one, program: compileProgram(one.value, scope) }));
  return (evaluation) => {
    const made = new Map<string, Value>();
    for (const one of programs) {
      const value = presentValue(one.program(evaluation), one.optional);
      if (value === undefined) continue;
      checkNested(name, one.name, value);
      made.set(one.name, value);
    }
    evaluation.spend(literalCosts.struct);
    const type = objectType(
      name,
      [...made.keys()].map((key) => field(key, dynType)),
    );
    return new BuiltObject(type, made);
  };
}

/** An object made in a field, or in a list of it, has the type of that field: `Object.spec` in `Object{spec: …}`. */
function checkNested(name: string, fieldName: string, value: Value): void {
  if (!/^Object(\.|$)/.test(name)) return;
  const items = value instanceof ListValue ? value : [value];
  for (const item of items) {
    if (!(item instanceof BuiltObject) || item.type.name === `${name}.${fieldName}`) continue;
    throw new EvaluationError(
      `unexpected type name "${item.type.name}", expected "${name}.${fieldName}", which matches field name path from root Object type`,
    );
  }
}
