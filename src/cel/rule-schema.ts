// What rules read of a structural schema: the JSON of a CustomResourceDefinition's `openAPIV3Schema`, as it is
// stored. Fields that rules do not need are not named here, so any schema object can be given.

/** One entry of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

export interface RuleSchema {
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: RuleSchema };
  readonly additionalProperties?: RuleSchema | boolean;
  readonly items?: RuleSchema | readonly RuleSchema[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

/** Whether any rule is in the schema: cheap, and says whether the language must be loaded at all. */
export function hasRules(schema: RuleSchema): boolean {
  if ((schema["x-kubernetes-validations"]?.length ?? 0) > 0) return true;
  if (Object.values(schema.properties ?? {}).some(hasRules)) return true;
  if (typeof schema.additionalProperties === "object" && hasRules(schema.additionalProperties)) return true;
  return itemsOf(schema).some(hasRules);
}

/** The items of a list; the form with several of them has no structural meaning, and is only looked through. */
export function itemsOf({ items }: RuleSchema): readonly RuleSchema[] {
  if (items === undefined) return [];
  return Array.isArray(items) ? (items as readonly RuleSchema[]) : [items as RuleSchema];
}
