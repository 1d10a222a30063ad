// The body of a write request → an object of the expected kind, in the form the server keeps: parse by media type,
// rewrite old spellings, decode strictly, and tell every problem as the documented 400 or warning.
import { isObject, type JsonObject } from "../json-object.ts";
import { decodeObject, DecodeError } from "../schema/decode.ts";
import { JsonSyntaxError, parseJson } from "../schema/json.ts";
import { schemaFor, type StructSchema } from "../schema/schema.ts";
import { apiVersionOf, parseApiVersion, type GroupVersionKind, type KubeObject } from "../meta.ts";
import { badRequest, type ApiError } from "../status.ts";
import { decodeProtobuf, openEnvelope, ProtobufError } from "./protobuf.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";
/** Parsers that few need come with their encoding: who never does need not load them. */
export type BodyEncoding =
  | "json"
  | "protobuf"
  | { readonly yaml: typeof import("./yaml.ts") }
  | { readonly cbor: typeof import("./cbor.ts") };

export interface BodyExpectation {
  /** What the request's path stands for; fills in where the body names no kind. */
  readonly kind: GroupVersionKind;
  readonly schema: StructSchema;
  readonly fieldValidation: FieldValidation;
  /** Options of a request travel under any group and version: do not compare. */
  readonly anyVersion?: boolean;
  /** Old spellings, rewritten in the raw value before unknown fields are looked for; returns warnings. */
  readonly rewriteLegacy?: ((raw: Record<string, unknown>) => string[]) | undefined;
}

export interface DecodedBody {
  readonly object: KubeObject & JsonObject;
  readonly warnings: readonly string[];
}

interface RawBody {
  readonly value: unknown;
  readonly strictErrors: readonly string[];
}

const summaryBytesMax = 30;
const noKind = "couldn't get version/kind; json parse error: ";

/** The start of a body for an error message: as text if it looks like JSON, in hexadecimal otherwise. */
function summary(bytes: Buffer): string {
  if (bytes.length === 0) return "<empty>";
  const encoding = bytes[0] === 0x7b ? "utf8" : "hex";
  const start = bytes.subarray(0, summaryBytesMax).toString(encoding);
  return bytes.length > summaryBytesMax ? `${start} ...` : start;
}

const unrecognized = (kind: string, why: string, bytes: Buffer): ApiError =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(bytes)})`);

const cannotHandle = (found: GroupVersionKind, expected: string, why: string): ApiError =>
  badRequest(
    `${found.kind} in version ${JSON.stringify(found.version)} cannot be handled as a ${expected}: ${why}`,
  );

function parseJsonText(bytes: Buffer, expected: BodyExpectation): RawBody {
  try {
    const duplicates = expected.fieldValidation !== "Ignore";
    const parsed = parseJson(bytes.toString(), { duplicates });
    return { value: parsed.value, strictErrors: parsed.duplicates };
  } catch (thrown) {
    if (thrown instanceof JsonSyntaxError)
      throw unrecognized(expected.kind.kind, `${noKind}${thrown.message}`, bytes);
    throw thrown;
  }
}

function parseYamlText(
  bytes: Buffer,
  expected: BodyExpectation,
  { parseYaml, YamlError }: typeof import("./yaml.ts"),
): RawBody {
  try {
    const { value, duplicates } = parseYaml(bytes.toString());
    const told = duplicates.length > 0 ? [`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`] : [];
    return { value, strictErrors: told };
  } catch (thrown) {
    if (thrown instanceof YamlError) throw unrecognized(expected.kind.kind, thrown.message, bytes);
    throw thrown;
  }
}

function parseCborBytes(
  bytes: Buffer,
  expected: BodyExpectation,
  { decodeCbor, CborError }: typeof import("./cbor.ts"),
): RawBody {
  try {
    const { value, duplicates } = decodeCbor(bytes);
    return { value, strictErrors: duplicates };
  } catch (thrown) {
    if (thrown instanceof CborError) throw unrecognized(expected.kind.kind, `cbor: ${thrown.message}`, bytes);
    throw thrown;
  }
}

function parseBody(
  bytes: Buffer,
  encoding: Exclude<BodyEncoding, "protobuf">,
  expected: BodyExpectation,
): RawBody {
  if (encoding === "json") return parseJsonText(bytes, expected);
  return "yaml" in encoding
    ? parseYamlText(bytes, expected, encoding.yaml)
    : parseCborBytes(bytes, expected, encoding.cbor);
}

const describeJson = (value: unknown): string =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

/** apiVersion and kind are looked at before anything else: they must be text. */
function checkTypeMeta(
  value: unknown,
  expected: BodyExpectation,
  bytes: Buffer,
): asserts value is JsonObject {
  const refuse = (found: unknown, into: string): never => {
    const why = `${noKind}json: cannot unmarshal ${describeJson(found)} into Go ${into}`;
    throw unrecognized(expected.kind.kind, why, bytes);
  };
  if (!isObject(value))
    refuse(
      value,
      `value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  const object = value as JsonObject;
  for (const name of ["apiVersion", "kind"]) {
    const given = Object.hasOwn(object, name) ? object[name] : undefined;
    if (given !== undefined && given !== null && typeof given !== "string")
      refuse(given, `struct field .${name} of type string`);
  }
}

