// A request and its answer as plain data: what transports carry and the API server computes.
// No sockets here. The same shapes serve https and the in-process `direct` transport.

import type { Duplex } from "node:stream";
import type { KubeObject } from "./meta.ts";

/** Who is calling, as authentication found it. */
export interface Caller {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ApiRequest {
  readonly method: string;
  /** Path without the query, percent-encoded as it came: `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  /** Raw query string without `?`. */
  readonly query: string;
  /** Header names in lower case; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whole body, if there is one. The `direct` transport may pass the object itself instead of its bytes. */
  readonly body?: Buffer | KubeObject;
  /** Aborts when the client goes away. */
  readonly signal?: AbortSignal;
}

/** Takes over the connection after an `Upgrade` request: writes its own status line, then streams. */
export type UpgradeHandler = (socket: Duplex, head: Buffer) => void;

/** A watch event or an object shared by the `direct` transport: the same frozen object that the cache holds. */
export interface SharedEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject;
}

/** Takes bytes as they come. */
export interface ByteSink {
  /** False: no more for now; what `feed` returned is called when there is room again. */
  write(chunk: Buffer): boolean;
  end(): void;
  fail(error: Error): void;
}

/** Starts to write, in the turn in which there is something: for many streams far cheaper than an iterator each. */
export type ByteFeed = (sink: ByteSink) => () => void;

/** Many bytes that are put together only as they are taken, once, by one reader. */
export interface ByteSource {
  /** Puts the next bytes at the start of `block` and says how many; 0 when there are no more. */
  fill(block: Buffer): number;
}

const blockBytes = 64 * 1024;

/** The same in blocks of their own, each made when it is asked for. */
export function* blocksOf(source: ByteSource): Generator<Buffer> {
  for (;;) {
    const block = Buffer.allocUnsafe(blockBytes);
    const size = source.fill(block);
    if (size === 0) return;
    yield block.subarray(0, size);
  }
}

export type ApiBody =
  | { readonly kind: "empty" }
  | { readonly kind: "bytes"; readonly chunks: readonly Buffer[] }
  | { readonly kind: "source"; readonly source: ByteSource }
  /** Either the chunks are read, or, where there is one, the feed is started. */
  | { readonly kind: "stream"; readonly chunks: AsyncIterable<Buffer>; readonly feed?: ByteFeed }
  /** `direct` only: an object (single, or a list) handed over frozen, never encoded. */
  | { readonly kind: "object"; readonly object: KubeObject }
  /** `direct` only: a watch as objects, in batches. */
  | { readonly kind: "events"; readonly events: AsyncIterable<readonly SharedEvent[]> }
  | { readonly kind: "upgrade"; readonly handle: UpgradeHandler };

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ApiBody;
}

/** How a component reaches an API server. `https` and `direct` implement it and pass one conformance suite. */
export interface Transport {
  /** Sends one request. Rejects only when no answer came (network, closed); an error status is an answer. */
  request(request: ApiRequest): Promise<ApiResponse>;
  close(): Promise<void>;
}

/**
 * Header by which a `direct` caller asks for shared objects instead of bytes. Never honoured on a socket.
 * Shared objects come without managed fields, which only writes need; an update without them keeps the stored ones.
 */
export const sharedObjectsHeader = "leme-shared-objects";
