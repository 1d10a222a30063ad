// Defaults must be what their own schema asks for: nothing that pruning would take away, nothing invalid. Pure; loaded
// when a definition is written.

import { child, invalid, keyed, type FieldError } from "#machinery/field-error.ts";
import { copyJson } from "#machinery/json-object.ts";
import { sameJson } from "#machinery/apply/equal.ts";
import { applyDefaults } from "#machinery/structural/defaulting.ts";
import { prune } from "#machinery/structural/prune.ts";
import { isEmbedded, itemsOf, valuesOf, type Props } from "#machinery/structural/schema-props.ts";
import { validateLists } from "#machinery/structural/lists.ts";
import { validateValue } from "#machinery/structural/validate.ts";

export function validateDefaultValues(schema: Props, path: string): FieldError[] {
  const errors: FieldError[] =
    schema.default === undefined ? [] : validateDefault(schema, child(path, "default"));
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    errors.push(...validateDefaultValues(property, keyed(child(path, "properties"), name)));
  const items = itemsOf(schema);
  if (items !== undefined) errors.push(...validateDefaultValues(items, child(path, "items")));
  const values = valuesOf(schema);
  if (values !== undefined)
    errors.push(...validateDefaultValues(values, child(path, "additionalProperties")));
  return errors;
}

function validateDefault(schema: Props, path: string): FieldError[] {
  const given = schema.default;
  const pruned = copyJson(given);
  prune(pruned, schema, isEmbedded(schema));
  if (!sameJson(pruned, given)) return [invalid(path, given, "must not have unknown fields")];
  const value = copyJson(given);
  applyDefaults(value, schema);
  return [...validateValue(value, schema, path), ...validateLists(value, schema, path)];
}
