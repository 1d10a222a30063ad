// The expressions of an admission policy: compiled once, with what is wrong with them; then asked about requests.
// Pure: what a denial does to the request is decided where the policy is bound.
import { child, index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { toError } from "#base/assert.ts";
import { admissionValue, admissionVariables, type AdmissionFacts } from "./admission-variables.ts";
import { field, objectType, type CelType, type FieldDecl } from "./cel-type.ts";
import { compileExpression, perCallLimit, type Expression, type Variables } from "./expression.ts";
import { CostExceeded, EvaluationError, LazyObject, type Value } from "./value.ts";

/** What all expressions of one policy may cost for one request; its match conditions have their own. */
const policyCostBudget = 10_000_000;
const conditionsCostBudget = 2_500_000;
/** Bytes of a message that an expression makes. */
const messageBytesMax = 5 * 1024;

interface Named {
  readonly name: string;
  readonly expression: string;
}
interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}
/** What of a policy's `spec` is in expressions. */
export interface PolicySpec {
  readonly paramKind?: object;
  readonly variables?: readonly Named[];
  readonly matchConditions?: readonly Named[];
  readonly validations?: readonly Validation[];
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[];
}

/** A validation that did not hold (`denied`), or that could not be answered (`error`). */
export interface Finding {
  readonly outcome: "denied" | "error";
  readonly message: string;
  /** Of a Status: `Invalid` unless the validation says otherwise. */
  readonly reason: string;
}

export type Matching =
  /** `false`: a condition says that the policy is not about this request. */
  | { readonly matched: boolean; readonly error?: undefined }
  | { readonly matched?: undefined; readonly error: string };

export interface CompiledPolicy {
  /** Below `spec`. */
  readonly errors: readonly FieldError[];
  /** Asks the match conditions. */
  matches(facts: AdmissionFacts): Matching;
  /** Everything that is not as the validations want it, in their order. */
  findings(facts: AdmissionFacts): readonly Finding[];
}

export function compilePolicy(spec: PolicySpec, path = "spec"): CompiledPolicy {
  const compiler = new PolicyCompiler(spec.paramKind !== undefined);
  const composed = (spec.variables ?? []).map((one, i) =>
    compiler.variable(one, index(child(path, "variables"), i)),
  );
  const conditions = compileConditions(compiler, spec.matchConditions ?? [], child(path, "matchConditions"));
  const validations = (spec.validations ?? []).map((one, i) =>
    compiler.validation(one, index(child(path, "validations"), i)),
  );
  (spec.auditAnnotations ?? []).forEach(({ valueExpression }, i) => {
    const at = child(index(child(path, "auditAnnotations"), i), "valueExpression");
    compiler.compile(valueExpression, at, ["string", "null"]);
  });
  const variables = new Map(composed);
  const type = compiler.variablesType();
  return {
    errors: compiler.errors,
    matches: (facts) => matching(conditions, new PolicyRun(facts, variables, type, conditionsCostBudget)),
    findings: (facts) => {
      const run = new PolicyRun(facts, variables, type, policyCostBudget);
      return validations.flatMap((one) => findingOf(one, run) ?? []);
    },
  };
}

/** Match conditions alone, as webhooks have them: which see no `params` and no `variables`. */
export function compileMatchConditions(
  conditions: readonly Named[],
  path: string,
): { readonly errors: readonly FieldError[]; matches(facts: AdmissionFacts): Matching } {
  const compiler = new PolicyCompiler(false);
  const compiled = compileConditions(compiler, conditions, path);
  return {
    errors: compiler.errors,
    matches: (facts) =>
      matching(compiled, new PolicyRun(facts, new Map(), objectType("", []), conditionsCostBudget)),
  };
}

