import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAcknowledgements, readTrace, syncedBytes } from "./trace.ts";

const write = (token: string): string => `7 write(21</d/05.log>, "\\1\\2${token} xx", 300) = 300`;
const ack = (token: string): string =>
  `5 write(1<pipe:[7]>, "{\\"kind\\":\\"ack\\",\\"writer\\":3,\\"revision\\":9,\\"token\\":\\"${token}\\"}\\n", 60) = 60`;
const sync = "7 fdatasync(21</d/05.log>) = 0";
const syncBegins = "7 fdatasync(21</d/05.log> <unfinished ...>";
const syncEnds = "7 <... fdatasync resumed>) = 0";

const rows: [string, string[], RegExp | undefined][] = [
  ["written, synced, acknowledged", [write("a-1"), sync, ack("a-1")], undefined],
  [
    "a sync that takes its time",
    [write("a-1"), syncBegins, ack("z"), syncEnds, ack("a-1")],
    /z was acknowledged and never/,
  ],
  ["acknowledged while the sync runs", [write("a-1"), syncBegins, ack("a-1"), syncEnds], /before a sync/],
  ["the sync began before the write", [syncBegins, write("a-1"), syncEnds, ack("a-1")], /before a sync/],
  ["never synced", [write("a-1"), ack("a-1")], /before a sync/],
  ["never written", [sync, ack("a-1")], /never written/],
  ["another file was synced", [write("a-1"), "7 fdatasync(22</d/06.log>) = 0", ack("a-1")], /before a sync/],
  ["the sync failed", [write("a-1"), "7 fdatasync(21</d/05.log>) = -1 EIO", ack("a-1")], /before a sync/],
  [
    "one token begins another",
    [write("a-1"), sync, write("a-11"), ack("a-11"), ack("a-1")],
    /a-11 was .* before a sync/,
  ],
];

for (const [name, lines, expected] of rows) {
  test(name, () => {
    const problems = checkAcknowledgements(readTrace(lines.join("\n"))).problems.join("; ");
    if (expected === undefined) assert.equal(problems, "");
    else assert.match(problems, expected);
  });
}

test("what was synced for sure when the process ended", () => {
  const calls = readTrace([write("a"), sync, write("b"), syncBegins].join("\n"));
  assert.deepEqual([...syncedBytes(calls)], [["/d/05.log", 300]]);
});
