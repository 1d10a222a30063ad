// The thread that makes OpenAPI documents: it holds all that they are made of, and ends when nobody asks for more.

import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { assert, toError } from "#base/assert.ts";
import { readDescriptions } from "./descriptions.ts";
import { buildDocument, type DocumentRequest } from "./document.ts";
import { encodeOpenApiV2 } from "./protobuf.ts";

export interface Job {
  readonly id: number;
  readonly request: DocumentRequest;
  readonly protobuf: boolean;
}

export interface JobDone {
  readonly id: number;
  readonly bytes?: Uint8Array;
  readonly error?: string;
}

const port = parentPort;
assert(port !== null, "this module runs in a thread");
const describe = readDescriptions(join(import.meta.dirname, "api-docs.json"), import.meta.url);

port.on("message", ({ id, request, protobuf }: Job) => {
  try {
    const document = buildDocument(request, describe);
    const bytes = protobuf
      ? new Uint8Array(encodeOpenApiV2(document))
      : new TextEncoder().encode(JSON.stringify(document));
    port.postMessage({ id, bytes } satisfies JobDone, [bytes.buffer]);
  } catch (error) {
    port.postMessage({ id, error: toError(error).stack ?? "" } satisfies JobDone);
  }
});