interface CompiledCondition extends Named {
  readonly program: Expression | undefined;
}
interface CompiledValidation extends Validation {
  readonly program: Expression | undefined;
  readonly messageProgram: Expression | undefined;
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

class PolicyCompiler {
  readonly errors: FieldError[] = [];
  private readonly hasParams: boolean;
  private readonly fields: FieldDecl[] = [];

  constructor(hasParams: boolean) {
    this.hasParams = hasParams;
  }

  variablesType(): ReturnType<typeof objectType> {
    return objectType("kubernetes.variables", this.fields);
  }

  private get declared(): Variables {
    return admissionVariables(this.hasParams, this.variablesType());
  }

  /** No kinds: any type will do. */
  compile(text: string, path: string, kinds: readonly CelType["kind"][]): Expression | undefined {
    if (text.trim() === "") {
      this.errors.push(required(path, "expression must be non-empty"));
      return undefined;
    }
    const { expression, error } = compileExpression(text, this.declared);
    if (expression === undefined) {
      this.errors.push(invalid(path, text, `compilation failed: ${error}`));
      return undefined;
    }
    if (kinds.length > 0 && !kinds.includes(expression.type.kind)) {
      const names = kinds.map((kind) => (kind === "null" ? "null_type" : kind));
      const wanted = names.length === 1 ? (names[0] ?? "") : `one of [${names.join(" ")}]`;
      this.errors.push(invalid(path, text, `must evaluate to ${wanted}`));
      return undefined;
    }
    return expression;
  }

  /** From here on expressions see the variable. */
  variable({ name, expression }: Named, path: string): readonly [string, Expression | undefined] {
    const program = this.compile(expression, child(path, "expression"), []);
    if (program !== undefined) this.fields.push(field(name, program.type));
    return [name, program];
  }

  validation(validation: Validation, path: string): CompiledValidation {
    const { messageExpression = "" } = validation;
    const program = this.compile(validation.expression, child(path, "expression"), ["bool"]);
    const messageProgram =
      messageExpression === ""
        ? undefined
        : this.compile(messageExpression, child(path, "messageExpression"), ["string"]);
    return { ...validation, program, messageProgram };
  }
}

/** One request: its variables are computed once, and all that is evaluated shares a budget. */
class PolicyRun {
  private readonly facts: AdmissionFacts;
  private readonly variables: LazyObject;
  private remaining: number;

  constructor(
    facts: AdmissionFacts,
    programs: ReadonlyMap<string, Expression | undefined>,
    type: ReturnType<typeof objectType>,
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
function errorText(thrown: unknown, expression: string): string {
  if (thrown instanceof CostExceeded) return outOfBudget;
  if (thrown instanceof EvaluationError)
    return `expression '${expression}' resulted in error: ${toError(thrown).message}`;
  throw thrown;
}

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

function findingOf(validation: CompiledValidation, run: PolicyRun): Finding | undefined {
  const { program, expression, reason = "" } = validation;
  const failed = (outcome: Finding["outcome"], message: string, why = "Invalid"): Finding => ({
    outcome,
    message,
    reason: why === "" ? "Invalid" : why,
  });
  if (program === undefined) return failed("error", `expression '${expression}' cannot be compiled`);
  try {
    if (run.evaluate(program) === true) return undefined;
  } catch (thrown) {
    return failed("error", errorText(thrown, expression));
  }
  return failed("denied", messageOf(validation, run), reason);
}

function messageOf({ expression, message = "", messageProgram }: CompiledValidation, run: PolicyRun): string {
  const plain = message.trim();
  const fallback = plain === "" ? `failed expression: ${expression.trim()}` : plain;
  if (messageProgram === undefined) return fallback;
  try {
    const made = run.evaluate(messageProgram);
    const text = typeof made === "string" ? made.trim() : "";
    return text === "" || /[\n\r]/.test(text) || Buffer.byteLength(text) > messageBytesMax ? fallback : text;
  } catch (thrown) {
    if (thrown instanceof EvaluationError || thrown instanceof CostExceeded) return fallback;
    throw thrown;
  }
}
