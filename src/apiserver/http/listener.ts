// The API server's sockets: HTTP/2 and HTTP/1.1 over TLS on one port. Turns requests into plain data and answers
// into bytes; knows nothing else.

import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex, Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { pipeline } from "node:stream/promises";
import { createGzip, gzip } from "node:zlib";
import { promisify } from "node:util";
import { once } from "node:events";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import {
  blocksOf,
  type ApiRequest,
  type ApiResponse,
  type ByteFeed,
  type ByteSource,
} from "#machinery/api-request.ts";
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
/** Up to here an answer is compressed as a whole. */
const gzipWholeBytesMax = 1024 * 1024;
/** The fastest: it takes most of what there is to take. */
const gzipLevel = 1;
const headersTimeoutMs = 30_000;
const gracefulStopMs = 2_000;
const streamsMax = 1_000;
/** What one write hands to the connection. */
const writeBytesMax = 64 * 1024;
/** Answers on their way to the clients of one connection, in megabytes; beyond it new requests are refused. */
const sessionMegabytesMax = 256;
const colon = 58;
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
    maxSessionMemory: sessionMegabytesMax,
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
  const answer = (exchange: Exchange): void => {
    serve(exchange, options).catch((error: unknown) => {
      options.log.debug("connection lost", { path: exchange.url, error: toError(error) });
      exchange.output.destroy();
    });
  };
  // HTTP/1.1 requests come as "request". For HTTP/2 that event is a layer over "stream", which we take as it is.
  server.on("request", (request: Http2ServerRequest, response: Http2ServerResponse) =>
    answer(exchange1(request as unknown as IncomingMessage, response as unknown as ServerResponse)),
  );
  server.removeAllListeners("stream");
  server.on("stream", (stream, headers) => answer(exchange2(stream, headers)));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
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

/** One request and its answer, on either protocol. */
interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly socket: TLSSocket;
  readonly input: Readable;
  readonly output: Writable;
  /** Sends status and headers. */
  start(status: number, headers: Readonly<Record<string, string | number>>): void;
  /** Headers do not wait for the first bytes of the body. */
  flush(): void;
}

function exchange1(request: IncomingMessage, response: ServerResponse): Exchange {
  return {
    method: request.method ?? "GET",
    url: request.url ?? "/",
    headers: headersOf(request.headers),
    socket: request.socket as TLSSocket,
    input: request,
    output: response,
    start: (status, headers) => void response.writeHead(status, headers),
    // An empty write sends the headers byte by byte as they are; flushHeaders would encode them once more.
    flush: () => void response.write(Buffer.alloc(0)),
  };
}

function exchange2(stream: ServerHttp2Stream, received: IncomingHttpHeaders): Exchange {
  stream.on("error", () => stream.destroy());
  return {
    method: received[":method"] ?? "GET",
    url: received[":path"] ?? "/",
    headers: headersOf(received),
    socket: stream.session?.socket as TLSSocket,
    input: stream,
    output: stream,
    start(status, headers) {
      if (!stream.destroyed) stream.respond({ ":status": status, ...headers });
    },
    flush: () => undefined,
  };
}

type Identity = Pick<Credentials, "certificate" | "badCertificate">;
/** A connection's certificate does not change; taking it apart costs more than most requests. */
const identities = new WeakMap<TLSSocket, Identity>();

function identityOf(socket: TLSSocket): Identity {
  let identity = identities.get(socket);
  if (identity === undefined) identities.set(socket, (identity = readIdentity(socket)));
  return identity;
}

/** The subject of the client's certificate, if TLS has verified it. */
function readIdentity(socket: TLSSocket): Identity {
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined || subject === null) return {};
  if (!socket.authorized) return { badCertificate: true };
  const organizations =
    subject.O === undefined ? [] : Array.isArray(subject.O) ? (subject.O as string[]) : [subject.O];
  return { certificate: { commonName: String(subject.CN ?? ""), organizations } };
}

function headersOf(received: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in received) {
    const value = received[name];
    if (value === undefined || name.charCodeAt(0) === colon || name.startsWith("leme-")) continue;
    headers[name] = typeof value === "string" ? value : value.join(", ");
  }
  if (headers["host"] === undefined && received[":authority"]) headers["host"] = received[":authority"];
  return headers;
}

