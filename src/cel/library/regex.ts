// Regular expressions, in linear time: `matches` of the language, `find` and `findAll` of Kubernetes.
import { Pattern } from "#base/re2.ts";
import { toError } from "#base/assert.ts";
import { matchCost, overload, type CostRule, type Overload } from "../signature.ts";
import { EvaluationError, ListValue } from "../value.ts";

function compiled(pattern: string): Pattern {
  try {
    return Pattern.of(pattern);
  } catch (thrown) {
    throw new EvaluationError(
      `error parsing regexp: ${toError(thrown).message.replace(/^error parsing regexp: /, "")}`,
    );
  }
}

const matches = (text: string, pattern: string): boolean => compiled(pattern).test(text);
const find = (text: string, pattern: string): string => compiled(pattern).find(text) ?? "";
function findAll(text: string, pattern: string, limit = -1n): ListValue {
  return ListValue.of(compiled(pattern).findAll(text, limit < 0n ? Infinity : Number(limit)));
}

const cost: CostRule = (sizes) => matchCost(sizes.size(0), sizes.size(1));
const textSize: CostRule = (sizes) => sizes.size(0);

export const regex: readonly Overload[] = [
  overload("matches(string, string): bool", matches, cost),
  overload("string.matches(string): bool", matches, cost),
  overload("string.find(string): string", find, cost, textSize),
  overload("string.findAll(string): list(string)", findAll, cost, textSize),
  overload("string.findAll(string, int): list(string)", findAll, cost, textSize),
];
