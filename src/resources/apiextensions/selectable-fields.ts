// Which fields of a custom resource can be selected: declared ones with one simple value each. Pure; loaded when a
// definition is written.

import {
  child,
  duplicate,
  index,
  invalid,
  required,
  tooMany,
  type FieldError,
} from "#machinery/field-error.ts";
import type { SelectableField } from "#machinery/gen/types/apiextensions-v1.ts";
import { propertyOf, type Props } from "#machinery/structural/schema-props.ts";

const fieldsMax = 8;
const simple: ReadonlySet<string> = new Set(["string", "boolean", "integer"]);

/** The schema of the field, or why there is none. */
function fieldAt(schema: Props, jsonPath: string): Props | string {
  if (!/^(\.[A-Za-z_][\w-]*)+$/.test(jsonPath)) return "must be a simple json path starting with .";
  let at: Props | undefined = schema;
  for (const name of jsonPath.slice(1).split(".")) {
    at = at === undefined ? undefined : propertyOf(at, name);
  }
  return at ?? "does not refer to a valid field";
}

export function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: Props,
  path: string,
): FieldError[] {
  const errors = fields.length > fieldsMax ? [tooMany(path, fields.length, fieldsMax)] : [];
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, i) => {
    const at = child(index(path, i), "jsonPath");
    if (jsonPath === "") {
      errors.push(required(at));
      return;
    }
    const found = fieldAt(schema, jsonPath);
    if (jsonPath.startsWith(".metadata"))
      errors.push(invalid(at, jsonPath, "must not point to fields in metadata"));
    else if (typeof found === "string") errors.push(invalid(at, jsonPath, `is an invalid path: ${found}`));
    else if (!simple.has(found.type ?? ""))
      errors.push(
        invalid(
          at,
          jsonPath,
          "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
        ),
      );
    if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
  });
  return errors;
}
