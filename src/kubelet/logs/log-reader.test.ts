import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { realClock } from "#base/clock.ts";
import { rotatedLogs, rotationSuffix } from "./log-files.ts";
import { readLog, type LogOptions } from "./log-reader.ts";
import { readLogTail } from "./log-tail.ts";

const folder = mkdtempSync(join(tmpdir(), "leme-logs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const line = (second: number, text: string, stream = "stdout", tag = "F"): string =>
  `2026-01-01T00:00:${String(second).padStart(2, "0")}.5Z ${stream} ${tag} ${text}\n`;

const everything: LogOptions = {
  follow: false,
  tailLines: undefined,
  sinceMs: undefined,
  timestamps: false,
  limitBytes: undefined,
  stream: undefined,
};

async function read(path: string, options: Partial<LogOptions>): Promise<string> {
  const source = { path, clock: realClock, signal: new AbortController().signal, isWriting: () => false };
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(source, { ...everything, ...options })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const path = join(folder, "0.log");
const old = path + rotationSuffix(Date.parse("2026-01-01T00:00:03Z"));
writeFileSync(old, line(1, "one") + line(2, "two", "stderr"));
writeFileSync(path, line(4, "long ", "stdout", "P") + line(4, "line") + line(5, "") + line(6, "six"));

const rows: [string, Partial<LogOptions>, string][] = [
  ["all, rotated files first, pieces joined", {}, "one\ntwo\nlong line\n\nsix\n"],
  ["the last two", { tailLines: 2 }, "\nsix\n"],
  ["the last of several files", { tailLines: 5 }, "two\nlong line\n\nsix\n"],
  ["more than there are", { tailLines: 50 }, "one\ntwo\nlong line\n\nsix\n"],
  ["none", { tailLines: 0 }, ""],
  ["since a time", { sinceMs: Date.parse("2026-01-01T00:00:05Z") }, "\nsix\n"],
  ["one stream", { stream: "stderr" }, "two\n"],
  ["up to a size", { limitBytes: 5 }, "one\nt"],
  [
    "with time stamps, once per line",
    { timestamps: true, tailLines: 4 },
    "2026-01-01T00:00:04.5Z long line\n2026-01-01T00:00:05.5Z \n2026-01-01T00:00:06.5Z six\n",
  ],
];
for (const [title, options, expected] of rows)
  test(title, async () => assert.equal(await read(path, options), expected));

test("a log that is not there is empty", async () =>
  assert.equal(await read(join(folder, "none.log"), {}), ""));

test("a tail reaches across blocks", async () => {
  const big = join(folder, "big.log");
  writeFileSync(
    big,
    Array.from({ length: 5000 }, (_, at) => line(1, `line ${at} ${"x".repeat(40)}`)).join(""),
  );
  const lines = (await read(big, { tailLines: 2000 })).trimEnd().split("\n");
  assert.equal(lines.length, 2000);
  assert.match(lines[0] as string, /^line 3000 /);
});

test("following sees what is written later, across a rotation, and ends with the container", async () => {
  const live = join(folder, "live.log");
  writeFileSync(live, line(1, "before"));
  let writing = true;
  const source = {
    path: live,
    clock: realClock,
    signal: new AbortController().signal,
    isWriting: () => writing,
  };
  const seen: string[] = [];
  for await (const chunk of readLog(source, { ...everything, follow: true })) {
    seen.push(chunk.toString());
    const text = seen.join("");
    if (text === "before\n") appendFileSync(live, line(2, "after"));
    else if (text === "before\nafter\n") {
      appendFileSync(live, line(3, "last of the old"));
      renameSync(live, live + rotationSuffix(Date.parse("2026-01-01T00:00:04Z")));
      writeFileSync(live, line(5, "first of the new"));
    } else if (text.endsWith("new\n")) writing = false;
  }
  assert.equal(seen.join(""), "before\nafter\nlast of the old\nfirst of the new\n");
});

test("rotated files sort by time and nothing else counts", () => {
  writeFileSync(join(folder, "0.log.tmp"), "");
  assert.deepEqual(rotatedLogs(path), [old]);
});

test("the end of a log as a termination message", () => {
  assert.equal(readLogTail(path, 2, 1000), "\nsix\n");
  assert.equal(readLogTail(path, 80, 4), "six\n");
  assert.equal(readLogTail(join(folder, "none.log"), 1, 1), "");
});
