// What is wrong with the schemas of a CustomResourceDefinition that is written: patterns, defaults, rules. Loaded on
// demand, since what it needs is large and such writes are rare.

import type { FieldError } from "#machinery/field-error.ts";
import type { CustomResourceDefinition } from "#machinery/gen/types/apiextensions-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { hasRules, type RuleSchema } from "#cel/rule-schema.ts";

export async function checkDefinition(
  object: KubeObject,
  old: KubeObject | undefined,
): Promise<FieldError[]> {
  const { spec } = object as CustomResourceDefinition;
  const before = (old as CustomResourceDefinition | undefined)?.spec;
  // What is as it was passed once.
  if (before !== undefined && JSON.stringify(before.versions) === JSON.stringify(spec.versions)) return [];
  const { validateVersionSchema } = await import("#resources/apiextensions/schema-validation.ts");
  const errors: FieldError[] = [];
  for (const [at, version] of spec.versions.entries()) {
    const path = `spec.versions[${at}]`;
    errors.push(...validateVersionSchema(version, path));
    const schema = version.schema?.openAPIV3Schema as RuleSchema | undefined;
    if (schema === undefined || errors.length > 0 || !hasRules(schema)) continue;
    const { compileRules } = await import("#cel/rules.ts");
    errors.push(...compileRules(schema, `${path}.schema.openAPIV3Schema`).errors);
  }
  return errors;
}
