// Any expression over declared variables: compiled once (types, what is wrong, what it can cost), then evaluated.
// This is the seam for who is no rule of a schema: admission policies, match conditions, field selections.
import { formatIssues, SyntaxIssue, type Issue } from "./ast.ts";
import type { CelType } from "./cel-type.ts";
import { checkExpression, type Structs } from "./check.ts";
import { compileProgram } from "./compile.ts";
import { estimateCost } from "./cost.ts";
import { Evaluation } from "./evaluation.ts";
import { library } from "./library/index.ts";
import { parseExpression } from "./parser.ts";
import type { Value } from "./value.ts";

/** What one evaluation of one expression may cost. */
export const perCallLimit = 1_000_000;
/** Characters of one expression. */
const textMax = 100_000;

/** The variables of an expression. A name may have dots: `authorizer.requestResource`. */
export type Variables = ReadonlyMap<string, CelType>;

/** Gives a variable's value; undefined where it has none. Asked only for what the expression reads. */
export type Binding = (name: string) => Value | undefined;

export interface Expression {
  readonly type: CelType;
  /** The variables that it names. */
  readonly uses: ReadonlySet<string>;
  /** The most that it can cost, by the declared sizes. */
  readonly maxCost: number;
  /** Throws `EvaluationError`, or `CostExceeded`; `onCost` is told what was spent in any case. */
  evaluate(binding: Binding, limit?: number, onCost?: (cost: number) => void): Value;
}

export type Compilation =
  | { readonly expression: Expression; readonly error?: undefined }
  /** As the language shows it: `ERROR: <input>:1:6: undefined field 'foo'`, and the line with a mark. */
  | { readonly expression?: undefined; readonly error: string };

/** What an expression may use beyond the language and its libraries. */
export interface Extras {
  /** Types of which it may make objects. */
  readonly structs?: Structs | undefined;
  /** `cel.bind(x, value, expression)` */
  readonly bind?: boolean;
}

export function compileExpression(text: string, variables: Variables, extras: Extras = {}): Compilation {
  const parsed = parse(text);
  if (!("kind" in parsed)) return { error: formatIssues(text, parsed) };
  const { type, issues, uses } = checkExpression(parsed, {
    variables,
    functions: library,
    ...(extras.structs === undefined ? {} : { structs: extras.structs }),
    bind: extras.bind === true,
  });
  if (issues.length > 0) return { error: formatIssues(text, inOrder(issues)) };
  const program = compileProgram(parsed);
  const evaluate: Expression["evaluate"] = (binding, limit = perCallLimit, onCost) => {
    const evaluation = new Evaluation(binding, limit);
    try {
      return program(evaluation);
    } finally {
      onCost?.(evaluation.cost);
    }
  };
  return { expression: { type, uses, maxCost: estimateCost(parsed), evaluate } };
}

function parse(text: string): ReturnType<typeof parseExpression> | readonly Issue[] {
  const size = [...text].length;
  if (size > textMax)
    return [{ pos: 0, message: `expression code point size exceeds limit: size: ${size}, limit ${textMax}` }];
  try {
    return parseExpression(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxIssue) return [{ pos: thrown.pos, message: thrown.message }];
    throw thrown;
  }
}

const inOrder = (issues: readonly Issue[]): Issue[] => [...issues].sort((a, b) => a.pos - b.pos);
