// The floor: a bare HTTP/2 server with TLS that reads a request's body and answers with bytes that it already has.
// Arguments: port, and a file of JSON: certificate, key, and answers by method and path.

import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";

const [port = "", file = ""] = process.argv.slice(2);
const { cert, key, answers } = JSON.parse(readFileSync(file, "utf8")) as {
  cert: string;
  key: string;
  answers: Record<string, { status: number; body: string }>;
};
const bytes = new Map(Object.entries(answers).map(([name, { body }]) => [name, Buffer.from(body)]));
const statuses = new Map(Object.entries(answers).map(([name, { status }]) => [name, status]));

const server = createSecureServer({ cert, key, allowHTTP1: true, maxSessionMemory: 256 });
server.on("stream", (stream, headers) => {
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
