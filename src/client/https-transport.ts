// The transport over TLS: one HTTP/2 session per server, made on demand, checked by pings, replaced when it breaks.

import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from "node:http2";
import { toError } from "#base/assert.ts";
import type { ApiRequest, ApiResponse, Transport } from "#machinery/api-request.ts";
import { sharedObjectsHeader } from "#machinery/api-request.ts";
import type { ServerAccess } from "./kubeconfig.ts";

/** A session that is silent this long is asked whether it lives, and given as long to answer. */
const pingEveryMs = 20_000;
const pingTimeoutMs = 15_000;
const connectTimeoutMs = 10_000;
/** Answers that have come and wait to be read, in megabytes; beyond it requests fail. */
const sessionMegabytesMax = 256;

export function createHttpsTransport(access: ServerAccess): Transport {
  let session: Promise<ClientHttp2Session> | undefined;
  let closed = false;
  const inProgress = new WeakMap<ClientHttp2Session, number>();

  function open(): Promise<ClientHttp2Session> {
    const opening = new Promise<ClientHttp2Session>((resolve, reject) => {
      const made = connect(access.server, {
        ...(access.certificateAuthority === undefined ? {} : { ca: access.certificateAuthority }),
        ...(access.clientCertificate === undefined ? {} : { cert: access.clientCertificate }),
        ...(access.clientKey === undefined ? {} : { key: access.clientKey }),
        ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
        rejectUnauthorized: access.insecureSkipTlsVerify !== true,
        maxSessionMemory: sessionMegabytesMax,
      });
      const timer = setTimeout(
        () => made.destroy(new Error(`connecting to ${access.server} timed out`)),
        connectTimeoutMs,
      );
      made.once("connect", () => {
        clearTimeout(timer);
        keepChecking(made);
        resolve(made);
      });
      made.on("error", reject);
      made.once("close", () => {
        clearTimeout(timer);
        if (session === opening) session = undefined;
        reject(new Error(`the connection to ${access.server} closed`));
      });
      made.once("goaway", () => {
        if (session === opening) session = undefined;
      });
    });
    // Every request awaits the session itself; this only keeps an unused failure from being unhandled.
    opening.catch(() => undefined);
    return opening;
  }

  function keepChecking(made: ClientHttp2Session): void {
    const timer = setInterval(() => {
      // Destroyed, and its "close" is still to come: this turn of the loop may have begun late.
      if (made.destroyed) return;
      const late = setTimeout(
        () => made.destroy(new Error(`${access.server} does not answer pings`)),
        pingTimeoutMs,
      );
      late.unref();
      if (!made.ping(() => clearTimeout(late))) clearTimeout(late);
    }, pingEveryMs);
    timer.unref();
    made.once("close", () => clearInterval(timer));
    made.unref();
  }

  async function request(api: ApiRequest): Promise<ApiResponse> {
    if (closed) throw new Error("the transport is closed");
    session ??= open();
    const live = await session;
    api.signal?.throwIfAborted();
    const stream = live.request(headersOf(api, access), { endStream: api.body === undefined });
    // Requests in progress keep the process alive; an idle session does not.
    live.ref();
    inProgress.set(live, (inProgress.get(live) ?? 0) + 1);
    stream.once("close", () => {
      const left = (inProgress.get(live) ?? 1) - 1;
      inProgress.set(live, left);
      if (left === 0 && !live.destroyed) live.unref();
    });
    const abort = (): void => stream.close(constants.NGHTTP2_CANCEL);
    api.signal?.addEventListener("abort", abort, { once: true });
    stream.once("close", () => api.signal?.removeEventListener("abort", abort));
    if (api.body !== undefined) stream.end(Buffer.isBuffer(api.body) ? api.body : JSON.stringify(api.body));
    return answerOf(stream);
  }

  return {
    request,
    async close() {
      closed = true;
      const live = await session?.catch(() => undefined);
      live?.destroy();
    },
  };
}

function headersOf(api: ApiRequest, access: ServerAccess): OutgoingHttpHeaders {
  const { [sharedObjectsHeader]: _inProcessOnly, ...headers } = api.headers;
  return {
    ...headers,
    ":method": api.method,
    ":path": api.query === "" ? api.path : `${api.path}?${api.query}`,
    ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
  };
}

function answerOf(stream: ClientHttp2Stream): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    stream.once("error", (error) => reject(toError(error)));
    stream.once("close", () => reject(new Error("the server closed the request without an answer")));
    stream.once("response", (received) => {
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(received)) {
        if (!name.startsWith(":") && value !== undefined)
          headers[name] = Array.isArray(value) ? value.join(", ") : String(value);
      }
      resolve({
        status: received[":status"] ?? 0,
        headers,
        body: { kind: "stream", chunks: stream as AsyncIterable<Buffer> },
      });
    });
  });
}
