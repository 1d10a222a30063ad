// The API server's sockets: HTTP/2 and HTTP/1.1 over TLS on one port. Turns requests into plain data and answers
// into bytes; knows nothing else.

import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { gzip } from "node:zlib";
import { promisify } from "node:util";
import { once } from "node:events";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { ApiRequest, ApiResponse } from "#machinery/api-request.ts";
import { badRequest, tooLarge, type ApiError } from "#machinery/status.ts";
import { errorAnswer } from "../answer.ts";
import type { Credentials } from "../auth/contract.ts";

export interface ListenerOptions {
  readonly address: string;
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** Verify client certificates: one authority or more, each PEM. */
  readonly clientAuthorities: readonly string[];
  readonly log: Logger;
  handle(request: ApiRequest, credentials: Credentials): Promise<ApiResponse>;
}

export interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

/** As upstream: bodies beyond this are answered with 413. */
const bodyBytesMax = 3 * 1024 * 1024;
/** Answers from here on are compressed for those who accept it. */
const gzipFromBytes = 128 * 1024;
const pieceBytes = 64 * 1024;
const headersTimeoutMs = 30_000;
const gracefulStopMs = 2_000;
const streamsMax = 1_000;
const gzipAsync = promisify(gzip);

export async function startListener(options: ListenerOptions): Promise<Listener> {
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.certificate,
    key: options.key,
    ca: [...options.clientAuthorities],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    settings: { maxConcurrentStreams: streamsMax },
  });
  const sockets = new Set<Socket>();
  server.on("secureConnection", (socket: TLSSocket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  server.on("sessionError", (error) => options.log.debug("session", { error: toError(error) }));
  server.on("tlsClientError", (error) => options.log.debug("tls", { error: toError(error) }));
  server.setTimeout(0);
  (server as Http2SecureServer & { headersTimeout?: number }).headersTimeout = headersTimeoutMs;
  server.on("request", (request: Http2ServerRequest, response: Http2ServerResponse) => {
    serve(request, response, options).catch((error: unknown) => {
      options.log.debug("connection lost", { path: request.url, error: toError(error) });
      response.stream?.destroy();
      request.socket?.destroy();
    });
  });
  server.on("upgrade", (request: Http2ServerRequest, socket: Duplex, head: Buffer) => {
    serveUpgrade(request, socket, head, options).catch((error: unknown) => {
      options.log.debug("upgrade failed", { path: request.url, error: toError(error) });
      socket.destroy();
    });
  });
  server.listen(options.port, options.address);
  await Promise.race([
    once(server, "listening"),
    once(server, "error").then(([error]) => {
      throw new Error(`cannot listen on ${options.address}:${options.port}: ${toError(error).message}`);
    }),
  ]);
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, gracefulStopMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** The subject of the client's certificate, if TLS has verified it. On HTTP/2 the TLS socket is the session's. */
function credentialsOf(request: Http2ServerRequest, headers: Record<string, string>): Credentials {
  const socket = (request.stream?.session?.socket ?? request.socket) as TLSSocket;
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined || subject === null) return { headers };
  if (!socket.authorized) return { headers, badCertificate: true };
  const organizations =
    subject.O === undefined ? [] : Array.isArray(subject.O) ? (subject.O as string[]) : [subject.O];
  return { headers, certificate: { commonName: String(subject.CN ?? ""), organizations } };
}

function headersOf(request: Http2ServerRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(":") || name.startsWith("leme-")) continue;
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  if (headers["host"] === undefined && request.authority) headers["host"] = request.authority;
  return headers;
}

async function readBody(request: Http2ServerRequest): Promise<Buffer | ApiError | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // The rest is read and thrown away, so that the client gets to see the answer.
    if (size <= bodyBytesMax) chunks.push(chunk);
    else if (size > 4 * bodyBytesMax) break;
  }
  if (size > bodyBytesMax) return tooLarge(`Request entity too large: limit is ${bodyBytesMax}`);
  return size === 0 ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

function plainRequest(
  request: Http2ServerRequest,
  headers: Record<string, string>,
  extra: Partial<ApiRequest>,
): ApiRequest {
  const url = request.url ?? "/";
  const at = url.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? "" : url.slice(at + 1),
    headers,
    ...extra,
  };
}

