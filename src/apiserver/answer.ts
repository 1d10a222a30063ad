// Answers: objects, lists, errors and plain values in the form that was negotiated.

import type { ApiResponse } from "#machinery/api-request.ts";
import { encodeProtobuf } from "#machinery/codec/protobuf.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { ApiError, Status } from "#machinery/status.ts";
import type { OutputForm } from "./negotiate.ts";

const jsonType = "application/json";

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
  return bytesAnswer(status, jsonType, [Buffer.from(JSON.stringify(value))]);
}

/** Any object in the negotiated encoding. */
export async function objectAnswer(
  status: number,
  object: KubeObject | object,
  form: OutputForm,
): Promise<ApiResponse> {
  switch (form.encoding) {
    case "json":
      return jsonAnswer(status, object);
    case "yaml": {
      const { printYaml } = await import("#machinery/codec/yaml.ts");
      return bytesAnswer(status, form.contentType, [Buffer.from(printYaml(object))]);
    }
    case "protobuf":
      return bytesAnswer(status, form.contentType, [encodeProtobuf(object as KubeObject)]);
  }
}

/** An error as its Status, always in JSON unless protobuf was asked for. */
export function errorAnswer(error: ApiError, protobuf: boolean): ApiResponse {
  const { status } = error;
  const retryAfter = status.details?.retryAfterSeconds;
  const headers = {
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
    ...error.headers,
  };
  return protobuf
    ? bytesAnswer(status.code, "application/vnd.kubernetes.protobuf", [encodeProtobuf(status)], headers)
    : bytesAnswer(status.code, jsonType, [Buffer.from(JSON.stringify(status))], headers);
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
