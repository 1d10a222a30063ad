// A disk that fails: what was not written is not acknowledged, and nothing is until the store is opened again.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend, Batch } from "./backend.ts";
import { memoryBackend } from "./memory.ts";
import { openRevisionStore } from "./revision-store.ts";
import { StoreBusyError, StoreClosedError, type Store, type WatchEvent } from "./store.ts";

/** A memory engine whose writes may fail, or wait. */
function faulty(): { backend: Backend; fail(error: Error): void; hold(): () => void } {
  const backend = memoryBackend();
  let failure: Error | undefined;
  let held: Promise<void> = Promise.resolve();
  return {
    backend: {
      ...backend,
      async write(batch: Batch) {
        await held;
        if (failure !== undefined) throw failure;
        await backend.write(batch);
      },
    },
    fail: (error) => (failure = error),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
  };
}

const noSpace = Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
const put = (key: string, bytes = 1) => ({ put: key, value: Buffer.alloc(bytes, "x") });
const closed = (promise: Promise<unknown>): Promise<void> =>
  assert.rejects(
    promise,
    (error: Error) => error instanceof StoreClosedError && /No space left/.test(error.message),
  );

function watchOf(store: Store): { events: WatchEvent[]; ended: Promise<Error | undefined> } {
  const events: WatchEvent[] = [];
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  store.watch({ start: "/", end: "0", onEvents: (some) => void events.push(...some), onClose: resolve });
  return { events, ended: promise };
}

void test("a write that fails is not acknowledged, nor is anything after it", async () => {
  const disk = faulty();
  const store = await openRevisionStore(disk.backend);
  const { revision } = await store.txn([], [put("/a")]);
  const watched = watchOf(store);
  await new Promise((resolve) => setImmediate(resolve));
  const release = disk.hold();
  const waiting = [
    store.txn([], [put("/b")]),
    store.txn([], [{ delete: "/a" }]),
    // Refused because of a write that fails: nobody may hear of that write.
    store.txn([{ key: "/a", modRevision: revision }], [put("/c")]),
    store.txn([], []),
    store.grantLease(10),
  ];
  disk.fail(noSpace);
  release();
  for (const one of waiting) await closed(one);
  assert.equal(store.revision, revision);
  assert.ok((await watched.ended) instanceof StoreClosedError);
  assert.match((await store.failed).message, /the store in memory failed to write.*No space left/);
  assert.deepEqual(watched.events, []);
  for (const call of [
    () => store.txn([], [put("/d")]),
    () => store.get("/a"),
    () => store.range({ start: "/", end: "0" }),
    () => store.progress(),
    () => store.compact(revision),
  ])
    await closed(call());
  await store.close();
});

void test("a compaction that cannot be written closes the store too", async () => {
  const disk = faulty();
  const store = await openRevisionStore(disk.backend);
  await store.txn([], [put("/a")]);
  await store.txn([], [put("/a")]);
  disk.fail(noSpace);
  await closed(store.compact(store.revision));
  await closed(store.txn([], [put("/b")]));
  await store.close();
});

void test("what waits for the disk is bounded; what is refused has not happened", async () => {
  const disk = faulty();
  const store = await openRevisionStore(disk.backend);
  const release = disk.hold();
  const mebibyte = 1024 * 1024;
  const results = Array.from({ length: 100 }, (_, i) => store.txn([], [put(`/${i}`, mebibyte)]));
  release();
  const settled = await Promise.allSettled(results);
  const refused = settled.filter((one) => one.status === "rejected");
  assert.ok(refused.length > 0 && refused.length < 100, `${refused.length} were refused`);
  for (const one of refused) assert.ok(one.reason instanceof StoreBusyError);
  const { count } = await store.range({ start: "/", end: "0", keysOnly: true });
  assert.equal(count, 100 - refused.length);
  assert.equal(store.revision, 1 + count, "revisions are dense");
  await store.txn([], [put("/later")]);
  store.check();
  await store.close();
});