/** By events: an iterator over a stream costs more than all the rest of reading a small body. */
function readBody({ method, input }: Exchange): Promise<Buffer | ApiError | undefined> {
  if (method === "GET" || method === "HEAD") return noBody;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => {
      if (size > bodyBytesMax) resolve(tooLarge(`Request entity too large: limit is ${bodyBytesMax}`));
      else resolve(size === 0 ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    };
    input.on("data", (chunk: Buffer) => {
      size += chunk.length;
      // The rest is read and thrown away, so that the client gets to see the answer.
      if (size <= bodyBytesMax) chunks.push(chunk);
      else if (size > 4 * bodyBytesMax) {
        done();
        input.destroy();
      }
    });
    input.once("end", done);
    input.once("error", reject);
    input.once("close", () => reject(clientGone));
  });
}
const noBody = Promise.resolve(undefined);

function plainRequest(
  { method, url, headers }: Pick<Exchange, "method" | "url" | "headers">,
  extra: Partial<ApiRequest>,
): ApiRequest {
  const at = url.indexOf("?");
  return {
    method,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? "" : url.slice(at + 1),
    headers,
    ...extra,
  };
}

/** Why a request ends early. One for all: making an error takes longer than answering some of them. */
const clientGone = new Error("the client has gone away");

async function serve(exchange: Exchange, options: ListenerOptions): Promise<void> {
  const { headers, output } = exchange;
  const abort = new AbortController();
  output.once("close", () => {
    if (!output.writableFinished) abort.abort(clientGone);
  });
  const body = await readBody(exchange);
  if (body !== undefined && !Buffer.isBuffer(body)) return send(exchange, errorAnswer(body));
  const api = plainRequest(exchange, { signal: abort.signal, ...(body === undefined ? {} : { body }) });
  await send(exchange, await options.handle(api, { headers, ...identityOf(exchange.socket) }));
}

async function send(exchange: Exchange, { status, headers, body }: ApiResponse): Promise<void> {
  switch (body.kind) {
    case "empty":
      exchange.start(status, headers);
      exchange.output.end();
      return;
    case "bytes":
      return sendBytes(exchange, status, headers, body.chunks);
    case "source":
      return sendSource(exchange, status, headers, body.source);
    case "stream":
      return sendStream(exchange, status, headers, body);
    case "upgrade": {
      const refusal = errorAnswer(badRequest("Upgrade request required"));
      exchange.start(refusal.status, refusal.headers);
      exchange.output.end(refusal.body.kind === "bytes" ? Buffer.concat(refusal.body.chunks) : "");
      return;
    }
    case "object":
    case "events":
      throw new Error("shared objects cannot be sent over a socket");
  }
}

async function sendBytes(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  chunks: readonly Buffer[],
): Promise<void> {
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  if (size >= gzipFromBytes && acceptsGzip(exchange))
    return sendPacked(exchange, status, headers, chunks, size);
  exchange.start(status, { ...headers, "content-length": size });
  if (size <= writeBytesMax) {
    exchange.output.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    return;
  }
  await writeBlocks(exchange.output, sourceOf(chunks));
}

/**
 * Many small pieces cost a frame each: they go out in blocks. Two blocks take turns, so that one is filled while the other
 * is on its way, and an answer of any size takes no more memory than these.
 */
async function writeBlocks(output: Writable, source: ByteSource): Promise<void> {
  const closed = new Promise<void>((resolve) => output.once("close", () => resolve()));
  const blocks = [Buffer.allocUnsafeSlow(writeBytesMax), Buffer.allocUnsafeSlow(writeBytesMax)];
  let sent: Promise<void> = Promise.resolve();
  for (let turn = 0; !output.destroyed; turn ^= 1) {
    const block = blocks[turn] as Buffer;
    const size = source.fill(block);
    await Promise.race([sent, closed]);
    if (size === 0) break;
    sent = new Promise((resolve) => output.write(block.subarray(0, size), () => resolve()));
  }
  output.end();
}

