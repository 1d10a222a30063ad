// What is wrong with the schemas of a CustomResourceDefinition that is written: patterns, defaults, rules. Loaded on
// demand, since what it needs is large and such writes are rare.

import { child, keyed, type FieldError } from "#machinery/field-error.ts";
import type { CustomResourceDefinition } from "#machinery/gen/types/apiextensions-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { hasRules, itemsOf, type RuleSchema } from "#cel/rule-schema.ts";
import type { compileRules } from "#cel/rules.ts";

export async function checkDefinition(
  object: KubeObject,
  old: KubeObject | undefined,
): Promise<FieldError[]> {
  const { spec } = object as CustomResourceDefinition;
  const before = (old as CustomResourceDefinition | undefined)?.spec;
  // What is as it was passed once.
  if (before !== undefined && JSON.stringify(before.versions) === JSON.stringify(spec.versions)) return [];
  const { validateVersionSchema } = await import("#resources/apiextensions/schema-validation.ts");
  const { validateSelectableFields } = await import("#resources/apiextensions/selectable-fields.ts");
  const { eachOnce } = await import("#resources/apiextensions/definition-validation.ts");
  const errors: FieldError[] = [];
  // One schema for all versions is the definition's own: errors name it once, as the first form of the API did.
  const [first] = spec.versions;
  const shared = spec.versions.every((one) => JSON.stringify(one.schema) === JSON.stringify(first?.schema));
  for (const [i, version] of spec.versions.entries()) {
    if (shared && i > 0) break;
    const at = shared ? "spec.validation.openAPIV3Schema" : `spec.versions[${i}].schema.openAPIV3Schema`;
    errors.push(...validateVersionSchema(version, at));
    const schema = version.schema?.openAPIV3Schema as RuleSchema | undefined;
    if (schema === undefined || errors.length > 0 || !hasRules(schema)) continue;
    const { compileRules } = await import("#cel/rules.ts");
    const compiled = compileRules(schema, at);
    errors.push(...compiled.errors);
    if (compiled.errors.length === 0) errors.push(...brokenDefaults(schema, at, compileRules));
  }
  eachOnce(spec.versions, "selectableFields", ({ selectableFields = [], schema }, path) => {
    const props = schema?.openAPIV3Schema;
    if (props !== undefined) errors.push(...validateSelectableFields(selectableFields, props, path));
  });
  return errors;
}

/** Defaults keep the rules of their own schema. */
function brokenDefaults(schema: RuleSchema, path: string, compile: typeof compileRules): FieldError[] {
  const { default: given, properties = {}, additionalProperties: values } = schema;
  const errors: FieldError[] = [];
  if (given !== undefined && hasRules(schema)) {
    // As the one field of an object, whose name is then where the default stands.
    const rules = compile({ type: "object", properties: { default: schema } }, "");
    const found = rules.validate({ default: given }, undefined).errors;
    errors.push(...found.map((error) => ({ ...error, field: child(path, error.field) })));
  }
  for (const [name, property] of Object.entries(properties))
    errors.push(...brokenDefaults(property, keyed(child(path, "properties"), name), compile));
  for (const items of itemsOf(schema)) errors.push(...brokenDefaults(items, child(path, "items"), compile));
  if (typeof values === "object")
    errors.push(...brokenDefaults(values, child(path, "additionalProperties"), compile));
  return errors;
}
