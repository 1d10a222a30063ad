import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { realClock } from "#base/clock.ts";
import { cgroupTree } from "./cgroups.ts";
import { recordedDaemon, startDaemon, stopDaemon } from "./daemon.ts";
import { writeIfChanged } from "./files.ts";
import { identify, isAlive, parseStat, signalProcess } from "./identity.ts";
import { tryLock } from "./lock.ts";
import { hasCapability, versionIn } from "./machine.ts";
import { isBelow, parseMountinfo } from "./mounts.ts";
import { CommandError, run, runOk } from "./run.ts";

test("mountinfo lines, with optional fields and escaped blanks", () => {
  const text = [
    "36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue",
    "40 35 0:4 net:[4026532] /run/netns/x rw - nsfs nsfs rw",
    "",
  ].join("\n");
  assert.deepEqual(parseMountinfo(text), [
    { id: 36, root: "/mnt1", target: "/mnt two", type: "ext3", source: "/dev/root" },
    { id: 40, root: "net:[4026532]", target: "/run/netns/x", type: "nsfs", source: "nsfs" },
  ]);
});

test("below means inside, not a common beginning", () => {
  assert.ok(isBelow("/a/b", "/a"));
  assert.ok(isBelow("/a", "/a"));
  assert.ok(!isBelow("/ab", "/a"));
});

test("cgroup versions by their mounts", () => {
  const mount = (type: string, target: string) => ({ id: 1, root: "/", target, type, source: "cgroup" });
  const v2 = mount("cgroup2", "/sys/fs/cgroup");
  const memory = mount("cgroup", "/sys/fs/cgroup/memory");
  assert.equal(cgroupTree([v2]).version, "v2");
  assert.equal(cgroupTree([memory]).version, "v1");
  assert.deepEqual(cgroupTree([memory, v2]), { version: "hybrid", roots: [memory.target, v2.target] });
});

test("versions out of what programs print", () => {
  const cases: readonly [string, string | undefined][] = [
    ["containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3", "1.6.20"],
    ["containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b7", "2.1.4"],
    ["nftables v1.0.6 (Lester Gooch #5)", "1.0.6"],
    ["runc version 1.1.5+ds1", "1.1.5"],
    ["unknown", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(versionIn(text), expected, text);
});

test("capabilities", () => {
  assert.ok(!hasCapability("CapEff:\t000001fffeffffff\n", 24n));
  assert.ok(hasCapability("CapEff:\t000001ffffffffff\n", 24n));
});

test("the command in a stat line may look like fields", () => {
  const stat = `7 (a) R (b) S 1 ${Array.from({ length: 17 }, (_, i) => i).join(" ")} 4242 0 0`;
  assert.deepEqual(parseStat(stat), { state: "S", parent: 1, startTicks: "4242" });
});

test("a process is only itself with its own start time", () => {
  const me = identify(process.pid);
  assert.ok(me !== undefined && isAlive(me));
  assert.ok(!isAlive({ ...me, startTicks: "1" }));
  assert.ok(!isAlive({ ...me, bootId: "another boot" }));
  assert.equal(signalProcess({ ...me, startTicks: "1" }, "SIGKILL"), false);
});

test("running a program: output, failure, input, time limit", async () => {
  assert.equal(await runOk(["cat"], { input: "in" }), "in");
  await assert.rejects(runOk(["sh", "-c", "echo no >&2; exit 3"]), (error: unknown) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.result.code, 3);
    assert.match(error.message, /exit status 3: no$/);
    return true;
  });
  assert.equal((await run(["sleep", "60"], { timeoutMs: 50 })).signal, "SIGKILL");
  await assert.rejects(run(["/nowhere/to/be/found"]), { code: "ENOENT" });
});

test("a daemon is recorded, found again, and stopped", async () => {
  const dir = mkdtempSync(join(tmpdir(), "leme-host-"));
  const record = join(dir, "x.pid");
  try {
    await startDaemon({ command: ["sleep", "600"], logFile: join(dir, "x.log"), recordFile: record });
    assert.ok(recordedDaemon(record) !== undefined);
    assert.equal(await stopDaemon(record, 2000, realClock), true);
    assert.equal(recordedDaemon(record), undefined);
    assert.equal(await stopDaemon(record, 2000, realClock), false);
    assert.equal(writeIfChanged(record, "{cut"), true);
    assert.equal(recordedDaemon(record), undefined);
  } finally {
    await stopDaemon(record, 0, realClock);
    rmSync(dir, { recursive: true, force: true });
  }
});

test("a lock has one holder", async () => {
  const name = `test-${process.pid}`;
  const lock = await tryLock(name);
  assert.ok(lock !== undefined);
  assert.equal(await tryLock(name), undefined);
  await lock.release();
  const again = await tryLock(name);
  assert.ok(again !== undefined);
  await again.release();
});