/** Pieces that are there, one after the other. */
function sourceOf(chunks: readonly Buffer[]): ByteSource {
  let next = 0;
  /** How much of the next one has been taken. */
  let from = 0;
  return {
    fill(block) {
      let size = 0;
      while (next < chunks.length && size < block.length) {
        const chunk = chunks[next] as Buffer;
        const taken = chunk.copy(block, size, from);
        size += taken;
        from += taken;
        if (from === chunk.length) {
          next++;
          from = 0;
        }
      }
      return size;
    },
  };
}

/** Its size shows at its end only. It is long, so that whoever accepts it compressed gets it so. */
async function sendSource(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  source: ByteSource,
): Promise<void> {
  if (acceptsGzip(exchange)) {
    exchange.start(status, packedHeaders(headers));
    return pipeline(blocksOf(source), createGzip({ level: gzipLevel }), exchange.output);
  }
  exchange.start(status, headers);
  await writeBlocks(exchange.output, source);
}

const acceptsGzip = ({ headers }: Exchange): boolean => /\bgzip\b/.test(headers["accept-encoding"] ?? "");

const packedHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> => ({
  ...headers,
  vary: headers["vary"]?.includes("Accept-Encoding") === true ? headers["vary"] : "Accept-Encoding",
  "content-encoding": "gzip",
});

/** Compressed: at once, or, what is large, in blocks, so that there is no second copy of it. */
async function sendPacked(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  chunks: readonly Buffer[],
  size: number,
): Promise<void> {
  const encoded = packedHeaders(headers);
  if (size <= gzipWholeBytesMax) {
    const packed = await gzipAsync(Buffer.concat(chunks), { level: gzipLevel });
    exchange.start(status, { ...encoded, "content-length": packed.length });
    exchange.output.end(packed);
    return;
  }
  exchange.start(status, encoded);
  await pipeline(blocksOf(sourceOf(chunks)), createGzip({ level: gzipLevel }), exchange.output);
}

async function sendStream(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  { chunks, feed }: { readonly chunks: AsyncIterable<Buffer>; readonly feed?: ByteFeed },
): Promise<void> {
  exchange.start(status, headers);
  exchange.flush();
  if (feed === undefined) await write(exchange.output, chunks);
  else feedTo(exchange.output, feed);
}

/** What has been closed takes everything and drops it: its request is aborted, which ends the feed. */
function feedTo(output: Writable, feed: ByteFeed): void {
  const resume = feed({
    write: (chunk) => output.destroyed || output.write(chunk),
    end: () => {
      if (!output.destroyed) output.end();
    },
    fail: (error) => void output.destroy(error),
  });
  output.on("drain", resume);
}

/** Waits for the client: what it does not take is not read ahead. */
async function write(output: Writable, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
  const closed = new Promise<void>((resolve) => output.once("close", () => resolve()));
  let open = !output.destroyed;
  void closed.then(() => (open = false));
  for await (const chunk of chunks) {
    if (!open) break;
    if (!output.write(chunk))
      await Promise.race([new Promise<void>((resolve) => output.once("drain", () => resolve())), closed]);
  }
  output.end();
}

async function serveUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: ListenerOptions,
): Promise<void> {
  const headers = headersOf(request.headers);
  const abort = new AbortController();
  socket.once("close", () => abort.abort(clientGone));
  const { method = "GET", url = "/" } = request;
  const api = plainRequest({ method, url, headers }, { signal: abort.signal });
  const answer = await options.handle(api, { headers, ...identityOf(request.socket as TLSSocket) });
  if (answer.body.kind === "upgrade") {
    answer.body.handle(socket, head);
    return;
  }
  // Such a connection carries whole answers only: a stream (a watch) has to be asked for without an upgrade.
  if (answer.body.kind === "stream") abort.abort(clientGone);
  const { status, headers: sent, body } = answer.body.kind === "stream" ? noStream() : answer;
  const chunks =
    body.kind === "bytes" ? body.chunks : body.kind === "source" ? [...blocksOf(body.source)] : [];
  const bytes = Buffer.concat(chunks);
  const lines = Object.entries({ ...sent, "content-length": bytes.length, connection: "close" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n`;
  // Header bytes are what Node's own servers write: Latin-1.
  socket.end(Buffer.concat([Buffer.from(start, "latin1"), bytes]));
}

const noStream = (): ApiResponse =>
  errorAnswer(badRequest("this is not served over an upgraded connection: leave out the Upgrade header"));
