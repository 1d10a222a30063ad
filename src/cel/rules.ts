// The rules of a custom resource's schema (`x-kubernetes-validations`): compiled once per schema, with what is wrong
// with them as the CustomResourceDefinition's validation says it; then run over objects. Pure.
// Load this file on demand (a dynamic import of `#cel` `rules.ts`) where `hasRules` of rule-schema.ts says that there are
// any: a server without rules does not hold the language.
import type { FieldError } from "#machinery/field-error.ts";
import { hasRules, type RuleSchema } from "./rule-schema.ts";

/** What all rules of one object may cost at run time. */
export const runtimeCostBudget = 10_000_000;

export interface CompiledRules {
  /** What is wrong with the rules, for the validation of the CustomResourceDefinition; below the path given. */
  readonly errors: readonly FieldError[];
  /** There are no rules: `validate` finds nothing. */
  readonly empty: boolean;
  /**
   * Runs the rules over a whole object (after defaulting and pruning). `old` is the stored object of an update,
   * which transition rules see as `oldSelf`; rules that an unchanged part already broke are not held against it.
   */
  validate(object: object, old: object | undefined, budget?: number): RulesResult;
}

export interface RulesResult {
  /** Field paths are those of the object: `spec.replicas`. */
  readonly errors: readonly FieldError[];
  /** What is left of the budget; negative when it ran out. */
  readonly remaining: number;
}

/** `path` is the schema's place in the definition: `spec.versions[0].schema.openAPIV3Schema`. */
export function compileRules(schema: RuleSchema, path: string): CompiledRules {
  const empty = !hasRules(schema);
  const errors: FieldError[] = empty
    ? []
    : [{ type: "InternalError", field: path, detail: "this server does not evaluate rules" }];
  return {
    errors,
    empty,
    validate: (_object, _old, budget = runtimeCostBudget) => ({ errors: [], remaining: budget }),
  };
}
