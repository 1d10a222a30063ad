import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ClassicLevel } from "classic-level";
import { storeConformance } from "./conformance.ts";
import { recordKey } from "./embedded/record.ts";
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

void test("a store in use cannot be opened twice", async () => {
  const dir = await freshDir();
  const store = await openIn(dir);
  await assert.rejects(openIn(dir), /in use by another process/);
  await store.close();
});

void test("etcd is refused with what to do instead", async () => {
  await assert.rejects(openStore({ engine: "etcd", servers: ["http://127.0.0.1:2379"] }), /--etcd-servers/);
});
