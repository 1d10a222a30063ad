// Requests over one HTTP/2 connection, a fixed number of them in flight, each timed.

import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import type { ServerAccess } from "#client/kubeconfig.ts";

export interface Load {
  readonly method: string;
  /** Path of the n-th request. */
  path(n: number): string;
  body?(n: number): string;
  /** JSON by default. */
  readonly contentType?: string;
  readonly expect: number;
}

export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds, one per request. */
  readonly latencies: readonly number[];
}

export function openSession(access: ServerAccess): ClientHttp2Session {
  const session = connect(access.server, {
    ca: access.certificateAuthority,
    cert: access.clientCertificate,
    key: access.clientKey,
    rejectUnauthorized: access.insecureSkipTlsVerify !== true,
    maxSessionMemory: 256,
  });
  // Requests in flight fail on their own; an idle session whose server is stopped has nothing to say.
  session.on("error", () => undefined);
  return session;
}

/** The text of one answer. */
export function ask(
  session: ClientHttp2Session,
  method: string,
  path: string,
  body?: string,
  contentType = "application/json",
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers: OutgoingHttpHeaders = { ":method": method, ":path": path };
    if (body !== undefined) headers["content-type"] = contentType;
    const stream = session.request(headers, { endStream: body === undefined });
    let status = 0;
    const chunks: Buffer[] = [];
    stream.on("response", (answer) => (status = answer[":status"] ?? 0));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => resolve({ status, text: Buffer.concat(chunks).toString() }));
    stream.on("error", reject);
    if (body !== undefined) stream.end(body);
  });
}

/** Pods are refused until their namespace has its account: resolves when it is there. */
export async function accountOf(session: ClientHttp2Session, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  while ((await ask(session, "GET", path)).status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

export interface Received {
  readonly bytes: number;
  readonly firstByteMs: number;
}

/** Reads an answer to its end and keeps nothing of it. */
export function receive(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const stream = session.request({ ...headers, ":path": path });
    let bytes = 0;
    let firstByteMs = 0;
    stream.on("response", (answer) => {
      if (answer[":status"] !== 200) reject(new Error(`GET ${path}: ${answer[":status"] ?? 0}`));
    });
    stream.on("data", (chunk: Buffer) => {
      if (bytes === 0) firstByteMs = performance.now() - from;
      bytes += chunk.length;
    });
    stream.on("end", () => resolve({ bytes, firstByteMs }));
    stream.on("error", reject);
  });
}

export async function run(
  session: ClientHttp2Session,
  load: Load,
  from: number,
  count: number,
  inFlight: number,
): Promise<LoadResult> {
  const latencies: number[] = [];
  let next = from;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (next < from + count) {
      const n = next++;
      const sent = performance.now();
      const { status, text } = await ask(
        session,
        load.method,
        load.path(n),
        load.body?.(n),
        load.contentType,
      );
      if (status !== load.expect)
        throw new Error(`${load.method} ${load.path(n)}: ${status} ${text.slice(0, 300)}`);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { seconds: (performance.now() - began) / 1000, latencies };
}
