// The client's end of exec and attach: WebSocket `v5.channel.k8s.io` (KEP-4006) where the server speaks it, else
// SPDY/3.1 with `v4.channel.k8s.io`. Both carry stdin, stdout, stderr, terminal sizes, and a Status at the end.

import type { WebSocket } from "ws";
import type { Status } from "#machinery/status.ts";
import { connectSpdy, type SpdyStream } from "./spdy/connection.ts";
import { upgrade, UpgradeRefused } from "./upgrade.ts";

export interface RemoteCommand {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: object;
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Not with a terminal, where everything is stdout. */
  readonly stderr: boolean;
  readonly tty: boolean;
  /** Called in order; the next chunk comes when it resolves. */
  onOutput(name: "stdout" | "stderr", chunk: Buffer): void | Promise<void>;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface RemoteSession {
  /** Resolves when there is room for more. */
  write(chunk: Buffer): Promise<void>;
  /** Ends stdin. */
  end(): void;
  resize(size: TerminalSize): void;
  /** How the command ended. Rejects where the connection broke before that was known. */
  readonly status: Promise<Status>;
  close(): void;
}

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const statusBytesMax = 1024 * 1024;

export async function openRemoteCommand(command: RemoteCommand): Promise<RemoteSession> {
  const socket = await openWebSocket(command);
  return socket === undefined ? openSpdy(command) : webSocketSession(command, socket);
}

function parseStatus(text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    // Older servers send a sentence.
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: text, code: 500 };
  }
}

/** Undefined where the server does not speak the protocol. */
async function openWebSocket(command: RemoteCommand): Promise<WebSocket | undefined> {
  const { WebSocket: Socket } = await import("ws");
  const url = new URL(command.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new Socket(url, ["v5.channel.k8s.io"], {
    headers: command.headers as Record<string, string>,
    perMessageDeflate: false,
    ...command.tls,
  });
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, answer) => {
      answer.resume();
      resolve(undefined);
    });
  });
}

function webSocketSession(command: RemoteCommand, socket: WebSocket): RemoteSession {
  const send = (channel: number, data: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.send(Buffer.concat([Buffer.from([channel]), data]), (error) =>
        error === undefined || error === null ? resolve() : reject(error),
      );
    });
  const status = new Promise<Status>((resolve, reject) => {
    let last = "";
    let turn = Promise.resolve();
    socket.on("message", (data: Buffer) => {
      const [channel] = data;
      const payload = data.subarray(1);
      if (channel === channels.error) last += payload.toString();
      else if ((channel === channels.stdout || channel === channels.stderr) && payload.length > 0) {
        const name = channel === channels.stdout ? "stdout" : "stderr";
        turn = turn.then(() => command.onOutput(name, payload));
      }
    });
    socket.once("error", reject);
    socket.once("close", (code: number, reason: Buffer) => {
      turn.then(
        () =>
          last === ""
            ? reject(new Error(`the connection to the container closed: ${code} ${reason.toString()}`.trim()))
            : resolve(parseStatus(last)),
        reject,
      );
    });
  });
  status.catch(() => undefined);
  return {
    status,
    write: (chunk) => send(channels.stdin, chunk),
    end: () => void send(channels.close, Buffer.from([channels.stdin])).catch(() => undefined),
    resize: (size) => void send(channels.resize, sizeMessage(size)).catch(() => undefined),
    close: () => socket.terminate(),
  };
}

const sizeMessage = ({ columns, rows }: TerminalSize): Buffer =>
  Buffer.from(JSON.stringify({ Width: columns, Height: rows }));

async function openSpdy(command: RemoteCommand): Promise<RemoteSession> {
  const { socket, head, headers } = await upgrade({
    url: command.url,
    method: "POST",
    headers: { ...command.headers, upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" },
    tls: command.tls,
  });
  const protocol = headers["x-stream-protocol-version"];
  if (protocol !== "v4.channel.k8s.io") {
    socket.destroy();
    throw new UpgradeRefused(101, `the server speaks ${String(protocol)}, not v4.channel.k8s.io`);
  }
  const connection = connectSpdy(socket, head);
  let told = "";
  const ends: Promise<void>[] = [];
  const open = (streamType: string, onData?: (chunk: Buffer) => void | Promise<void>): SpdyStream => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (onData !== undefined) ends.push(promise);
    return connection.open(
      { streamtype: streamType },
      { onEnd: resolve, ...(onData === undefined ? {} : { onData }) },
    );
  };
  open("error", (chunk) => {
    if (told.length < statusBytesMax) told += chunk.toString();
  });
  const stdin = command.stdin ? open("stdin") : undefined;
  if (command.stdout) open("stdout", (chunk) => command.onOutput("stdout", chunk));
  if (command.stderr) open("stderr", (chunk) => command.onOutput("stderr", chunk));
  const resize = command.tty ? open("resize") : undefined;
  const status = Promise.all(ends).then(async () => {
    connection.close();
    const failure = await connection.closed;
    if (told === "") throw failure ?? new Error("the connection to the container closed");
    return parseStatus(told);
  });
  status.catch(() => undefined);
  return {
    status,
    write: (chunk) => stdin?.write(chunk) ?? Promise.resolve(),
    end: () => stdin?.end(),
    resize: (size) => void resize?.write(sizeMessage(size)).catch(() => undefined),
    close: () => connection.close(),
  };
}
