import assert from "node:assert/strict";
import { test } from "node:test";
import { readLogRecords } from "./level-log.ts";
import { checkAcknowledgements, readTrace, syncedBytes, writtenTokens } from "./trace.ts";

/** A batch as LevelDB appends it to a log of `size` bytes: in pieces that fit its blocks. */
function pieces(data: Buffer, size: number): Buffer[] {
  const out: Buffer[] = [];
  for (let done = 0, first = true; first || done < data.length; first = false) {
    let left = 32_768 - (size % 32_768);
    const filling = left < 7 ? left : 0;
    if (filling > 0) left = 32_768;
    const length = Math.min(left - 7, data.length - done);
    const last = done + length === data.length;
    const header = Buffer.from([
      9,
      8,
      7,
      200,
      length & 255,
      length >> 8,
      first ? (last ? 1 : 2) : last ? 4 : 3,
    ]);
    const piece = Buffer.concat([Buffer.alloc(filling), header, data.subarray(done, done + length)]);
    out.push(piece);
    size += piece.length;
    done += length;
  }
  return out;
}

const escaped = (bytes: Buffer): string =>
  [...bytes]
    .map((byte) =>
      byte === 34 || byte === 92
        ? `\\${String.fromCharCode(byte)}`
        : byte >= 32 && byte < 127
          ? String.fromCharCode(byte)
          : byte === 10
            ? "\\n"
            : `\\${byte.toString(8).padStart(3, "0")}`,
    )
    .join("");

const log = "21</d/05.log>";
const writeOf = (bytes: Buffer, file = log): string =>
  `7 write(${file}, "${escaped(bytes)}", ${bytes.length}) = ${bytes.length}`;
const batch = (...tokens: string[]): Buffer =>
  Buffer.from(`\u0001\n"\\${tokens.map((one) => `key ${one} - xx ${one} `).join("")}`, "latin1");
const write = (...tokens: string[]): string => writeOf(Buffer.concat(pieces(batch(...tokens), 0)));
const ack = (...tokens: string[]): string => {
  const line = Buffer.from(`${JSON.stringify({ kind: "ack", writer: 3, revision: 9, tokens })}\n`);
  return `5 write(1<pipe:[7]>, "${escaped(line)}", ${line.length}) = ${line.length}`;
};
const sync = "7 fdatasync(21</d/05.log>) = 0";
const syncBegins = "7 fdatasync(21</d/05.log> <unfinished ...>";
const syncEnds = "7 <... fdatasync resumed>) = 0";
const a = "ra-1-1-0";
const z = "rz-1-1-0";
/** A batch of two tokens in three writes: `a` is whole in the first, `z` in the last. */
const [part1 = "", part2 = "", part3 = ""] = pieces(
  Buffer.concat([batch(a), Buffer.alloc(90_000, "x"), batch(z)]),
  0,
).map((bytes) => writeOf(bytes));

const rows: [string, string[], RegExp | undefined][] = [
  ["written, synced, acknowledged", [write(a), sync, ack(a)], undefined],
  ["several tokens of one transaction", [write(a, z), sync, ack(a, z)], undefined],
  ["a batch in several writes", [part1, part2, part3, sync, ack(a, z)], undefined],
  ["a sync in the middle of its batch", [part1, part2, sync, part3, ack(a)], /a-1-1-0 was .* before a sync/],
  ["half of its batch", [part1, part2, sync, ack(a)], /never written/],
  ["one token of two", [write(a), sync, ack(a, z)], /^rz-1-1-0 was acknowledged and never written/],
  ["acknowledged while the sync runs", [write(a), syncBegins, ack(a), syncEnds], /before a sync/],
  ["the sync began before the write", [syncBegins, write(a), syncEnds, ack(a)], /before a sync/],
  ["never synced", [write(a), ack(a)], /before a sync/],
  ["never written", [sync, ack(a)], /never written/],
  ["another file was synced", [write(a), "7 fdatasync(22</d/06.log>) = 0", ack(a)], /before a sync/],
  [
    "the sync failed",
    [write(a), "7 fdatasync(21</d/05.log>) = -1 EIO (Input/output)", ack(a)],
    /before a sync/,
  ],
  [
    "the sync failed, slowly",
    [write(a), syncBegins, "7 <... fdatasync resumed>) = -1 EIO (Input/output error) (INJECTED)", ack(a)],
    /before a sync/,
  ],
  ["the write failed", [write(a).replace(/= \d+$/, "= -1 ENOSPC (No space)"), sync, ack(a)], /never written/],
];

for (const [name, lines, expected] of rows) {
  test(name, () => {
    const { problems, acknowledgements } = checkAcknowledgements(readTrace(lines.join("\n")));
    assert.equal(acknowledgements, 1);
    if (expected === undefined) assert.deepEqual(problems, []);
    else assert.match(problems.join("; "), expected);
  });
}

test("what was synced for sure when the process ended", () => {
  const calls = readTrace([write(a), sync, writeOf(Buffer.from("more")), syncBegins].join("\n"));
  const { length } = Buffer.concat(pieces(batch(a), 0));
  assert.deepEqual([...syncedBytes(calls)], [["/d/05.log", length]]);
  assert.deepEqual([...writtenTokens(calls).keys()], [a]);
});

test("records of a log, also where blocks end", () => {
  for (const filling of [0, 1, 6, 7, 8, 20]) {
    const first = Buffer.alloc(32_768 - 7 - filling, "a");
    const second = Buffer.alloc(40_000, "b");
    const one = Buffer.concat(pieces(first, 0));
    const both = Buffer.concat([one, ...pieces(second, one.length)]);
    assert.deepEqual(
      readLogRecords(both).map(({ data, end }) => [data.length, data[0], end]),
      [
        [first.length, 97, one.length],
        [second.length, 98, both.length],
      ],
    );
    assert.equal(readLogRecords(both.subarray(0, -1)).length, 1);
  }
});
