// The assembled sandbox program is run, on this machine's architecture, for what it promises.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseStat } from "#host/identity.ts";
import { sha256 } from "../registry/storage.ts";
import { imageArchitecture, pauseProgram } from "./pause-elf.ts";
import { buildPauseImage } from "./pause-image.ts";

const runnable = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);

/** It sleeps nowhere but in its wait for signals. */
async function untilAsleep(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (parseStat(readFileSync(`/proc/${pid}/stat`, "utf8")).state === "S") return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error("the pause program does not come to rest");
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`pause ends with 0 on ${signal}`, { skip: !runnable && "needs Linux on x64 or arm64" }, async () => {
    const dir = mkdtempSync(join(tmpdir(), "leme-pause-"));
    try {
      const file = join(dir, "pause");
      writeFileSync(file, pauseProgram(imageArchitecture(process.arch)), { mode: 0o755 });
      const child = spawn(file, { stdio: "ignore" });
      await new Promise((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      const ended = new Promise((resolve) => child.once("exit", (code, by) => resolve({ code, by })));
      await untilAsleep(child.pid as number);
      child.kill("SIGCHLD"); // a spurious one: it goes on waiting
      await untilAsleep(child.pid as number);
      child.kill(signal);
      assert.deepEqual(await ended, { code: 0, by: null });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

test("the image's digests are those of its content, for both architectures", () => {
  for (const architecture of ["amd64", "arm64"] as const) {
    const image = buildPauseImage(architecture);
    for (const blob of image.blobs) assert.equal(sha256(blob.content), blob.digest);
    assert.deepEqual(buildPauseImage(architecture), image);
    assert.equal(pauseProgram(architecture).readUInt16LE(18), architecture === "amd64" ? 62 : 183);
  }
});
