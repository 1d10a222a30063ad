// Answers: objects, lists, errors and plain values in the form that was negotiated.

import type { ApiResponse } from "#machinery/api-request.ts";
import { encodeProtobuf } from "#machinery/codec/protobuf.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { ApiError, Status } from "#machinery/status.ts";
import { servesCbor, type RequestContext } from "./context.ts";
import { mediaTypes, negotiate, type Encoding, type Offer, type OutputForm } from "./negotiate.ts";

export function bytesAnswer(
  status: number,
  contentType: string,
  chunks: readonly Buffer[],
  headers: Record<string, string> = {},
): ApiResponse {
  return { status, headers: { "content-type": contentType, ...headers }, body: { kind: "bytes", chunks } };
}

export function textAnswer(status: number, text: string): ApiResponse {
  return bytesAnswer(status, "text/plain; charset=utf-8", [Buffer.from(text)], {
    "x-content-type-options": "nosniff",
  });
}

export function jsonAnswer(status: number, value: unknown): ApiResponse {
  return bytesAnswer(status, mediaTypes.json, [Buffer.from(JSON.stringify(value))]);
}

/** The form of this request's answer; 406 when it asks for none that there is. */
export const formFor = (context: RequestContext, offer: Pick<Offer, "protobuf" | "views">): OutputForm =>
  negotiate(context.request.headers["accept"], {
    ...offer,
    cbor: servesCbor(context),
    stream: context.info.verb === "watch",
  });

/** The bytes of a whole object. What few ask for is loaded when somebody does. */
async function encode(object: object, encoding: Encoding): Promise<Buffer> {
  switch (encoding) {
    case "json":
      return Buffer.from(JSON.stringify(object));
    case "yaml": {
      const { printYaml } = await import("#machinery/codec/yaml.ts");
      return Buffer.from(printYaml(object));
    }
    case "cbor": {
      const { encodeCbor } = await import("#machinery/codec/cbor.ts");
      return encodeCbor(object);
    }
    case "protobuf":
      return encodeProtobuf(object as KubeObject);
  }
}

/** Any object in the negotiated encoding. */
export async function objectAnswer(
  status: number,
  object: KubeObject | object,
  form: OutputForm,
): Promise<ApiResponse> {
  return bytesAnswer(status, form.contentType, [await encode(object, form.encoding)]);
}

/** Beyond this nobody reads, and indenting would hold up everybody else. */
const prettyBytesMax = 4 * 1024 * 1024;

/** The same answer, indented, where it is JSON. */
export function indented(response: ApiResponse): ApiResponse {
  const { body, headers } = response;
  if (body.kind !== "bytes" || headers["content-type"] !== mediaTypes.json) return response;
  const bytes = Buffer.concat(body.chunks);
  if (bytes.length > prettyBytesMax) return response;
  const text = JSON.stringify(JSON.parse(bytes.toString()), null, 2);
  return { ...response, body: { kind: "bytes", chunks: [Buffer.from(text)] } };
}

function errorHeaders({ status, headers }: ApiError): Record<string, string> {
  const retryAfter = status.details?.retryAfterSeconds;
  return { ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }), ...headers };
}

/** An error as its Status, in JSON: what every client reads. */
export function errorAnswer(error: ApiError): ApiResponse {
  const bytes = Buffer.from(JSON.stringify(error.status));
  return bytesAnswer(error.status.code, mediaTypes.json, [bytes], errorHeaders(error));
}

/** An error as its Status, in the encoding that the client asked for. */
export async function encodedErrorAnswer(error: ApiError, encoding: Encoding): Promise<ApiResponse> {
  const bytes = await encode(error.status, encoding);
  return bytesAnswer(error.status.code, mediaTypes[encoding], [bytes], errorHeaders(error));
}

/** A success without a code of its own, as deletions answer. */
export function successStatus(details: Status["details"]): Omit<Status, "code"> {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    ...(details === undefined ? {} : { details }),
  };
}
