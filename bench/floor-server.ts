// The floor: a bare HTTP/2 server with TLS that reads a request's body and answers with bytes that it already has. What
// is sent to /emit goes to everyone who reads /watch; /repeat?bytes=N sends the answer of "GET /piece" until N are sent.
// Arguments: port, and a file of JSON: certificate, key, and answers by method and path.

import { readFileSync } from "node:fs";
import { createSecureServer, type ServerHttp2Stream } from "node:http2";

const [port = "", file = ""] = process.argv.slice(2);
const { cert, key, answers } = JSON.parse(readFileSync(file, "utf8")) as {
  cert: string;
  key: string;
  answers: Record<string, { status: number; body: string }>;
};
const bytes = new Map(Object.entries(answers).map(([name, { body }]) => [name, Buffer.from(body)]));
const statuses = new Map(Object.entries(answers).map(([name, { status }]) => [name, status]));

const server = createSecureServer({ cert, key, allowHTTP1: true, maxSessionMemory: 256 });
const watchers = new Set<ServerHttp2Stream>();

async function repeat(stream: ServerHttp2Stream, total: number): Promise<void> {
  const piece = bytes.get("GET /piece") ?? Buffer.alloc(0);
  stream.respond({ ":status": 200, "content-type": "application/json" });
  for (let sent = 0; sent < total; sent += piece.length) {
    if (stream.write(piece)) continue;
    await new Promise((resolve) => stream.once("drain", resolve));
  }
  stream.end();
}

server.on("stream", (stream, headers) => {
  const path = headers[":path"] ?? "";
  if (path === "/watch") {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    watchers.add(stream);
    stream.on("close", () => watchers.delete(stream));
    stream.on("error", () => undefined);
    return;
  }
  if (path.startsWith("/repeat?bytes=")) {
    void repeat(stream, Number(path.split("=")[1]));
    return;
  }
  if (path === "/emit") {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const event = Buffer.concat(chunks);
      for (const watcher of watchers) watcher.write(event);
      stream.respond({ ":status": 200 }, { endStream: true });
    });
    return;
  }
  const name = `${headers[":method"] ?? ""} ${headers[":path"] ?? ""}`;
  const body = bytes.get(name);
  stream.on("data", () => undefined);
  stream.on("end", () => {
    stream.respond({
      ":status": body === undefined ? 404 : (statuses.get(name) as number),
      "content-type": "application/json",
      "content-length": body?.length ?? 0,
    });
    stream.end(body);
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
