import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cutLogs } from "./log-bounds.ts";

test("a log that has grown is cut, and its writer goes on", () => {
  const folder = mkdtempSync(join(tmpdir(), "leme-logs-"));
  const log = openSync(join(folder, "a.log"), "a");
  try {
    writeSync(log, "x".repeat(100));
    writeFileSync(join(folder, "b.log"), "short");
    assert.deepEqual(cutLogs(folder, 50), [join(folder, "a.log")]);
    writeSync(log, "more");
    assert.equal(readFileSync(join(folder, "a.log"), "utf8"), "more");
    assert.equal(readFileSync(join(folder, "a.log.1"), "utf8").length, 100);
    assert.deepEqual(cutLogs(folder, 50), []);
  } finally {
    closeSync(log);
    rmSync(folder, { recursive: true, force: true });
  }
});
