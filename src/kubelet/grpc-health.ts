// The standard gRPC health check. Its two messages are one field each, so they are read and written by hand.

import * as grpc from "@grpc/grpc-js";
import type { ProbeAnswer } from "./probe-once.ts";

const serving = 1;

/** Field 1, a string. */
function encodeRequest(service: string): Buffer {
  const text = Buffer.from(service);
  if (text.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  for (let rest = text.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), text]);
}

/** Field 1, a small enum; absent means 0. */
const decodeStatus = (bytes: Buffer): number => (bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0);

export function grpcHealth(
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  const client = new grpc.Client(
    host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    grpc.credentials.createInsecure(),
  );
  return new Promise<ProbeAnswer>((resolve) => {
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      encodeRequest,
      decodeStatus,
      service,
      new grpc.Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error, status) => {
        if (error !== null) {
          const text =
            error.code === grpc.status.DEADLINE_EXCEEDED
              ? `timeout: health rpc did not complete within ${timeoutMs / 1000}s`
              : `error: ${error.message}`;
          resolve({ ok: false, output: text });
        } else if (status === serving) resolve({ ok: true, output: "service healthy" });
        else
          resolve({
            ok: false,
            output: `service unhealthy (responded with "${["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"][status ?? 0] ?? String(status)}")`,
          });
      },
    );
  }).finally(() => client.close());
}
