import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ClassicLevel } from "classic-level";
import { storeConformance } from "./conformance.ts";
import { encodeRecord, recordKey } from "./embedded/record.ts";
import { openStore } from "./open.ts";
import type { Store } from "./store.ts";

const dirs: string[] = [];
const dirOf = new WeakMap<Store, string>();
async function openIn(dir: string): Promise<Store> {
  const store = await openStore({ engine: "embedded", dir });
  dirOf.set(store, dir);
  return store;
}
async function freshDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "leme-store-"));
  dirs.push(dir);
  return dir;
}
after(async () => {
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
});

storeConformance("memory", () => openStore({ engine: "memory" }));
storeConformance(
  "embedded",
  async () => openIn(await freshDir()),
  (store) => openIn(dirOf.get(store) as string),
);

async function storeWith(writes: number): Promise<string> {
  const dir = await freshDir();
  const store = await openIn(dir);
  for (let i = 0; i < writes; i++) await store.txn([], [{ put: `/${i}`, value: Buffer.from("value") }]);
  await store.close();
  return dir;
}

async function tamper(
  dir: string,
  change: (db: ClassicLevel<Buffer, Buffer>) => Promise<void>,
): Promise<void> {
  const db = new ClassicLevel<Buffer, Buffer>(dir, { keyEncoding: "buffer", valueEncoding: "buffer" });
  await change(db);
  await db.close();
}

void test("a damaged store refuses to open and says what to do", async () => {
  const hole = await storeWith(5);
  await tamper(hole, (db) => db.del(recordKey(4, 0)));
  await assert.rejects(openIn(hole), /hole: revision 4 .* is missing: restore a backup/);

  const damaged = await storeWith(5);
  await tamper(damaged, async (db) => {
    const bytes = (await db.get(recordKey(3, 0))) as Buffer;
    bytes[bytes.length - 1] = 0;
    await db.put(recordKey(3, 0), bytes);
  });
  await assert.rejects(
    openIn(damaged),
    /revision 3 is damaged: its checksum does not match: restore a backup/,
  );
});

/** Changes the newest log in place. LevelDB leaves what it holds there when it is closed. */
async function changeLog(dir: string, change: (log: Buffer) => Buffer): Promise<void> {
  const log = (await readdir(dir))
    .filter((name) => name.endsWith(".log"))
    .sort()
    .at(-1) as string;
  await writeFile(join(dir, log), change(await readFile(join(dir, log))));
}
function flip(log: Buffer, at: number): Buffer {
  log[at] = (log[at] as number) ^ 0xff;
  return log;
}

void test("a log that lost something acknowledged refuses to open and says what to do", async () => {
  const rows: [string, (log: Buffer) => Buffer, RegExp][] = [
    [
      "its end",
      (log) => log.subarray(0, log.length - 1),
      /ends at revision 5, and revision 6 was acknowledged/,
    ],
    ["half of it", (log) => log.subarray(0, log.length >> 1), /ends at revision \d, and revision 6 was/],
    ["all of it", () => Buffer.alloc(0), /ends at revision 0, and revision 6 was acknowledged/],
    [
      "a bit of the last record",
      (log) => flip(log, log.length - 3),
      /ends at revision 5, and revision 6 was/,
    ],
    ["a bit in the middle", (log) => flip(log, log.length >> 1), /hole: revision|ends at revision/],
    ["zeros at the end", (log) => log.fill(0, log.length - 40), /ends at revision 5, and revision 6 was/],
  ];
  for (const [name, change, expected] of rows) {
    const dir = await storeWith(5);
    await changeLog(dir, change);
    await assert.rejects(openIn(dir), expected, name);
    await assert.rejects(openIn(dir), /restore a backup/, `${name}, once more`);
  }
});

void test("who gives up what was lost can go on without it", async () => {
  const dir = await storeWith(5);
  await changeLog(dir, (log) => log.subarray(0, log.length - 1));
  await assert.rejects(openIn(dir), /or remove .*\/acknowledged to go on without/);
  await rm(join(dir, "acknowledged"));
  const store = await openIn(dir);
  assert.equal(store.revision, 5);
  await store.close();
});

void test("what was being written when the machine stopped is no damage", async () => {
  const dir = await storeWith(5);
  await changeLog(dir, (log) => Buffer.concat([log, Buffer.from([1, 2, 3, 4, 200, 1, 2, 9, 9, 9])]));
  const store = await openIn(dir);
  assert.equal(store.revision, 6);
  await store.txn([], [{ put: "/more", value: Buffer.from("value") }]);
  await store.close();
  await (await openIn(dir)).close();
});

void test("a key that is lost below the compacted revision, and one that is back, are noticed", async () => {
  const compacted = async (): Promise<string> => {
    const dir = await storeWith(5);
    const store = await openIn(dir);
    await store.txn([], [{ delete: "/4" }]);
    await store.compact(store.revision);
    await store.close();
    return dir;
  };
  const lost = await compacted();
  await tamper(lost, (db) => db.del(recordKey(3, 0)));
  await assert.rejects(openIn(lost), /hole: of 4 keys at revision 7 it has 3: restore a backup/);

  const back = await compacted();
  const record = { slot: 0, slots: 1, key: "/4", value: Buffer.from("value"), version: 1, lease: 0 };
  const bytes = encodeRecord({ ...record, revision: 6, createRevision: 6 });
  await tamper(back, (db) => db.put(recordKey(6, 0), bytes));
  await assert.rejects(openIn(back), /of 4 keys at revision 7 it has 5/);

  const moved = await compacted();
  await tamper(moved, (db) => db.put(recordKey(4, 0), bytes));
  await assert.rejects(openIn(moved), /revision 4 is damaged: its checksum does not match/);
});

void test("LevelDB's own files are missing or damaged", async () => {
  for (const file of ["CURRENT", "MANIFEST"]) {
    const dir = await storeWith(5);
    const name = (await readdir(dir)).find((one) => one.startsWith(file)) as string;
    await writeFile(join(dir, name), "nonsense");
    await assert.rejects(openIn(dir), /cannot be opened \(.*\): restore a backup/, file);
  }
});

void test("a store in use cannot be opened twice", async () => {
  const dir = await freshDir();
  const store = await openIn(dir);
  await assert.rejects(openIn(dir), /in use by another process/);
  await store.close();
});

void test("etcd is refused with what to do instead", async () => {
  await assert.rejects(openStore({ engine: "etcd", servers: ["http://127.0.0.1:2379"] }), /--etcd-servers/);
});
