// The client's end of a SPDY/3.1 connection over a socket that has been upgraded: streams in both directions.
// Servers of Kubernetes neither send nor heed WINDOW_UPDATE: what keeps a fast side from drowning a slow one is TCP,
// so reading stops while a receiver is busy, and writers wait for the socket to drain.

import type { Duplex } from "node:stream";
import { toError } from "#base/assert.ts";
import {
  dataFrame,
  frameTypes,
  FrameReader,
  HeaderEncoder,
  pingFrame,
  rstStreamFrame,
  synStreamFrame,
  type ControlFrame,
} from "./frames.ts";

/** One write becomes frames of at most this size, so that streams share the connection. */
const writeBytesMax = 32 * 1024;
const cancelStatus = 5;

export interface SpdyStream {
  /** Resolves when there is room for more. */
  write(chunk: Buffer): Promise<void>;
  /** Nothing more comes from here; the other direction stays open. */
  end(): void;
  reset(): void;
}

export interface StreamReceiver {
  /** The connection reads on when it resolves. */
  onData?(chunk: Buffer): void | Promise<void>;
  onEnd?(): void;
}

export interface SpdyConnection {
  open(headers: Readonly<Record<string, string>>, receiver: StreamReceiver): SpdyStream;
  /** Resolves when the connection ends; with the error that ended it, if one did. */
  readonly closed: Promise<Error | undefined>;
  close(): void;
}

/** `head`: bytes that came with the upgrade's answer. */
export function connectSpdy(socket: Duplex, head: Buffer): SpdyConnection {
  const reader = new FrameReader();
  const encoder = new HeaderEncoder();
  const receivers = new Map<number, StreamReceiver>();
  let nextStream = 1;
  let failure: Error | undefined;
  let closing = false;

  const { promise: closed, resolve: nowClosed } = Promise.withResolvers<Error | undefined>();
  socket.on("error", (error) => (failure ??= error));

  async function send(bytes: Buffer): Promise<void> {
    if (socket.destroyed) throw failure ?? new Error("the connection is closed");
    if (socket.write(bytes)) return;
    await Promise.race([new Promise<void>((resolve) => socket.once("drain", resolve)), closed]);
  }

  function forget(stream: number): void {
    const receiver = receivers.get(stream);
    receivers.delete(stream);
    receiver?.onEnd?.();
  }

  function control({ type, payload }: ControlFrame): void {
    switch (type) {
      case frameTypes.rstStream:
        forget(payload.readUInt32BE(0) & 0x7fff_ffff);
        return;
      case frameTypes.ping:
        // Pings with even numbers are the server's, and come back as they are.
        if (payload.readUInt32BE(0) % 2 === 0) socket.write(pingFrame(payload.readUInt32BE(0)));
        return;
      case frameTypes.goAway:
        socket.end();
        return;
      case frameTypes.synStream:
        socket.write(rstStreamFrame(payload.readUInt32BE(0) & 0x7fff_ffff, cancelStatus));
    }
  }

  async function receive(chunk: Buffer): Promise<void> {
    for (const frame of reader.push(chunk)) {
      if (frame.kind === "control") control(frame);
      else {
        if (frame.payload.length > 0) await receivers.get(frame.stream)?.onData?.(frame.payload);
        if (frame.fin) forget(frame.stream);
      }
    }
  }

  async function readAll(): Promise<void> {
    try {
      if (head.length > 0) await receive(head);
      for await (const chunk of socket) await receive(chunk as Buffer);
    } catch (thrown) {
      if (!closing) failure ??= toError(thrown);
    } finally {
      socket.destroy();
      for (const receiver of receivers.values()) receiver.onEnd?.();
      receivers.clear();
      nowClosed(failure);
    }
  }
  void readAll();

  return {
    closed,
    close() {
      closing = true;
      socket.destroy();
    },
    open(headers, receiver) {
      const id = nextStream;
      nextStream += 2;
      receivers.set(id, receiver);
      socket.write(synStreamFrame(id, encoder.encode(headers)));
      return {
        async write(chunk) {
          for (let at = 0; at < chunk.length; at += writeBytesMax)
            await send(dataFrame(id, chunk.subarray(at, at + writeBytesMax), false));
        },
        end: () => void (socket.destroyed || socket.write(dataFrame(id, Buffer.alloc(0), true))),
        reset: () => void (socket.destroyed || socket.write(rstStreamFrame(id, cancelStatus))),
      };
    },
  };
}
