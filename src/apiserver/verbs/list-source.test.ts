import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CachedObject, encodeObject, packValue } from "../stored-object.ts";
import { ListSource } from "./list-source.ts";

const type = { group: "", version: "v1", kind: "ConfigMap" };
const head = Buffer.from('{"items":[');

const objects = Array.from({ length: 40 }, (_, n) => {
  const object = { metadata: { name: `n${n}` }, data: { text: "é".repeat(n) } };
  return CachedObject.fromValue(`/k/${n}`, packValue(encodeObject(object, type, "")), n + 1);
});

function read(source: ListSource, blockBytes: number): string {
  const blocks: Buffer[] = [];
  for (;;) {
    const block = Buffer.alloc(blockBytes);
    const size = source.fill(block);
    if (size === 0) return Buffer.concat(blocks).toString();
    blocks.push(block.subarray(0, size));
  }
}

describe("a list that is put together while it is sent", () => {
  for (const bare of [true, false]) {
    for (const count of [0, 1, 2, 40]) {
      const some = objects.slice(0, count);
      const items = some.map((one) => (bare ? `{${one.fields.toString()}` : one.bytes.toString()));
      const expected = `${head.toString()}${items.join(",")}]}`;
      it(`${count} items, ${bare ? "without" : "with"} their type: the same in blocks of any size`, () => {
        for (let size = 3; size < 200; size++)
          assert.equal(read(new ListSource(head, some, bare), size), expected, `blocks of ${size}`);
        assert.equal(read(new ListSource(head, some, bare), 1 << 20), expected);
      });
    }
  }
});
