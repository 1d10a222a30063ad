// What all policies of admission share: expressions that see the request and the policy's variables, compiled with
// what is wrong with them; conditions; and the budget of one request.
import { child, index, invalid, type FieldError } from "#machinery/field-error.ts";
import { toError } from "#base/assert.ts";
import {
  admissionValue,
  admissionVariables,
  type AdmissionFacts,
  type KnownTypes,
} from "./admission-variables.ts";
import { field, objectType, typeName, type FieldDecl, type ObjectType } from "./cel-type.ts";
import type { Structs } from "./check.ts";
import { compileExpression, perCallLimit, type Expression, type Variables } from "./expression.ts";
import { CostExceeded, EvaluationError, LazyObject, type Value } from "./value.ts";

/** What all expressions of one policy may cost for one request; its match conditions have their own. */
const policyCostBudget = 10_000_000;
const conditionsCostBudget = 2_500_000;

export interface Named {
  readonly name: string;
  readonly expression: string;
}
export type Matching =
  /** `false`: a condition says that the policy is not about this request. */
  | { readonly matched: boolean; readonly error?: undefined }
  | { readonly matched?: undefined; readonly error: string };

export class PolicyCompiler {
  readonly errors: FieldError[] = [];
  private readonly hasParams: boolean;
  private readonly structs: Structs | undefined;
  private readonly known: KnownTypes;
  private readonly fields: FieldDecl[] = [];

  constructor(hasParams: boolean, structs?: Structs, known: KnownTypes = {}) {
    this.hasParams = hasParams;
    this.structs = structs;
    this.known = known;
  }

  variablesType(): ObjectType {
    return objectType("kubernetes.variables", this.fields);
  }

  private get declared(): Variables {
    return admissionVariables(this.hasParams, this.variablesType(), this.known);
  }

  /** `wanted`: names of types, the first of them the one that is asked for; none where any will do. */
  compile(text: string, path: string, wanted: readonly string[]): Expression | undefined {
    // That there is one is the kind's own to say.
    if (text.trim() === "") return undefined;
    const { expression, error } = compileExpression(text, this.declared, { structs: this.structs });
    if (expression === undefined) {
      this.errors.push(invalid(path, text, `compilation failed: ${error}`));
      return undefined;
    }
    if (wanted.length === 0 || wanted.includes(typeName(expression.type))) return expression;
    const names = wanted.map((name) => (name === "null" ? "null_type" : name));
    const one = names.length === 1 ? (names[0] ?? "") : `one of [${names.join(" ")}]`;
    this.errors.push(invalid(path, text, `must evaluate to ${one}`));
    return undefined;
  }

  /** From here on expressions see the variable. */
  variable({ name, expression }: Named, path: string): readonly [string, Expression | undefined] {
    const program = this.compile(expression, child(path, "expression"), []);
    if (program !== undefined) this.fields.push(field(name, program.type));
    return [name, program];
  }
}

/** What of every policy's `spec` is in expressions. */
export interface PolicyFrameSpec {
  readonly paramKind?: object;
  readonly variables?: readonly Named[];
  readonly matchConditions?: readonly Named[];
}

/** The variables and conditions of a policy; its own expressions are compiled with `compiler`. */
export interface PolicyFrame {
  readonly compiler: PolicyCompiler;
  /** Asks the match conditions. */
  matches(facts: AdmissionFacts): Matching;
  /** For the policy's own expressions. */
  run(facts: AdmissionFacts): PolicyRun;
}

export function compileFrame(
  spec: PolicyFrameSpec,
  path: string,
  { structs, known }: { readonly structs?: Structs; readonly known?: KnownTypes } = {},
): PolicyFrame {
  const compiler = new PolicyCompiler(spec.paramKind !== undefined, structs, known);
  const variables = new Map(
    (spec.variables ?? []).map((one, i) => compiler.variable(one, index(child(path, "variables"), i))),
  );
  const conditions = compileConditions(compiler, spec.matchConditions ?? [], child(path, "matchConditions"));
  const type = compiler.variablesType();
  return {
    compiler,
    matches: (facts) => matching(conditions, new PolicyRun(facts, variables, type, conditionsCostBudget)),
    run: (facts) => new PolicyRun(facts, variables, type, policyCostBudget),
  };
}

/** One request: its variables are computed once, and all that is evaluated shares a budget. */
export class PolicyRun {
  private readonly facts: AdmissionFacts;
  private readonly variables: LazyObject;
  private remaining: number;

  constructor(
    facts: AdmissionFacts,
    programs: ReadonlyMap<string, Expression | undefined>,
    type: ObjectType,
    budget: number,
  ) {
    this.facts = facts;
    this.remaining = budget;
    this.variables = new LazyObject(type, (name) => {
      const program = programs.get(name);
      return program === undefined ? undefined : this.evaluate(program);
    });
  }

  evaluate(program: Expression): Value {
    if (this.remaining < 0) throw new CostExceeded();
    let cost = 0;
    try {
      return program.evaluate(
        (name) => (name === "variables" ? this.variables : admissionValue(this.facts, name)),
        Math.min(perCallLimit, this.remaining),
        (spent) => (cost = spent),
      );
    } finally {
      this.remaining -= cost;
    }
  }
}

const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** What an evaluation's end without an answer is called; anything that is not the expression's fault goes through. */
export function errorText(thrown: unknown, expression: string): string {
  if (thrown instanceof CostExceeded) return outOfBudget;
  if (thrown instanceof EvaluationError)
    return `expression '${expression}' resulted in error: ${toError(thrown).message}`;
  throw thrown;
}

interface CompiledCondition extends Named {
  readonly program: Expression | undefined;
}
const compileConditions = (
  compiler: PolicyCompiler,
  conditions: readonly Named[],
  path: string,
): CompiledCondition[] =>
  conditions.map((one, i) => ({
    ...one,
    program: compiler.compile(one.expression, child(index(path, i), "expression"), ["bool"]),
  }));

function matching(conditions: readonly CompiledCondition[], run: PolicyRun): Matching {
  const errors: string[] = [];
  for (const { program, expression } of conditions) {
    if (program === undefined) {
      errors.push(`expression '${expression}' cannot be compiled`);
      continue;
    }
    try {
      if (run.evaluate(program) !== true) return { matched: false };
    } catch (thrown) {
      errors.push(errorText(thrown, expression));
    }
  }
  if (errors.length === 0) return { matched: true };
  return { error: errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]` };
}

/** Match conditions alone, as webhooks have them: which see no `params` and no `variables`. */
export function compileMatchConditions(
  conditions: readonly Named[],
  path: string,
): { readonly errors: readonly FieldError[]; matches(facts: AdmissionFacts): Matching } {
  const compiler = new PolicyCompiler(false);
  const compiled = compileConditions(compiler, conditions, path);
  const type = compiler.variablesType();
  return {
    errors: compiler.errors,
    matches: (facts) => matching(compiled, new PolicyRun(facts, new Map(), type, conditionsCostBudget)),
  };
}
