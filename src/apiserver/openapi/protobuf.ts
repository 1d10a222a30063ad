// OpenAPI v2 in its protobuf form (the gnostic schema), for clients that validate with it. Facts: field numbers.

import { Writer } from "protobufjs";

type Json = Record<string, unknown>;

const message = (writer: Writer, field: number, bytes: Uint8Array): void =>
  void writer.uint32((field << 3) | 2).bytes(bytes);
const text = (writer: Writer, field: number, value: unknown): void => {
  if (typeof value === "string" && value !== "") writer.uint32((field << 3) | 2).string(value);
};
const flag = (writer: Writer, field: number, value: unknown): void => {
  if (value === true) writer.uint32(field << 3).bool(true);
};
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Any { google.protobuf.Any value = 1; string yaml = 2 }: extensions and defaults carry YAML text; JSON is YAML. */
function anyYaml(value: unknown): Uint8Array {
  const writer = Writer.create();
  text(writer, 2, `${JSON.stringify(value)}\n`);
  return writer.finish();
}

function namedAny(name: string, value: unknown): Uint8Array {
  const writer = Writer.create();
  text(writer, 1, name);
  message(writer, 2, anyYaml(value));
  return writer.finish();
}

function extensions(writer: Writer, field: number, object: Json): void {
  for (const [name, value] of Object.entries(object))
    if (name.startsWith("x-")) message(writer, field, namedAny(name, value));
}

function stringArray(values: readonly unknown[]): Uint8Array {
  const writer = Writer.create();
  for (const value of values) text(writer, 1, value);
  return writer.finish();
}

function named(name: string, value: Uint8Array): Uint8Array {
  const writer = Writer.create();
  text(writer, 1, name);
  message(writer, 2, value);
  return writer.finish();
}

/** Schema */
function schema(object: Json): Uint8Array {
  const writer = Writer.create();
  text(writer, 1, object["$ref"]);
  text(writer, 2, object["format"]);
  text(writer, 3, object["title"]);
  text(writer, 4, object["description"]);
  if (object["default"] !== undefined) message(writer, 5, anyYaml(object["default"]));
  for (const field of (object["required"] as string[] | undefined) ?? []) text(writer, 19, field);
  for (const value of (object["enum"] as unknown[] | undefined) ?? []) message(writer, 20, anyYaml(value));
  if (isObject(object["additionalProperties"])) {
    const inner = Writer.create();
    message(inner, 1, schema(object["additionalProperties"]));
    message(writer, 21, inner.finish());
  }
  if (object["type"] !== undefined) message(writer, 22, stringArray([object["type"]].flat()));
  if (isObject(object["items"])) {
    const inner = Writer.create();
    message(inner, 1, schema(object["items"]));
    message(writer, 23, inner.finish());
  }
  if (isObject(object["properties"])) {
    const inner = Writer.create();
    for (const [name, value] of Object.entries(object["properties"]))
      message(inner, 1, named(name, schema(value as Json)));
    message(writer, 25, inner.finish());
  }
  extensions(writer, 31, object);
  return writer.finish();
}

/** SchemaItem { Schema schema = 1 } */
function schemaItem(object: Json): Uint8Array {
  const writer = Writer.create();
  message(writer, 1, schema(object));
  return writer.finish();
}

/** ParametersItem { Parameter parameter = 1 } over body, query and path parameters. */
function parameter(object: Json): Uint8Array {
  const inner = Writer.create();
  const wrapped = Writer.create();
  if (object["in"] === "body") {
    const body = Writer.create();
    text(body, 1, object["description"]);
    text(body, 2, object["name"]);
    text(body, 3, object["in"]);
    flag(body, 4, object["required"]);
    message(body, 5, schema((object["schema"] as Json | undefined) ?? {}));
    message(inner, 1, body.finish());
  } else {
    const plain = Writer.create();
    flag(plain, 1, object["required"]);
    text(plain, 2, object["in"]);
    text(plain, 3, object["description"]);
    text(plain, 4, object["name"]);
    const path = object["in"] === "path";
    // QueryParameterSubSchema has allowEmptyValue at 5, which shifts what follows by one.
    text(plain, path ? 5 : 6, object["type"]);
    flag(plain, path ? 18 : 19, object["uniqueItems"]);
    const non = Writer.create();
    message(non, path ? 4 : 3, plain.finish());
    message(inner, 2, non.finish());
  }
  message(wrapped, 1, inner.finish());
  return wrapped.finish();
}

function response(object: Json): Uint8Array {
  const value = Writer.create();
  const inner = Writer.create();
  text(inner, 1, object["description"]);
  if (isObject(object["schema"])) message(inner, 2, schemaItem(object["schema"]));
  message(value, 1, inner.finish());
  return value.finish();
}

function operation(object: Json): Uint8Array {
  const writer = Writer.create();
  text(writer, 3, object["description"]);
  text(writer, 5, object["operationId"]);
  for (const type of (object["produces"] as string[] | undefined) ?? []) text(writer, 6, type);
  for (const type of (object["consumes"] as string[] | undefined) ?? []) text(writer, 7, type);
  for (const one of (object["parameters"] as Json[] | undefined) ?? []) message(writer, 8, parameter(one));
  const responses = Writer.create();
  for (const [code, one] of Object.entries((object["responses"] as Json | undefined) ?? {}))
    message(responses, 1, named(code, response(one as Json)));
  message(writer, 9, responses.finish());
  extensions(writer, 13, object);
  return writer.finish();
}

const methodFields: Readonly<Record<string, number>> = {
  get: 2,
  put: 3,
  post: 4,
  delete: 5,
  options: 6,
  head: 7,
  patch: 8,
};

function pathItem(object: Json): Uint8Array {
  const writer = Writer.create();
  for (const [method, field] of Object.entries(methodFields)) {
    if (isObject(object[method])) message(writer, field, operation(object[method]));
  }
  for (const one of (object["parameters"] as Json[] | undefined) ?? []) message(writer, 9, parameter(one));
  return writer.finish();
}

/** A whole document. */
export function encodeOpenApiV2(document: object): Buffer {
  const { swagger, info, paths, definitions } = document as {
    swagger: string;
    info: Json;
    paths: Json;
    definitions: Json;
  };
  const writer = Writer.create();
  text(writer, 1, swagger);
  const about = Writer.create();
  text(about, 1, info["title"]);
  text(about, 2, info["version"]);
  message(writer, 2, about.finish());
  const all = Writer.create();
  for (const [path, item] of Object.entries(paths)) message(all, 2, named(path, pathItem(item as Json)));
  message(writer, 8, all.finish());
  const schemas = Writer.create();
  for (const [name, one] of Object.entries(definitions))
    message(schemas, 1, named(name, schema(one as Json)));
  message(writer, 9, schemas.finish());
  return Buffer.from(writer.finish());
}
