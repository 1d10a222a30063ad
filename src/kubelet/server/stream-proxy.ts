// Joins a client's upgraded connection to the runtime's streaming server, byte for byte: the two speak the protocol
// between themselves.

import { connect, type Socket } from "node:net";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Headers that are about the connection to us, or that the runtime has no business seeing. */
const dropped = new Set(["host", "authorization", "cookie", "origin", "content-length"]);

const connectMsMax = 10_000;

/** WebSocket versions that the runtime cannot speak; clients that offer only these fall back to SPDY. */
const unsupported = /^(v5\.channel\.k8s\.io|SPDY\/3\.1\+portforward\.k8s\.io)$/;

/** True for an upgrade that can only be refused. */
export function mustRefuse(request: IncomingMessage): boolean {
  if (!/^websocket$/i.test(request.headers.upgrade ?? "")) return false;
  const protocols = (request.headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "");
  return protocols.length > 0 && protocols.every((protocol) => unsupported.test(protocol));
}

export function refuse(socket: Duplex, status: number, reason: string, message: string): void {
  socket.on("error", () => socket.destroy());
  const body = message;
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function requestHead(request: IncomingMessage, url: URL): string {
  let head = `${request.method ?? "GET"} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n`;
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] as string;
    if (!dropped.has(name.toLowerCase())) head += `${name}: ${request.rawHeaders[at + 1] as string}\r\n`;
  }
  return `${head}\r\n`;
}

/** Both directions, with half-closes kept; when one side breaks, so does the other. */
function join(client: Duplex, server: Socket): void {
  client.pipe(server);
  server.pipe(client);
  const end = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on("error", end);
  server.on("error", end);
  client.on("close", () => server.destroy());
  server.on("close", () => {
    // What the runtime sent last must still reach the client.
    if (client.writableEnded || client.destroyed) return;
    client.end();
  });
}

/** Replays the upgrade request to `url` and joins the two connections. */
export function proxyUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
  const server = connect({ host: url.hostname, port: Number(url.port || 80), noDelay: true });
  const timer = setTimeout(() => server.destroy(new Error("timed out")), connectMsMax);
  const failed = (): void => {
    clearTimeout(timer);
    refuse(socket, 502, "Bad Gateway", "the container runtime's streaming server does not answer");
  };
  server.once("error", failed);
  server.once("connect", () => {
    clearTimeout(timer);
    server.off("error", failed);
    server.write(requestHead(request, url));
    if (head.length > 0) server.write(head);
    join(socket, server);
  });
}
