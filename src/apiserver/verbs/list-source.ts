// A long list in JSON, put together block by block while it is sent: its first bytes wait for nothing, and there is never
// more of it in memory than a block.

import type { ByteSource } from "#machinery/api-request.ts";
import type { CachedObject } from "../stored-object.ts";

const comma = 44;
const openBrace = 123;
const end = Buffer.from("]}");

export class ListSource implements ByteSource {
  readonly #objects: Iterator<CachedObject>;
  /** Items do not say again what they are. */
  readonly #bare: boolean;
  /** What is to be copied next, from where on. */
  #piece: Buffer;
  #from = 0;
  #state: "head" | "items" | "end" = "head";

  constructor(head: Buffer, objects: Iterable<CachedObject>, bare: boolean) {
    this.#piece = head;
    this.#objects = objects[Symbol.iterator]();
    this.#bare = bare;
  }

  fill(block: Buffer): number {
    let size = 0;
    for (;;) {
      const taken = this.#piece.copy(block, size, this.#from);
      size += taken;
      this.#from += taken;
      // An item begins with two bytes of its own.
      const isFull = this.#from < this.#piece.length || size + 2 > block.length;
      if (isFull || this.#state === "end") return size;
      const { done = false, value } = this.#objects.next() as IteratorResult<CachedObject, undefined>;
      if (done || value === undefined) {
        this.#state = "end";
        this.#piece = end;
        this.#from = 0;
        continue;
      }
      if (this.#state === "items") block[size++] = comma;
      this.#state = "items";
      this.#piece = value.bytes;
      this.#from = 0;
      if (!this.#bare) continue;
      block[size++] = openBrace;
      this.#from = value.fieldsAt;
    }
  }
}
