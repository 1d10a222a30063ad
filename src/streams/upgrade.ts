// An HTTP/1.1 request that asks the server to speak another protocol on the same connection.

import { request as plainRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Duplex } from "node:stream";

export interface UpgradeRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Certificates, as node:tls takes them. */
  readonly tls: object;
}

export interface Upgraded {
  readonly socket: Duplex;
  /** What came right behind the answer. */
  readonly head: Buffer;
  readonly headers: IncomingMessage["headers"];
}

/** The server answered something else than 101. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`the server answered ${status} to a request for a stream`);
    this.status = status;
    this.body = body;
  }
}

const refusalBytesMax = 64 * 1024;

export function upgrade({ url, method, headers, tls }: UpgradeRequest): Promise<Upgraded> {
  const secure = url.protocol === "https:";
  const options: RequestOptions = {
    method,
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (secure ? 443 : 80) : url.port,
    path: url.pathname + url.search,
    headers: { ...headers, connection: "Upgrade" } as Record<string, string | string[]>,
    agent: false,
    ...tls,
  };
  return new Promise((resolve, reject) => {
    const sent = (secure ? tlsRequest : plainRequest)(options);
    sent.once("upgrade", (answer, socket, head) => resolve({ socket, head, headers: answer.headers }));
    sent.once("response", (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        if ((bytes += chunk.length) <= refusalBytesMax) chunks.push(chunk);
      });
      answer.once("error", reject);
      answer.once("end", () =>
        reject(new UpgradeRefused(answer.statusCode ?? 0, Buffer.concat(chunks).toString())),
      );
    });
    sent.once("error", reject);
    sent.end();
  });
}