/** The kind that the value says it is, completed from the expected one. */
function kindOf(value: JsonObject, expected: GroupVersionKind): GroupVersionKind {
  const text = (name: string): string => (typeof value[name] === "string" ? value[name] : "");
  const apiVersion = text("apiVersion");
  const { group, version } = apiVersion === "" ? expected : parseApiVersion(apiVersion);
  return { group, version, kind: text("kind") || expected.kind };
}

/** How messages name the form that the server computes with: `core.Pod`. */
export const internalName = ({ group, kind }: Pick<GroupVersionKind, "group" | "kind">): string =>
  `${group === "" ? "core" : (group.split(".")[0] as string)}.${kind}`;

function checkKind(found: GroupVersionKind, expectation: BodyExpectation): void {
  const expected = expectation.kind;
  if (expectation.anyVersion === true && found.kind === expected.kind) return;
  const sameVersion = found.group === expected.group && found.version === expected.version;
  if (sameVersion && found.kind === expected.kind) return;
  const known = schemaFor(found.group, found.version, found.kind);
  // Other versions of kinds that bring their own schema are not known here.
  const isCustom = expectation.schema.decode !== undefined && found.group === expected.group;
  if ((known !== undefined || isCustom) && found.kind === expected.kind) {
    throw badRequest(
      `the API version in the data (${apiVersionOf(found)}) does not match the expected API version (${apiVersionOf(expected)})`,
    );
  }
  const why =
    known === undefined
      ? `no kind ${JSON.stringify(found.kind)} is registered for version ${JSON.stringify(apiVersionOf(found))}`
      : `converting (${known.goType}) to (${internalName(expected)}): unknown conversion`;
  throw cannotHandle(found, expected.kind, why);
}

/**
 * Decodes a value that is parsed already, e.g. the outcome of a patch. `strictErrors` are those of the parser.
 * Throws a 400 for wrong types, and for strict errors when validation is strict.
 */
export function decodeBodyValue(
  value: JsonObject,
  expectation: BodyExpectation,
  strictErrors: readonly string[] = [],
): DecodedBody {
  const found = kindOf(value, expectation.kind);
  checkKind(found, expectation);
  const legacy = expectation.rewriteLegacy?.(value) ?? [];
  let decoded;
  try {
    decoded = decodeObject(expectation.schema, value);
  } catch (thrown) {
    if (thrown instanceof DecodeError) throw cannotHandle(found, expectation.kind.kind, thrown.message);
    throw thrown;
  }
  const problems = [...decoded.strictErrors, ...strictErrors];
  if (problems.length > 0 && expectation.fieldValidation === "Strict") {
    throw cannotHandle(found, expectation.kind.kind, `strict decoding error: ${problems.join(", ")}`);
  }
  const { apiVersion, kind, ...rest } = decoded.object;
  // A body may leave its kind out: the path says it.
  const object = { kind: kind ?? found.kind, apiVersion: apiVersion ?? apiVersionOf(found), ...rest };
  return {
    object: object as DecodedBody["object"],
    warnings: expectation.fieldValidation === "Warn" ? [...legacy, ...problems] : legacy,
  };
}

function decodeProtobufBody(bytes: Buffer, expectation: BodyExpectation): DecodedBody {
  const expected = expectation.kind;
  let found = expected;
  try {
    const { apiVersion, kind } = openEnvelope(bytes);
    found = kindOf({ apiVersion, kind }, expected);
    checkKind(found, expectation);
    const { object } = decodeProtobuf(bytes, { apiVersion: apiVersionOf(expected), kind: expected.kind });
    return { object: object as DecodedBody["object"], warnings: [] };
  } catch (thrown) {
    if (!(thrown instanceof ProtobufError) && !(thrown instanceof DecodeError)) throw thrown;
    if (found === expected) throw unrecognized(expected.kind, thrown.message, bytes);
    throw cannotHandle(found, expected.kind, thrown.message);
  }
}

/** Decodes the body of a write. Throws `ApiError` (400) for everything that is wrong with it. */
export function decodeBody(bytes: Buffer, encoding: BodyEncoding, expectation: BodyExpectation): DecodedBody {
  if (encoding === "protobuf") return decodeProtobufBody(bytes, expectation);
  const { value, strictErrors } = parseBody(bytes, encoding, expectation);
  // `null`, and an empty YAML document, say nothing: an empty object.
  if (value === null) return decodeBodyValue({}, expectation, strictErrors);
  checkTypeMeta(value, expectation, bytes);
  return decodeBodyValue(value, expectation, strictErrors);
}
