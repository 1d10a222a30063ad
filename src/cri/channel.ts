// One gRPC connection to a unix socket: unary calls and server streams over the generated descriptor.

import * as grpc from "@grpc/grpc-js";
import { decode, encode } from "./codec.ts";
import { codeName, CriError } from "./errors.ts";
import { messageBytesMax } from "./limits.ts";

export interface Method {
  /** `runtime.v1.RuntimeService` */
  readonly service: string;
  readonly name: string;
  /** Full names of the messages. */
  readonly request: string;
  readonly response: string;
}

export interface ServerStream {
  cancel(): void;
}

export interface Channel {
  unary<T>(method: Method, request: object, timeoutMs: number): Promise<T>;
  stream<T>(
    method: Method,
    request: object,
    metadata: Readonly<Record<string, string>>,
    handlers: { onMessage(message: T): void; onOpen(): void; onEnd(error: CriError): void },
  ): ServerStream;
  close(): void;
}

function toCriError(method: Method, error: grpc.ServiceError | Error): CriError {
  const { code, details } = error as Partial<grpc.ServiceError>;
  return new CriError(method.name, codeName(code ?? 2), details || error.message);
}

/** `endpoint` is `unix:///path` or a path. Connects when first used, and again after the runtime restarts. */
export function openChannel(endpoint: string): Channel {
  const path = endpoint.replace(/^unix:(\/\/)?/, "");
  const client = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.enable_retries": 0,
    "grpc.default_authority": "localhost",
  });
  return {
    unary<T>(method: Method, request: object, timeoutMs: number): Promise<T> {
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest<object, T>(
          `/${method.service}/${method.name}`,
          (object) => encode(method.request, object),
          (bytes) => decode<T>(method.response, bytes),
          request,
          new grpc.Metadata(),
          { deadline: Date.now() + timeoutMs },
          (error, response) => {
            if (error !== null) reject(toCriError(method, error));
            else resolve(response as T);
          },
        );
      });
    },
    stream<T>(
      method: Method,
      request: object,
      metadata: Readonly<Record<string, string>>,
      handlers: { onMessage(message: T): void; onOpen(): void; onEnd(error: CriError): void },
    ): ServerStream {
      const headers = new grpc.Metadata();
      for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
      const call = client.makeServerStreamRequest<object, T>(
        `/${method.service}/${method.name}`,
        (object) => encode(method.request, object),
        (bytes) => decode<T>(method.response, bytes),
        request,
        headers,
      );
      let ended = false;
      const end = (error: CriError): void => {
        if (ended) return;
        ended = true;
        handlers.onEnd(error);
      };
      call.on("metadata", () => handlers.onOpen());
      call.on("data", (message: T) => handlers.onMessage(message));
      call.on("error", (error: Error) => end(toCriError(method, error)));
      call.on("end", () => end(new CriError(method.name, "Unavailable", "the stream ended")));
      return { cancel: () => call.cancel() };
    },
    close: () => client.close(),
  };
}
