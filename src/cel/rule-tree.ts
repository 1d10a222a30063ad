// The rules of a schema, compiled: the part of the schema's tree that has rules somewhere below.
import type { CelType } from "./cel-type.ts";
import type { Expression } from "./expression.ts";
import type { ValidationRule } from "./rule-schema.ts";

export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly expression: Expression;
  readonly message: Expression | undefined;
  /** It compares with the old value: it is not run where there is none, unless `optionalOldSelf` says so. */
  readonly transition: boolean;
  /** Below the rule's own place; empty for the place itself. */
  readonly fieldPath: string;
}

export interface RuleNode {
  readonly type: CelType;
  /** `object`, `string`, …: what errors show of a value that could not be judged. */
  readonly schemaType: string;
  readonly rules: readonly CompiledRule[];
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly additional: RuleNode | undefined;
  readonly items: RuleNode | undefined;
  /** By which properties items of a list find their old selves; undefined where they cannot. */
  readonly itemKeys: readonly string[] | undefined;
}