async function serve(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  options: ListenerOptions,
): Promise<void> {
  const headers = headersOf(request);
  const abort = new AbortController();
  response.once("close", () => abort.abort());
  const body = await readBody(request);
  if (body !== undefined && !Buffer.isBuffer(body)) return send(response, errorAnswer(body, false), headers);
  const api = plainRequest(request, headers, {
    signal: abort.signal,
    ...(body === undefined ? {} : { body }),
  });
  await send(response, await options.handle(api, credentialsOf(request, headers)), headers);
}

async function send(
  response: Http2ServerResponse,
  answer: ApiResponse,
  requested: Record<string, string>,
): Promise<void> {
  const { status, headers, body } = answer;
  switch (body.kind) {
    case "empty":
      response.writeHead(status, headers);
      response.end();
      return;
    case "bytes":
      return sendBytes(response, status, headers, body.chunks, requested["accept-encoding"] ?? "");
    case "stream":
      return sendStream(response, status, headers, body.chunks);
    case "upgrade": {
      const refusal = errorAnswer(badRequest("Upgrade request required"), false);
      response.writeHead(refusal.status, refusal.headers);
      response.end(refusal.body.kind === "bytes" ? Buffer.concat(refusal.body.chunks) : "");
      return;
    }
    case "object":
    case "events":
      throw new Error("shared objects cannot be sent over a socket");
  }
}

async function sendBytes(
  response: Http2ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  chunks: readonly Buffer[],
  accepts: string,
): Promise<void> {
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  if (size >= gzipFromBytes && /\bgzip\b/.test(accepts)) {
    const packed = await gzipAsync(Buffer.concat(chunks), { level: 1 });
    response.writeHead(status, { ...headers, "content-encoding": "gzip", "content-length": packed.length });
    response.end(packed);
    return;
  }
  response.writeHead(status, { ...headers, "content-length": size });
  for (const piece of pieces(chunks)) response.write(piece);
  response.end();
}

/** A list is many small chunks: they are sent in pieces that are worth a write. */
function* pieces(chunks: readonly Buffer[]): Generator<Buffer> {
  let gathered: Buffer[] = [];
  let size = 0;
  for (const chunk of chunks) {
    gathered.push(chunk);
    size += chunk.length;
    if (size < pieceBytes) continue;
    yield gathered.length === 1 ? chunk : Buffer.concat(gathered);
    gathered = [];
    size = 0;
  }
  if (size > 0) yield gathered.length === 1 ? (gathered[0] as Buffer) : Buffer.concat(gathered);
}

/** Waits for the client: what it does not take is not read ahead. */
async function sendStream(
  response: Http2ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  response.writeHead(status, headers);
  // Both kinds of response have it; the types of HTTP/2 leave it out.
  (response as Http2ServerResponse & { flushHeaders(): void }).flushHeaders();
  const closed = new Promise<void>((resolve) => response.once("close", () => resolve()));
  let open = true;
  void closed.then(() => (open = false));
  for await (const chunk of chunks) {
    if (!open) break;
    if (!response.write(chunk))
      await Promise.race([new Promise<void>((resolve) => response.once("drain", () => resolve())), closed]);
  }
  response.end();
}

async function serveUpgrade(
  request: Http2ServerRequest,
  socket: Duplex,
  head: Buffer,
  options: ListenerOptions,
): Promise<void> {
  const headers = headersOf(request);
  const abort = new AbortController();
  socket.once("close", () => abort.abort());
  const api = plainRequest(request, headers, { signal: abort.signal });
  const answer = await options.handle(api, credentialsOf(request, headers));
  if (answer.body.kind === "upgrade") {
    answer.body.handle(socket, head);
    return;
  }
  // Such a connection carries whole answers only: a stream (a watch) has to be asked for without an upgrade.
  if (answer.body.kind === "stream") abort.abort();
  const { status, headers: sent, body } = answer.body.kind === "stream" ? noStream() : answer;
  const bytes = body.kind === "bytes" ? Buffer.concat(body.chunks) : Buffer.alloc(0);
  const lines = Object.entries({ ...sent, "content-length": bytes.length, connection: "close" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n`;
  // Header bytes are what Node's own servers write: Latin-1.
  socket.end(Buffer.concat([Buffer.from(start, "latin1"), bytes]));
}

const noStream = (): ApiResponse =>
  errorAnswer(
    badRequest("this is not served over an upgraded connection: leave out the Upgrade header"),
    false,
  );
