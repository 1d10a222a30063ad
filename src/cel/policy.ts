// The expressions of an admission policy: compiled once, with what is wrong with them; then asked about requests.
// Pure: what a denial does to the request is decided where the policy is bound.
import { child, index, type FieldError } from "#machinery/field-error.ts";
import type { AdmissionFacts, KnownTypes } from "./admission-variables.ts";
import type { Expression } from "./expression.ts";
import {
  compileFrame,
  errorText,
  type Matching,
  type PolicyCompiler,
  type PolicyFrameSpec,
  type PolicyRun,
} from "./policy-run.ts";
import { CostExceeded, EvaluationError } from "./value.ts";

/** Bytes of a message that an expression makes. */
const messageBytesMax = 5 * 1024;

interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}
/** What of a policy's `spec` is in expressions. */
export interface PolicySpec extends PolicyFrameSpec {
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

export interface CompiledPolicy {
  /** Below `spec`. */
  readonly errors: readonly FieldError[];
  /** Asks the match conditions. */
  matches(facts: AdmissionFacts): Matching;
  /** Everything that is not as the validations want it, in their order. */
  findings(facts: AdmissionFacts): readonly Finding[];
}

/** `known`: to look for mistakes in what it says of certain kinds. */
export function compilePolicy(spec: PolicySpec, path = "spec", known: KnownTypes = {}): CompiledPolicy {
  const { compiler, matches, run } = compileFrame(spec, path, { known });
  const validations = (spec.validations ?? []).map((one, i) =>
    compileValidation(compiler, one, index(child(path, "validations"), i)),
  );
  (spec.auditAnnotations ?? []).forEach(({ valueExpression }, i) => {
    const at = child(index(child(path, "auditAnnotations"), i), "valueExpression");
    compiler.compile(valueExpression, at, ["string", "null"]);
  });
  return {
    errors: compiler.errors,
    matches,
    findings(facts) {
      const one = run(facts);
      return validations.flatMap((validation) => findingOf(validation, one) ?? []);
    },
  };
}

interface CompiledValidation extends Validation {
  readonly program: Expression | undefined;
  readonly messageProgram: Expression | undefined;
}

function compileValidation(
  compiler: PolicyCompiler,
  validation: Validation,
  path: string,
): CompiledValidation {
  const { messageExpression = "" } = validation;
  const program = compiler.compile(validation.expression, child(path, "expression"), ["bool"]);
  const messageProgram =
    messageExpression === ""
      ? undefined
      : compiler.compile(messageExpression, child(path, "messageExpression"), ["string"]);
  return { ...validation, program, messageProgram };
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
