// Secret: sensitive data by key, base64 on the wire.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { Secret } from "#machinery/gen/types/core-v1.ts";
import { forbidden, invalid, keyed, required, tooLong, type FieldError } from "#machinery/field-error.ts";
import { checkConfigKey, checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

const dataBytesMax = 1024 * 1024;
/** The keys that each well-known type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

/** Types whose one value is JSON, which clients of registries read. */
const jsonTypes = new Set(["kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson"]);

function validateKeys({ type = "", data = {} }: Secret): FieldError[] {
  const held = (key: string): boolean => Object.hasOwn(data, key);
  if (type === "kubernetes.io/basic-auth" && !held("username") && !held("password"))
    return ["username", "password"].map((key) => required(keyed("data", key)));
  return (requiredKeys[type] ?? []).flatMap((key) => {
    if (!held(key)) return [required(keyed("data", key))];
    if (!jsonTypes.has(type)) return [];
    try {
      JSON.parse(Buffer.from(data[key] ?? "", "base64").toString());
      return [];
    } catch {
      // What the parser says quotes the text, and that is secret.
      return [invalid(keyed("data", key), "<secret contents redacted>", "must be valid JSON")];
    }
  });
}

function validate(object: Secret): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(object.data ?? {})) {
    errors.push(...checkConfigKey(key).map((why) => invalid(keyed("data", key), key, why)));
    size += Buffer.byteLength(value, "base64");
  }
  if (size > dataBytesMax) errors.push(tooLong("data", dataBytesMax));
  errors.push(...validateKeys(object));
  if (
    object.type === "kubernetes.io/service-account-token" &&
    !object.metadata?.annotations?.["kubernetes.io/service-account.name"]
  ) {
    errors.push(required("metadata.annotations[kubernetes.io/service-account.name]"));
  }
  return errors;
}

export const secret = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  resource: "secrets",
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Type", (object) => object.type ?? ""),
    column("Data", (object) => Object.keys(object.data ?? {}).length, { type: "integer" }),
    ageColumn,
  ],
  applyDefaults: (draft) => {
    draft.type ||= "Opaque";
    // stringData is for writing only: it ends up in data.
    if (draft.stringData !== undefined) {
      const data = (draft.data ??= {});
      for (const [key, value] of Object.entries(draft.stringData)) {
        Object.defineProperty(data, key, {
          value: Buffer.from(value).toString("base64"),
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
      delete draft.stringData;
    }
  },
  validate,
  validateUpdate: (next, old) => {
    const errors = validate(next);
    if (next.type !== old.type) errors.push(invalid("type", next.type, "field is immutable"));
    if (old.immutable !== true) return errors;
    if (next.immutable !== true)
      errors.push(forbidden("immutable", "field is immutable when `immutable` is set"));
    if (!isDeepStrictEqual(next.data ?? {}, old.data ?? {}))
      errors.push(forbidden("data", "field is immutable when `immutable` is set"));
    return errors;
  },
  selectableFields: { type: (object) => object.type ?? "" },
});
