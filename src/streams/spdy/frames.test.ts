import assert from "node:assert/strict";
import { test } from "node:test";
import {
  controlFrame,
  dataFrame,
  FrameReader,
  frameTypes,
  HeaderEncoder,
  pingFrame,
  rstStreamFrame,
  synStreamFrame,
} from "./frames.ts";

test("frames come out of any cutting of their bytes as they went in", () => {
  const bytes = Buffer.concat([
    synStreamFrame(1, Buffer.from("headers")),
    dataFrame(0x7fff_fff1, Buffer.from("some data"), false),
    dataFrame(3, Buffer.alloc(0), true),
    pingFrame(2),
    rstStreamFrame(5, 8),
    controlFrame(frameTypes.goAway, 0, Buffer.alloc(8)),
  ]);
  for (const size of [1, 3, 7, 8, 100, bytes.length]) {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < bytes.length; at += size)
      frames.push(...reader.push(bytes.subarray(at, at + size)));
    assert.deepEqual(
      frames.map((frame) =>
        frame.kind === "data"
          ? [frame.stream, frame.payload.toString(), frame.fin]
          : [frame.type, frame.payload.length],
      ),
      [
        [frameTypes.synStream, 10 + "headers".length],
        [0x7fff_fff1, "some data", false],
        [3, "", true],
        [frameTypes.ping, 4],
        [frameTypes.rstStream, 8],
        [frameTypes.goAway, 8],
      ],
      `chunks of ${size}`,
    );
  }
});

test("the layout of a data frame and of a control frame", () => {
  assert.equal(dataFrame(1, Buffer.from("x"), true).toString("hex"), "000000010100000178");
  assert.equal(pingFrame(7).toString("hex"), "800300060000000400000007");
});

test("another version of SPDY is refused", () => {
  assert.throws(() => new FrameReader().push(Buffer.from("8002000600000000", "hex")), /version 2/);
});

test("header blocks are one zlib stream: its start, then stored blocks, each flushed", () => {
  const encoder = new HeaderEncoder();
  const first = encoder.encode({ Streamtype: "error" });
  const second = encoder.encode({ streamtype: "stdin" });
  const plain = (value: string): string =>
    `00000001${"0000000a"}${Buffer.from("streamtype").toString("hex")}0000000${value.length}${Buffer.from(value).toString("hex")}`;
  assert.equal(first.toString("hex"), `78bbe3c6a7c2001b00e4ff${plain("error")}000000ffff`);
  assert.equal(second.toString("hex"), `001b00e4ff${plain("stdin")}000000ffff`);
});
