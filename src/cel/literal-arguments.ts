// Arguments that stand in the text and can never work are compile errors: durations, timestamps, regular expressions.
import { Pattern } from "#base/re2.ts";
import { toError } from "#base/assert.ts";
import type { Expr, Issue } from "./ast.ts";
import { parseDuration, parseTimestamp } from "./time.ts";

export function checkLiteralArguments(name: string, operands: readonly Expr[]): Issue[] {
  const at = name === "matches" || name === "find" || name === "findAll" ? 1 : 0;
  const argument = operands[at];
  if (argument?.kind !== "literal" || typeof argument.value !== "string") return [];
  const wrong = problemOf(name, argument.value);
  return wrong === undefined ? [] : [{ pos: argument.pos, message: wrong }];
}

function problemOf(name: string, text: string): string | undefined {
  switch (name) {
    case "duration":
      return parseDuration(text) === undefined ? "invalid duration argument" : undefined;
    case "timestamp":
      return parseTimestamp(text) === undefined ? "invalid timestamp argument" : undefined;
    case "matches":
      return patternProblem(text) === undefined ? undefined : "invalid matches argument";
    default:
      return undefined;
  }
}

/** What is wrong with a regular expression, or undefined. */
export function patternProblem(text: string): string | undefined {
  try {
    Pattern.of(text);
    return undefined;
  } catch (thrown) {
    return toError(thrown).message;
  }
}
