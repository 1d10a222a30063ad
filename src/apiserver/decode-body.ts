// From the bytes of a request to an object of the kind that the path names, with the documented complaints.

import type { ApiRequest } from "#machinery/api-request.ts";
import { decodeProtobuf, ProtobufError } from "#machinery/codec/protobuf.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { apiVersionOf, type GroupVersionKind, type KubeObject } from "#machinery/meta.ts";
import { DecodeError, decodeObject, isObject } from "#machinery/schema/decode.ts";
import { JsonSyntaxError, parseJson } from "#machinery/schema/json.ts";
import { schemaFor } from "#machinery/schema/schema.ts";
import { badRequest } from "#machinery/status.ts";
import { bodyEncoding } from "./negotiate.ts";

export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation;
  warn(message: string): void;
}

/** The body as a JSON value, with duplicate keys reported as strict errors. */
export async function parseBody(
  request: ApiRequest,
  wantDuplicates: boolean,
): Promise<{ value: unknown; duplicates: readonly string[] }> {
  const { body } = request;
  if (body === undefined) return { value: undefined, duplicates: [] };
  if (!Buffer.isBuffer(body)) return { value: body, duplicates: [] };
  if (body.length === 0) return { value: undefined, duplicates: [] };
  const text = body.toString();
  if (bodyEncoding(request.headers["content-type"]) === "yaml") {
    const { parseYaml, YamlError } = await import("#machinery/codec/yaml.ts");
    try {
      return parseYaml(text);
    } catch (error) {
      if (error instanceof YamlError) throw badRequest(`error decoding request: ${error.message}`);
      throw error;
    }
  }
  try {
    return parseJson(text, { duplicates: wantDuplicates });
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    throw error;
  }
}

function versionText(kind: GroupVersionKind): string {
  return `${kind.kind} in version ${JSON.stringify(apiVersionOf(kind))}`;
}

/** Checks and shapes a parsed value as `kind`. Strict errors refuse, warn, or are ignored as the client asked. */
export function decodeValue(
  value: unknown,
  kind: GroupVersionKind,
  duplicates: readonly string[],
  options: DecodeOptions,
): KubeObject {
  const schema = schemaFor(kind.group, kind.version, kind.kind);
  if (schema === undefined)
    throw badRequest(
      `no kind ${JSON.stringify(kind.kind)} is registered for version ${JSON.stringify(apiVersionOf(kind))}`,
    );
  if (!isObject(value))
    throw badRequest(
      `${versionText(kind)} cannot be handled as a ${kind.kind}: json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value} into Go value of type ${schema.goType}`,
    );
  let decoded;
  try {
    decoded = decodeObject(schema, value);
  } catch (error) {
    if (error instanceof DecodeError)
      throw badRequest(`${versionText(kind)} cannot be handled as a ${kind.kind}: ${error.message}`);
    throw error;
  }
  const strict = [...duplicates, ...decoded.strictErrors];
  if (strict.length > 0) {
    if (options.fieldValidation === "Strict") {
      throw badRequest(
        `${versionText(kind)} cannot be handled as a ${kind.kind}: strict decoding error: ${strict.join(", ")}`,
      );
    }
    if (options.fieldValidation === "Warn") for (const error of strict) options.warn(error);
  }
  return decoded.object as KubeObject;
}

/** The object of a create or update. Its apiVersion and kind must be those of the path, or absent. */
export async function decodeRequestObject(
  request: ApiRequest,
  definition: ResourceDefinition,
  options: DecodeOptions,
): Promise<KubeObject> {
  const kind: GroupVersionKind = definition;
  if (
    Buffer.isBuffer(request.body) &&
    request.body.length > 0 &&
    bodyEncoding(request.headers["content-type"]) === "protobuf"
  ) {
    try {
      const { object } = decodeProtobuf(request.body, { apiVersion: apiVersionOf(kind), kind: kind.kind });
      return checkKind(object as KubeObject, kind);
    } catch (error) {
      if (error instanceof ProtobufError)
        throw badRequest(`${versionText(kind)} cannot be handled as a ${kind.kind}: ${error.message}`);
      throw error;
    }
  }
  const { value, duplicates } = await parseBody(request, options.fieldValidation !== "Ignore");
  if (value === undefined) throw badRequest("unable to decode an empty body: the request needs an object");
  if (!isObject(value))
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  const raw =
    definition.rewriteLegacy === undefined ? value : (structuredClone(value) as Record<string, unknown>);
  for (const warning of definition.rewriteLegacy?.(raw) ?? []) options.warn(warning);
  checkKind(raw as KubeObject, kind);
  return decodeValue(raw, kind, duplicates, options);
}

function checkKind(object: KubeObject, kind: GroupVersionKind): KubeObject {
  const apiVersion =
    object.apiVersion === undefined || object.apiVersion === "" ? apiVersionOf(kind) : object.apiVersion;
  const given = object.kind === undefined || object.kind === "" ? kind.kind : object.kind;
  if (apiVersion !== apiVersionOf(kind)) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
  }
  if (given !== kind.kind) {
    throw badRequest(
      `${String(given)} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind.kind}: the kind in the data does not match the expected kind (${kind.kind})`,
    );
  }
  return object;
}
