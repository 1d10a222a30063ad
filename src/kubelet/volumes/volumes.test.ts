import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import type { VolumeFiles } from "../plan/volume-files.ts";
import { writeVolumeFiles } from "./atomic-files.ts";
import { prepareHostPath } from "./host-path.ts";
import { resolveSubPath } from "./sub-path.ts";

const folder = mkdtempSync(join(tmpdir(), "leme-volumes-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const files = (content: Record<string, string>, mode = 0o644): VolumeFiles =>
  new Map(Object.entries(content).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

test("files change all at once, and what is gone goes", () => {
  const root = join(folder, "cm");
  assert.equal(
    writeVolumeFiles(root, files({ a: "1", "d/b": "2", __proto__x: "3" }, 0o440), "t1", undefined),
    true,
  );
  assert.equal(readFileSync(join(root, "a"), "utf8"), "1");
  assert.equal(readFileSync(join(root, "d/b"), "utf8"), "2");
  assert.equal(readlinkSync(join(root, "a")), "..data/a");
  assert.equal(statSync(join(root, "a")).mode & 0o777, 0o440);
  const first = readlinkSync(join(root, "..data"));

  assert.equal(
    writeVolumeFiles(root, files({ a: "1", "d/b": "2", __proto__x: "3" }), "t2", undefined),
    false,
    "nothing to do",
  );
  assert.equal(readlinkSync(join(root, "..data")), first);

  assert.equal(writeVolumeFiles(root, files({ a: "new" }), "t3", undefined), true);
  assert.equal(readFileSync(join(root, "a"), "utf8"), "new");
  assert.deepEqual(
    readdirSync(root).filter((name) => !name.startsWith("..")),
    ["a"],
  );
  assert.equal(readdirSync(root).includes(first), false, "the old folder is removed");
});

test("host paths are checked and made as their type says", () => {
  const dir = join(folder, "host");
  assert.equal(prepareHostPath(dir, ""), undefined);
  assert.equal(prepareHostPath(dir, "Directory"), `hostPath type check failed: ${dir} is not a directory`);
  assert.equal(prepareHostPath(dir, "DirectoryOrCreate"), undefined);
  assert.equal(prepareHostPath(dir, "File"), `hostPath type check failed: ${dir} is not a file`);
  assert.equal(prepareHostPath(join(dir, "f"), "FileOrCreate"), undefined);
  assert.equal(prepareHostPath(join(dir, "f"), "File"), undefined);
  assert.equal(prepareHostPath("/dev/null", "CharDevice"), undefined);
  assert.match(prepareHostPath("/dev/null", "Socket") ?? "", /is not a socket file/);
});

test("sub paths stay inside their volume", () => {
  const root = join(folder, "sub");
  mkdirSync(root);
  writeFileSync(join(root, "file"), "");
  symlinkSync("/etc", join(root, "out"));
  symlinkSync("file", join(root, "in"));
  assert.deepEqual(resolveSubPath(root, "a/b", true), { path: join(root, "a/b") });
  assert.equal(lstatSync(join(root, "a/b")).isDirectory(), true);
  assert.deepEqual(resolveSubPath(root, "in", false), { path: join(root, "file") });
  for (const bad of ["out", "out/passwd", "out/new", "../x", "/etc", "a/../../x"])
    assert.ok("problem" in resolveSubPath(root, bad, true), bad);
  assert.ok("problem" in resolveSubPath(root, "missing", false));
});
