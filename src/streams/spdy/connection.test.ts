import assert from "node:assert/strict";
import { createServer, connect, type Socket } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { connectSpdy } from "./connection.ts";
import { dataFrame, FrameReader, frameTypes, pingFrame, type Frame } from "./frames.ts";

/** A connection whose other end is `serve`, over a real socket. */
async function pair(
  serve: (socket: Socket, frame: Frame) => void,
): Promise<{ socket: Socket; stop(): void }> {
  const server = createServer((socket) => {
    const reader = new FrameReader();
    socket.on("data", (chunk) => reader.push(chunk).forEach((frame) => serve(socket, frame)));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
  await once(socket, "connect");
  return { socket, stop: () => server.close() };
}

test("what goes into a stream comes back in order, megabytes of it, and its end too", async () => {
  const { socket, stop } = await pair((peer, frame) => {
    if (frame.kind === "data") peer.write(dataFrame(frame.stream, frame.payload, frame.fin));
  });
  const connection = connectSpdy(socket, Buffer.alloc(0));
  const sent = Buffer.alloc(3_000_000, "0123456789");
  const received: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  const stream = connection.open(
    { streamtype: "stdin" },
    {
      // A slow receiver: the connection waits for it.
      onData: async (chunk) => {
        await new Promise(setImmediate);
        received.push(chunk);
      },
      onEnd: ended.resolve,
    },
  );
  await stream.write(sent);
  stream.end();
  await ended.promise;
  assert.ok(Buffer.concat(received).equals(sent));
  connection.close();
  assert.equal(await connection.closed, undefined);
  stop();
});

test("a reset or a lost connection ends streams; the server's pings come back", async () => {
  const pings = Promise.withResolvers<void>();
  const { socket, stop } = await pair((peer, frame) => {
    if (frame.kind === "control" && frame.type === frameTypes.synStream) peer.write(pingFrame(2));
    if (frame.kind === "control" && frame.type === frameTypes.ping) {
      pings.resolve();
      peer.end(dataFrame(1, Buffer.from("last words"), false));
    }
  });
  const connection = connectSpdy(socket, Buffer.alloc(0));
  const ended = Promise.withResolvers<void>();
  let text = "";
  connection.open(
    { streamtype: "error" },
    { onData: (chunk) => void (text += chunk.toString()), onEnd: ended.resolve },
  );
  await pings.promise;
  await ended.promise;
  assert.equal(text, "last words");
  await connection.closed;
  stop();
});
