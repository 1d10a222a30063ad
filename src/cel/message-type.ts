// The schema of a built-in kind → the type of its objects in expressions. Types are made as far as they are asked for:
// some messages contain themselves.
import type { Schema, StructSchema } from "#machinery/schema/schema.ts";
import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  intType,
  listOf,
  mapOf,
  stringType,
  timestampType,
  type CelType,
  type FieldDecl,
  type ObjectType,
} from "./cel-type.ts";
import { escapeName } from "./escape.ts";

const made = new WeakMap<StructSchema, ObjectType>();

export function messageType(schema: Schema): CelType {
  switch (schema.type) {
    case "struct":
      return structType(schema);
    case "map":
      return mapOf(stringType, messageType(schema.value));
    case "list":
      return listOf(messageType(schema.item));
    case "scalar":
      return scalarType(schema.scalar);
    case "any":
      return dynType;
  }
}

function structType(schema: StructSchema): ObjectType {
  const known = made.get(schema);
  if (known !== undefined) return known;
  let fields: ReadonlyMap<string, FieldDecl> | undefined;
  const type: ObjectType = {
    kind: "object",
    name: schema.name,
    get fields() {
      fields ??= new Map(
        schema.fields.flatMap(({ name, schema: inner }) => {
          const escaped = escapeName(name);
          return escaped === undefined
            ? []
            : [[escaped, { name: escaped, property: name, type: messageType(inner) }] as const];
        }),
      );
      return fields;
    },
  };
  made.set(schema, type);
  return type;
}

function scalarType(scalar: string): CelType {
  switch (scalar) {
    case "bool":
      return boolType;
    case "int32":
    case "int64":
      return intType;
    case "double":
      return doubleType;
    case "bytes":
      return bytesType;
    case "time":
    case "microtime":
      return timestampType;
    case "string":
    case "quantity":
    case "duration":
      return stringType;
    default:
      return dynType;
  }
}
