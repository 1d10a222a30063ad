// ConfigMap: configuration as text and bytes by key.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { ConfigMap } from "#machinery/gen/types/core-v1.ts";
import { forbidden, invalid, keyed, tooLong, type FieldError } from "#machinery/field-error.ts";
import { checkConfigKey, checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

const dataBytesMax = 1024 * 1024;

function validate(object: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(object.data ?? {})) {
    errors.push(...checkConfigKey(key).map((why) => invalid(keyed("data", key), key, why)));
    if (Object.hasOwn(object.binaryData ?? {}, key))
      errors.push(invalid(keyed("data", key), key, `duplicate of key present in binaryData`));
    size += Buffer.byteLength(value);
  }
  for (const [key, value] of Object.entries(object.binaryData ?? {})) {
    errors.push(...checkConfigKey(key).map((why) => invalid(keyed("binaryData", key), key, why)));
    size += Buffer.byteLength(value, "base64");
  }
  if (size > dataBytesMax) errors.push(tooLong("[]", dataBytesMax));
  return errors;
}

export const configMap = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  resource: "configmaps",
  shortNames: ["cm"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column(
      "Data",
      (object) => Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
      { type: "integer" },
    ),
    ageColumn,
  ],
  validate,
  validateUpdate: (next, old) => {
    const errors = validate(next);
    if (old.immutable !== true) return errors;
    if (next.immutable !== true)
      errors.push(forbidden("immutable", "field is immutable when `immutable` is set"));
    for (const field of ["data", "binaryData"] as const) {
      if (!isDeepStrictEqual(next[field] ?? {}, old[field] ?? {}))
        errors.push(forbidden(field, "field is immutable when `immutable` is set"));
    }
    return errors;
  },
});
