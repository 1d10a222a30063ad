// The bridge registry: the OCI distribution API over plain HTTP, for pulls by the nodes and pushes from the host.
// It listens on the cluster's bridge only, and takes pushes from this machine only: pods can reach it, and must not
// replace each other's images. Deleting is not offered: `leme down` removes the whole folder.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import { RegistryError } from "./errors.ts";
import { parseManifest, requiredBlobs } from "./manifest.ts";
import { isDigest, repositoryCandidates } from "./reference.ts";
import { pageOf, parseRange, routeOf, type RegistryRoute } from "./routes.ts";
import { manifestBytesMax, RegistryStorage, sha256, type StoredManifest } from "./storage.ts";

export interface RegistryOptions {
  readonly dir: string;
  readonly address: string;
  readonly port: number;
}

export interface Registry {
  readonly port: number;
  stop(): Promise<void>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly storage: RegistryStorage;
}

/** A connection that says nothing for so long is closed; a slow pull is not silent. */
const idleMsMax = 120_000;

export async function startRegistry(options: RegistryOptions, log: Logger): Promise<Registry> {
  const storage = new RegistryStorage(options.dir);
  const server = createServer((request, response) => void answer(request, response, storage, log));
  server.requestTimeout = 0;
  server.timeout = idleMsMax;
  await listen(server, options);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  log.info("registry listening", { address: options.address, port });
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { address, port }: RegistryOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** A connection from a machine to its own address has that address at both ends. */
function isFromThisMachine({ socket }: IncomingMessage): boolean {
  return socket.remoteAddress !== undefined && socket.remoteAddress === socket.localAddress;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  storage: RegistryStorage,
  log: Logger,
): Promise<void> {
  const method = request.method ?? "GET";
  try {
    const url = new URL(request.url ?? "/", "http://registry");
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    const reading = method === "GET" || method === "HEAD";
    if (!reading && !isFromThisMachine(request))
      throw new RegistryError("DENIED", "pushes come from the host");
    const route = routeOf(url.pathname);
    if (route === undefined) return send(response, 404, "not found\n", "text/plain");
    await handle(route, { request, response, method, query: url.searchParams, storage });
  } catch (thrown) {
    const error = toError(thrown);
    if (error instanceof RegistryError) {
      if (!response.headersSent) send(response, error.status, error.body, "application/json", method);
      return;
    }
    // A client that went away is its own business.
    if ((error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE" || request.errored) return;
    log.error("registry request failed", { method, url: request.url, error });
    if (!response.headersSent) send(response, 500, "internal error\n", "text/plain", method);
    else response.destroy();
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type: string,
  method = "GET",
): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(method === "HEAD" ? undefined : body);
}

async function handle(route: RegistryRoute, exchange: Exchange): Promise<void> {
  const { method, response, storage } = exchange;
  const reading = method === "GET" || method === "HEAD";
  switch (route.op) {
    case "ping":
      return send(response, 200, "{}", "application/json", method);
    case "catalog":
      return sendNames(exchange, "/v2/_catalog", storage.repositories(), (repositories) => ({
        repositories,
      }));
    case "tags":
      if (!storage.hasRepository(route.name)) throw new RegistryError("NAME_UNKNOWN", route.name);
      return sendNames(exchange, `/v2/${route.name}/tags/list`, storage.tags(route.name), (tags) => ({
        name: route.name,
        tags,
      }));
    case "manifest":
      if (reading) return sendManifest(route.name, route.reference, exchange);
      if (method === "PUT") return putManifest(route.name, route.reference, exchange);
      throw new RegistryError("UNSUPPORTED", method);
    case "blob":
      if (reading) return sendBlob(route.digest, exchange);
      throw new RegistryError("UNSUPPORTED", method);
    case "startUpload":
      if (method === "POST") return startUpload(route.name, exchange);
      throw new RegistryError("UNSUPPORTED", method);
    case "upload":
      return continueUpload(route.name, route.id, exchange);
  }
}

function sendNames(
  { response, query, method }: Exchange,
  path: string,
  names: readonly string[],
  body: (page: string[]) => unknown,
): void {
  const asked = query.get("n");
  const n = asked === null ? undefined : Number(asked);
  if (n !== undefined && (!Number.isInteger(n) || n < 0)) throw new RegistryError("UNSUPPORTED", "n");
  const { page, more } = pageOf(names, n, query.get("last") ?? undefined);
  const last = page.at(-1);
  if (more && last !== undefined)
    response.setHeader("link", `<${path}?n=${n}&last=${encodeURIComponent(last)}>; rel="next"`);
  send(response, 200, `${JSON.stringify(body(page))}\n`, "application/json", method);
}

function findManifest(name: string, reference: string, { query, storage }: Exchange): StoredManifest {
  const candidates = repositoryCandidates(name, query.get("ns") ?? undefined);
  for (const candidate of candidates) {
    const found = storage.manifest(candidate, reference);
    if (found !== undefined) return found;
  }
  throw new RegistryError("MANIFEST_UNKNOWN", `${name} ${reference}`);
}

function sendManifest(name: string, reference: string, exchange: Exchange): void {
  const { digest, mediaType, content } = findManifest(name, reference, exchange);
  exchange.response.setHeader("docker-content-digest", digest);
  exchange.response.setHeader("etag", `"${digest}"`);
  send(exchange.response, 200, content, mediaType, exchange.method);
}

/** Past the limit the rest is read and dropped, so that the client comes to read the refusal. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= manifestBytesMax) chunks.push(chunk);
  }
  if (size > manifestBytesMax) throw new RegistryError("SIZE_INVALID", `a manifest of ${size} bytes`);
  return Buffer.concat(chunks);
}

async function putManifest(
  name: string,
  reference: string,
  { request, response, storage }: Exchange,
): Promise<void> {
  const content = await readBody(request);
  const digest = sha256(content);
  const byDigest = isDigest(reference);
  if (byDigest && reference !== digest) throw new RegistryError("DIGEST_INVALID", reference);
  const manifest = parseManifest(content, request.headers["content-type"]);
  const missing = requiredBlobs(manifest).find((blob) => storage.blobSize(blob) === undefined);
  if (missing !== undefined) throw new RegistryError("MANIFEST_BLOB_UNKNOWN", missing);
  const stored = { digest, mediaType: manifest.mediaType, content };
  await storage.putManifest(name, stored, byDigest ? undefined : reference);
  response.setHeader("docker-content-digest", digest);
  response.setHeader("location", `/v2/${name}/manifests/${digest}`);
  send(response, 201, "", "text/plain");
}

async function sendBlob(digest: string, { request, response, method, storage }: Exchange): Promise<void> {
  const size = storage.blobSize(digest);
  if (size === undefined) throw new RegistryError("BLOB_UNKNOWN", digest);
  const range = method === "GET" ? parseRange(request.headers.range, size) : undefined;
  response.writeHead(range === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": range === undefined ? size : range.end - range.start + 1,
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
    ...(range === undefined ? {} : { "content-range": `bytes ${range.start}-${range.end}/${size}` }),
  });
  if (method === "HEAD") response.end();
  else await pipeline(storage.readBlob(digest, range?.start, range?.end), response);
}

function created(name: string, digest: string, response: ServerResponse): void {
  response.setHeader("docker-content-digest", digest);
  response.setHeader("location", `/v2/${name}/blobs/${digest}`);
  send(response, 201, "", "text/plain");
}

async function startUpload(name: string, { request, response, query, storage }: Exchange): Promise<void> {
  // Blobs are shared by all repositories: mounting one that is here is done already.
  const mount = query.get("mount");
  if (mount !== null && isDigest(mount) && storage.blobSize(mount) !== undefined)
    return created(name, mount, response);
  const id = storage.startUpload();
  const digest = query.get("digest");
  if (digest === null) return uploadState(name, id, 202, response, storage);
  if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", digest);
  await storage.append(id, request);
  await storage.finishUpload(id, digest);
  created(name, digest, response);
}

function uploadState(
  name: string,
  id: string,
  status: number,
  response: ServerResponse,
  storage: RegistryStorage,
): void {
  response.setHeader("location", `/v2/${name}/blobs/uploads/${id}`);
  response.setHeader("docker-upload-uuid", id);
  response.setHeader("range", `0-${Math.max(0, storage.uploadSize(id) - 1)}`);
  send(response, status, "", "text/plain");
}

async function continueUpload(name: string, id: string, exchange: Exchange): Promise<void> {
  const { request, response, method, query, storage } = exchange;
  switch (method) {
    case "GET":
      return uploadState(name, id, 204, response, storage);
    case "DELETE":
      storage.cancelUpload(id);
      return send(response, 204, "", "text/plain");
    case "PATCH": {
      const start = /^(\d+)-\d+$/.exec(request.headers["content-range"] ?? "")?.[1];
      if (start !== undefined && Number(start) !== storage.uploadSize(id))
        throw new RegistryError("BLOB_UPLOAD_INVALID", `expected a chunk from ${storage.uploadSize(id)}`);
      await storage.append(id, request);
      return uploadState(name, id, 202, response, storage);
    }
    case "PUT": {
      const digest = query.get("digest") ?? "";
      if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", digest);
      await storage.append(id, request);
      await storage.finishUpload(id, digest);
      return created(name, digest, response);
    }
    default:
      throw new RegistryError("UNSUPPORTED", method);
  }
}
