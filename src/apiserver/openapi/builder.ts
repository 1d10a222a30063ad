// Hands documents to be made to a thread, which is started for them and ended a little after the last: what a document
// is made of is in nobody's memory in between, and no other request waits while one is made.

import { Worker } from "node:worker_threads";
import { toError } from "#base/assert.ts";
import type { DocumentRequest } from "./document.ts";
import type { Job, JobDone } from "./worker.ts";

export interface DocumentBuilder {
  build(request: DocumentRequest, options: { protobuf: boolean }): Promise<Buffer>;
  stop(): void;
}

/** Whoever reads one document often reads the next: the thread waits this long for more. */
const idleMs = 3_000;

/** From sources the module beside this one; in the bundle the file that scripts/build.ts makes beside it. */
const workerUrl = import.meta.url.endsWith(".ts")
  ? new URL("./worker.ts", import.meta.url)
  : new URL("../openapi-worker.mjs", import.meta.url);

interface Waiting {
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

export function createDocumentBuilder(clock: {
  after(ms: number, fn: () => void): unknown;
}): DocumentBuilder {
  /** Callers share a document while it is made, so this has at most an entry per document. */
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let serial = 0;

  function fail(of: Worker, error: Error): void {
    if (worker !== of) return;
    worker = undefined;
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
  }

  function end(of: Worker): void {
    if (worker === of) worker = undefined;
    of.terminate().catch(() => undefined);
  }

  function start(): Worker {
    const started = new Worker(workerUrl, { name: "openapi" });
    started.on("message", ({ id, bytes, error }: JobDone) => {
      const one = waiting.get(id);
      waiting.delete(id);
      if (bytes === undefined) one?.reject(new Error(`OpenAPI: ${error}`));
      else one?.resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      if (waiting.size > 0) return;
      started.unref();
      const last = serial;
      clock.after(idleMs, () => {
        if (serial === last) end(started);
      });
    });
    started.on("error", (error) => fail(started, toError(error)));
    started.on("exit", () => fail(started, new Error("OpenAPI: the thread has ended")));
    return started;
  }

  return {
    build: (request, { protobuf }) =>
      new Promise((resolve, reject) => {
        worker ??= start();
        worker.ref();
        const id = ++serial;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, request, protobuf } satisfies Job);
      }),
    stop() {
      if (worker !== undefined) end(worker);
      for (const one of waiting.values()) one.reject(new Error("OpenAPI: the server is stopping"));
      waiting.clear();
    },
  };
}
