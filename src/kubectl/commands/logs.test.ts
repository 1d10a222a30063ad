import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlags } from "../flags.ts";
import { readWords as execWords, exitCodeOf } from "./exec.ts";
import { withPrefix } from "./logs-stream.ts";
import { logQuery, logs, readWords } from "./logs.ts";

const flagsOf = (...argv: string[]) => parseFlags(logs.flags ?? [], argv);

test("flags of logs → the query", () => {
  const rows: [string[], Record<string, string>][] = [
    [[], {}],
    [["-f", "--timestamps", "-p"], { follow: "true", timestamps: "true", previous: "true" }],
    [["--since=1500ms"], { sinceSeconds: "2" }],
    [["--since-time=2026-01-01T00:00:00Z"], { sinceTime: "2026-01-01T00:00:00Z" }],
    [["--tail=0", "--limit-bytes=10"], { tailLines: "0", limitBytes: "10" }],
    [["-l", "a=b"], { tailLines: "10" }],
    [["-l", "a=b", "--tail=-1"], {}],
  ];
  for (const [argv, expected] of rows) assert.deepEqual(logQuery(flagsOf(...argv).flags), expected);
});

test("flags and words of logs that do not fit together", () => {
  const rows: [string[], RegExp][] = [
    [["--since=1s", "--since-time=2026-01-01T00:00:00Z"], /at most one of `sinceTime` or `sinceSeconds`/],
    [["--since-time=x"], /parsing time "x"/],
    [["--tail=-2"], /--tail must be greater than or equal to -1/],
    [["--limit-bytes=-1"], /--limit-bytes must be greater than 0/],
  ];
  for (const [argv, message] of rows) assert.throws(() => logQuery(flagsOf(...argv).flags), { message });
  const words = (...argv: string[]): unknown => {
    const { flags, args } = flagsOf(...argv);
    return readWords(args, flags);
  };
  assert.deepEqual(words("web", "c"), { target: "web", container: "c" });
  assert.throws(() => words(), /POD or TYPE\/NAME is a required argument/);
  assert.throws(() => words("-l", "a=b", "web"), /only a selector \(-l\) or a POD name is allowed/);
  assert.throws(
    () => words("web", "c", "-c", "d"),
    /only one of -c or an inline \[CONTAINER\] arg is allowed/,
  );
  assert.throws(
    () => words("web", "-c", "c", "--all-containers"),
    /should not be specified with container name c/,
  );
});

test("a prefix stands before each line, wherever chunks are cut", () => {
  const text = "one\n\ntwo\nthree";
  for (const size of [1, 2, 5, 100]) {
    let starts = true;
    let out = "";
    for (let at = 0; at < text.length; at += size) {
      const [bytes, next] = withPrefix(Buffer.from(text.slice(at, at + size)), Buffer.from("> "), starts);
      out += bytes.toString();
      starts = next;
    }
    assert.equal(out, "> one\n> \n> two\n> three");
  }
});

test("words of exec: the target before --, the command behind", () => {
  assert.deepEqual(execWords(["web", "date", "-u"], 1, false), { target: "web", command: ["date", "-u"] });
  assert.deepEqual(execWords(["date"], 0, true), { target: undefined, command: ["date"] });
  assert.deepEqual(execWords(["web", "more", "date"], 2, false), { target: "web", command: ["date"] });
  assert.throws(() => execWords(["date"], 0, false), /pod, type\/name or --filename must be specified/);
  assert.throws(() => execWords(["web", "date"], 1, true), /when a path is specified/);
  assert.throws(() => execWords([], -1, false), /pod, type\/name or --filename must be specified/);
  assert.throws(() => execWords(["web"], -1, false), /at least one command/);
  assert.throws(() => execWords(["web", "date"], -1, false), /Use exec \[POD\] -- \[COMMAND\] instead/);
});

test("the Status at the end → the exit code", () => {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, code: 500 } as const;
  assert.equal(exitCodeOf({ ...status, status: "Success" }), 0);
  const causes = [{ reason: "ExitCode", message: "7" }];
  assert.equal(
    exitCodeOf({ ...status, status: "Failure", reason: "NonZeroExitCode", details: { causes } }),
    7,
  );
  assert.throws(
    () => exitCodeOf({ ...status, status: "Failure", message: "it broke" }),
    /^CommandError|it broke/,
  );
});
