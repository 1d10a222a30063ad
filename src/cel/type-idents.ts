// The names of types, as values: `type(x) == int`.
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  stringType,
  timestampType,
  typeOf,
  uintType,
  type CelType,
} from "./cel-type.ts";

/** name in an expression → its type, and its name at run time. */
export const typeIdents: ReadonlyMap<string, { readonly type: CelType; readonly name: string }> = new Map(
  (
    [
      ["bool", boolType, "bool"],
      ["int", intType, "int"],
      ["uint", uintType, "uint"],
      ["double", doubleType, "double"],
      ["string", stringType, "string"],
      ["bytes", bytesType, "bytes"],
      ["list", listOf(dynType), "list"],
      ["map", mapOf(dynType, dynType), "map"],
      ["null_type", nullType, "null_type"],
      ["type", typeOf(dynType), "type"],
      ["google.protobuf.Timestamp", timestampType, "google.protobuf.Timestamp"],
      ["google.protobuf.Duration", durationType, "google.protobuf.Duration"],
    ] as const
  ).map(([ident, type, name]) => [ident, { type, name }]),
);
