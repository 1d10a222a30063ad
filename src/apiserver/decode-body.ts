// From the bytes of a request to an object of the kind that is expected there, and to patches.

import { isObject } from "#machinery/json-object.ts";
import type { ApiRequest } from "#machinery/api-request.ts";
import {
  decodeBody,
  decodeBodyValue,
  type BodyEncoding,
  type BodyExpectation,
  type DecodedBody,
  type FieldValidation,
} from "#machinery/codec/body.ts";
import { schemaOf, type ResourceDefinition } from "#machinery/define-resource.ts";
import { invalid } from "#machinery/field-error.ts";
import { apiVersionOf, type GroupVersionKind, type KubeObject } from "#machinery/meta.ts";
import { DecodeError, decodeObject } from "#machinery/schema/decode.ts";
import { JsonSyntaxError, parseJson } from "#machinery/schema/json.ts";
import { badRequest, invalidObject, unsupportedMediaType, type ApiError } from "#machinery/status.ts";
import { bodyEncoding, type Encoding } from "./negotiate.ts";

export type { FieldValidation };

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation;
  /** The body may be CBOR. */
  readonly cbor?: boolean;
  warn(message: string): void;
}

function expectationOf(kind: GroupVersionKind, fieldValidation: FieldValidation): BodyExpectation {
  const schema = schemaOf(kind);
  if (schema === undefined)
    throw badRequest(
      `no kind ${JSON.stringify(kind.kind)} is registered for version ${JSON.stringify(apiVersionOf(kind))}`,
    );
  return { kind: { group: kind.group, version: kind.version, kind: kind.kind }, schema, fieldValidation };
}

async function parserOf(encoding: Encoding): Promise<BodyEncoding> {
  if (encoding === "yaml") return { yaml: await import("#machinery/codec/yaml.ts") };
  return encoding === "cbor" ? { cbor: await import("#machinery/codec/cbor.ts") } : encoding;
}

async function decode(
  { body, headers }: ApiRequest,
  expectation: BodyExpectation,
  cbor: boolean,
): Promise<DecodedBody> {
  const encoding = bodyEncoding(headers["content-type"], { cbor });
  // A kind that brings its own schema has no numbers for its fields.
  if (encoding === "protobuf" && expectation.schema.decode !== undefined)
    throw unsupportedMediaType([
      ...(cbor ? ["application/cbor"] : []),
      "application/json",
      "application/yaml",
    ]);
  if (body === undefined || Buffer.isBuffer(body))
    return decodeBody(body ?? Buffer.alloc(0), await parserOf(encoding), expectation);
  // A caller in this process may hand over the object itself; what old spellings change is a copy of it.
  const value = expectation.rewriteLegacy === undefined ? body : structuredClone(body);
  return decodeBodyValue(value as Record<string, unknown>, expectation);
}

/** The body as an object of `kind`. Its own apiVersion and kind must be those, or absent. */
export async function decodeKind(
  request: ApiRequest,
  kind: GroupVersionKind,
  options: DecodeOptions,
  more: Pick<BodyExpectation, "anyVersion" | "rewriteLegacy"> = {},
): Promise<KubeObject> {
  const { object, warnings } = await decode(
    request,
    { ...expectationOf(kind, options.fieldValidation), ...more },
    options.cbor ?? false,
  );
  for (const warning of warnings) options.warn(warning);
  return object;
}

/** The object of a create or update. */
export function decodeRequestObject(
  request: ApiRequest,
  definition: ResourceDefinition,
  options: DecodeOptions,
): Promise<KubeObject> {
  return decodeKind(request, definition, options, { rewriteLegacy: definition.rewriteLegacy });
}

/** The JSON of a patch, with its duplicate keys; 400 when it is none. */
export function parsePatch({ body }: ApiRequest): { value: unknown; duplicates: readonly string[] } {
  if (body !== undefined && !Buffer.isBuffer(body)) return { value: body, duplicates: [] };
  try {
    return parseJson((body ?? "").toString(), { duplicates: true });
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw badRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
}

/** What a patch has made is no valid object: told as an error of the field "patch". */
function patchError(patched: unknown, why: string): ApiError {
  const shown = JSON.stringify(patched) ?? "null";
  return invalidObject({ group: "", kind: "" }, "", [invalid("patch", shown, why)]);
}

/**
 * The outcome of a patch as an object of `kind`; strict errors refuse, warn, or are ignored as the client asked. What the
 * patch does not touch is as it was stored, and is not looked at again.
 */
export function decodePatched(
  patched: unknown,
  kind: GroupVersionKind,
  duplicates: readonly string[],
  options: DecodeOptions,
  touches: (field: string) => boolean = () => true,
): KubeObject {
  const { schema } = expectationOf(kind, options.fieldValidation);
  if (!isObject(patched)) throw patchError(patched, `the result is no object but ${typeof patched}`);
  let decoded;
  try {
    decoded = decodeObject(schema, patched, (field) => !touches(field));
  } catch (error) {
    if (error instanceof DecodeError) throw patchError(patched, error.message);
    throw error;
  }
  const strict = [...duplicates, ...decoded.strictErrors];
  if (strict.length > 0 && options.fieldValidation === "Strict")
    throw patchError(patched, `strict decoding error: ${strict.join(", ")}`);
  if (options.fieldValidation === "Warn") for (const error of strict) options.warn(error);
  return decoded.object as KubeObject;
}
