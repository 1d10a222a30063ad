// What the contract in store.ts promises, as a suite that every engine runs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  CompactedError,
  FutureRevisionError,
  InvalidTransactionError,
  prefixEnd,
  StoreClosedError,
  type KeyValue,
  type Store,
  type WatchEvent,
} from "./store.ts";

const value = (text: string): Buffer => Buffer.from(text);
const all = { start: "/", end: "\x7f" };
const show = (kv: KeyValue | undefined): string =>
  kv === undefined ? "-" : `${kv.key}=${kv.value.toString()}@${kv.modRevision}v${kv.version}`;

interface Recording {
  readonly events: string[];
  readonly closed: Promise<Error | undefined>;
  until(count: number): Promise<void>;
  stop(): void;
}

function record(store: Store, fromRevision?: number, range = all): Recording {
  const events: string[] = [];
  const closed = Promise.withResolvers<Error | undefined>();
  let wake = (): void => undefined;
  const watch = store.watch({
    ...range,
    ...(fromRevision === undefined ? {} : { fromRevision }),
    onEvents(batch: readonly WatchEvent[], revision) {
      for (const { type, kv } of batch) {
        assert.equal(kv.modRevision, revision);
        events.push(`${type} ${type === "delete" ? `${kv.key}@${kv.modRevision}` : show(kv)}`);
      }
      wake();
    },
    onClose: closed.resolve,
  });
  return {
    events,
    closed: closed.promise,
    stop: () => watch.stop(),
    async until(count) {
      while (events.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

/** `open` gives an empty store; `reopen` (durable engines) the same one again after close. */
export function storeConformance(
  name: string,
  open: () => Promise<Store>,
  reopen?: (store: Store) => Promise<Store>,
): void {
  const withStore = (title: string, body: (store: Store) => Promise<void>): void => {
    void test(title, async () => {
      const store = await open();
      try {
        await body(store);
        store.check();
      } finally {
        await store.close();
      }
    });
  };

  void describe(`store conformance: ${name}`, () => {
    withStore("create, update, delete; versions and revisions", async (store) => {
      const first = store.revision;
      assert.deepEqual(await store.txn([{ key: "/a", modRevision: 0 }], [{ put: "/a", value: value("1") }]), {
        ok: true,
        revision: first + 1,
      });
      assert.equal(show(await store.get("/a")), `/a=1@${first + 1}v1`);
      const refused = await store.txn([{ key: "/a", modRevision: 0 }], [{ put: "/a", value: value("x") }]);
      assert.equal(refused.ok, false);
      assert.deepEqual(refused.ok ? [] : refused.current.map(show), [`/a=1@${first + 1}v1`]);
      await store.txn([{ key: "/a", modRevision: first + 1 }], [{ put: "/a", value: value("2") }]);
      const updated = await store.get("/a");
      assert.equal(show(updated), `/a=2@${first + 2}v2`);
      assert.equal(updated?.createRevision, first + 1);
      assert.deepEqual(await store.txn([], [{ delete: "/a" }]), { ok: true, revision: first + 3 });
      assert.equal(await store.get("/a"), undefined);
      assert.deepEqual(
        await store.txn([], [{ delete: "/a" }]),
        { ok: true, revision: first + 3 },
        "deleting nothing changes nothing",
      );
      await store.txn([{ key: "/a", modRevision: 0 }], [{ put: "/a", value: value("3") }]);
      assert.equal(show(await store.get("/a")), `/a=3@${first + 4}v1`);
      assert.equal(store.revision, first + 4);
    });

    withStore("a transaction is one revision, all or nothing", async (store) => {
      const watched = record(store);
      const { revision } = await store.txn(
        [],
        [
          { put: "/a", value: value("1") },
          { put: "/b", value: value("1") },
        ],
      );
      const refused = await store.txn(
        [
          { key: "/a", modRevision: revision },
          { key: "/b", modRevision: 1 },
        ],
        [{ put: "/a", value: value("2") }, { delete: "/b" }],
      );
      assert.equal(refused.ok, false);
      assert.deepEqual((await store.range(all)).kvs.map(show), [`/a=1@${revision}v1`, `/b=1@${revision}v1`]);
      await store.txn(
        [{ key: "/a", modRevision: revision }],
        [{ put: "/a", value: value("2") }, { delete: "/b" }],
      );
      await watched.until(4);
      assert.deepEqual(watched.events, [
        `put /a=1@${revision}v1`,
        `put /b=1@${revision}v1`,
        `put /a=2@${revision + 1}v2`,
        `delete /b@${revision + 1}`,
      ]);
      watched.stop();
    });

    withStore("concurrent writers: one wins, revisions are dense", async (store) => {
      const before = store.revision;
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          store.txn([{ key: "/x", modRevision: 0 }], [{ put: "/x", value: value(String(i)) }]),
        ),
      );
      assert.equal(results.filter((result) => result.ok).length, 1);
      const losers = results.flatMap((result) => (result.ok ? [] : [show(result.current[0])]));
      assert.deepEqual(new Set(losers), new Set([show(await store.get("/x"))]));
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => store.txn([], [{ put: `/k${i}`, value: value("v") }])),
      );
      assert.equal(store.revision, before + 201);
    });

    withStore("ranges: order, limit, count, snapshots", async (store) => {
      for (const key of ["/p/c", "/p/a", "/q/x", "/p/b"])
        await store.txn([], [{ put: key, value: value(key) }]);
      const at = store.revision;
      await store.txn([], [{ delete: "/p/b" }]);
      await store.txn([], [{ put: "/p/a", value: value("new") }]);
      const range = { start: "/p/", end: prefixEnd("/p/") };
      const keys = async (options: object): Promise<string> =>
        (await store.range({ ...range, ...options })).kvs
          .map((kv) => `${kv.key}:${kv.value.toString()}`)
          .join(" ");
      assert.equal(await keys({}), "/p/a:new /p/c:/p/c");
      assert.equal(await keys({ revision: at }), "/p/a:/p/a /p/b:/p/b /p/c:/p/c");
      assert.equal(await keys({ keysOnly: true }), "/p/a: /p/c:");
      const page = await store.range({ ...range, revision: at, limit: 2 });
      assert.deepEqual([page.kvs.length, page.count, page.more, page.revision], [2, 3, true, store.revision]);
      assert.equal(show(await store.get("/p/b", at)), `/p/b=/p/b@${at}v1`);
      await assert.rejects(store.range({ ...range, revision: store.revision + 1 }), FutureRevisionError);
    });

    withStore(
      "watch: resumes from any revision, in order, each event once, also while writes go on",
      async (store) => {
        const from = store.revision + 1;
        const writing = (async () => {
          for (let i = 0; i < 200; i++)
            await store.txn([], [{ put: `/w/${i % 7}`, value: value(String(i)) }]);
        })();
        const watches = [];
        for (let i = 0; i < 20; i++) {
          watches.push(record(store, from));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await writing;
        for (const watched of watches) await watched.until(200);
        for (const watched of watches) {
          assert.equal(watched.events.length, 200);
          assert.deepEqual(watched.events, watches[0]?.events);
          watched.stop();
        }
        const late = record(store, from + 100);
        await late.until(100);
        assert.deepEqual(late.events, watches[0]?.events.slice(100));
        late.stop();
      },
    );

    withStore("watch sees its range only, and progress for the rest", async (store) => {
      const progress: number[] = [];
      const events: string[] = [];
      const watch = store.watch({
        start: "/a/",
        end: prefixEnd("/a/"),
        onEvents: (batch) => events.push(...batch.map((e) => e.kv.key)),
        onProgress: (revision) => progress.push(revision),
        onClose: () => undefined,
      });
      await new Promise((resolve) => setImmediate(resolve));
      await store.txn(
        [],
        [
          { put: "/a/1", value: value("") },
          { put: "/b/1", value: value("") },
        ],
      );
      await store.txn([], [{ put: "/b/2", value: value("") }]);
      assert.deepEqual(events, ["/a/1"]);
      assert.equal(progress.at(-1), store.revision);
      watch.stop();
    });

    withStore("compaction: old revisions are gone, present values stay", async (store) => {
      await store.txn([], [{ put: "/a", value: value("1") }]);
      const old = store.revision;
      await store.txn([], [{ put: "/a", value: value("2") }]);
      await store.txn([], [{ put: "/b", value: value("1") }]);
      await store.txn([], [{ delete: "/b" }]);
      await store.compact(store.revision);
      assert.equal(store.compactedRevision, store.revision);
      await assert.rejects(store.get("/a", old), CompactedError);
      assert.equal((await store.get("/a"))?.value.toString(), "2");
      assert.equal(await store.get("/b"), undefined);
      const watched = record(store, old);
      assert.ok((await watched.closed) instanceof CompactedError);
      const fresh = record(store, store.revision + 1);
      await store.txn([], [{ put: "/b", value: value("2") }]);
      await fresh.until(1);
      assert.deepEqual(fresh.events, [`put /b=2@${store.revision}v1`]);
      fresh.stop();
      await assert.rejects(store.compact(old), CompactedError);
      await assert.rejects(store.compact(store.revision + 1), FutureRevisionError);
    });

    withStore("leases: revoking deletes the keys that still hang on it, in one revision", async (store) => {
      const lease = await store.grantLease(60);
      await store.txn(
        [],
        [
          { put: "/l/1", value: value(""), lease },
          { put: "/l/2", value: value(""), lease },
          { put: "/l/3", value: value(""), lease },
        ],
      );
      await store.txn([], [{ put: "/l/3", value: value("kept") }]);
      const before = store.revision;
      await store.keepAlive(lease);
      await store.revokeLease(lease);
      assert.equal(store.revision, before + 1);
      assert.deepEqual(
        (await store.range(all)).kvs.map((kv) => kv.key),
        ["/l/3"],
      );
      await assert.rejects(store.keepAlive(lease));
      await assert.rejects(store.txn([], [{ put: "/x", value: value(""), lease }]));
    });

    withStore("what cannot be written is refused before it has a revision", async (store) => {
      const before = store.revision;
      const put = (key: string) => ({ put: key, value: value("x") });
      for (const operations of [
        [put("/a"), put("/a")],
        [put("/a"), { delete: "/a" }],
        [put("/a"), { put: "/b", value: value("x"), lease: 99 }],
      ])
        await assert.rejects(store.txn([], operations), InvalidTransactionError);
      assert.equal(store.revision, before);
      assert.equal(await store.get("/a"), undefined);
      assert.deepEqual(await store.txn([], [put("/a")]), { ok: true, revision: before + 1 });
    });

    withStore("a watch from a revision to come waits for it", async (store) => {
      const watched = record(store, store.revision + 3);
      const first = store.revision + 1;
      for (let i = 0; i < 4; i++) await store.txn([], [{ put: `/f/${i}`, value: value("") }]);
      await watched.until(2);
      assert.deepEqual(watched.events, [`put /f/2=@${first + 2}v1`, `put /f/3=@${first + 3}v1`]);
      watched.stop();
    });

    withStore("a watch that is stopped sees nothing more, one that throws is closed", async (store) => {
      const stopped = record(store);
      const thrower = Promise.withResolvers<Error | undefined>();
      store.watch({
        ...all,
        onEvents() {
          throw new Error("mine");
        },
        onClose: thrower.resolve,
      });
      const healthy = record(store);
      await new Promise((resolve) => setImmediate(resolve));
      stopped.stop();
      await store.txn([], [{ put: "/a", value: value("1") }]);
      await healthy.until(1);
      assert.equal((await thrower.promise)?.message, "mine");
      assert.deepEqual(stopped.events, []);
      healthy.stop();
    });

    withStore("reads and watches that a compaction overtakes are whole, or end", async (store) => {
      // Enough of it that not all is in memory any more.
      const big = Buffer.alloc(256 * 1024, "x");
      const from = store.revision + 1;
      for (let i = 0; i < 120; i++)
        await store.txn(
          [],
          [
            { put: `/c/${i % 10}`, value: big },
            { put: `/d/${i % 10}`, value: value(String(i)) },
          ],
        );
      const batches: [number, number][] = [];
      const closed = Promise.withResolvers<Error | undefined>();
      const watch = store.watch({
        ...all,
        fromRevision: from,
        onEvents: (events, revision) => batches.push([revision, events.length]),
        onProgress: () => closed.resolve(undefined),
        onClose: closed.resolve,
      });
      const reads = Array.from({ length: 20 }, (_, i) =>
        store.range({ ...all, ...(i % 2 === 0 ? { revision: from + 20 } : {}) }).then(
          ({ kvs }) => kvs.length,
          (error: unknown) => (error as Error).name,
        ),
      );
      await new Promise((resolve) => setImmediate(resolve));
      await store.compact(store.revision);
      const results = await Promise.all(reads);
      for (const [i, result] of results.entries())
        assert.ok(result === 20 || (i % 2 === 0 && result === "CompactedError"), `read ${i}: ${result}`);
      const error = await closed.promise;
      assert.ok(error === undefined || error instanceof CompactedError);
      for (const [at, [revision, events]] of batches.entries())
        assert.deepEqual([revision, events], [from + at, 2], "in order, without a hole, and whole");
      watch.stop();
    });

    withStore("compactions at the same time do not undo each other", async (store) => {
      for (let i = 0; i < 30; i++) await store.txn([], [{ put: `/k${i % 3}`, value: value(String(i)) }]);
      const { revision } = store;
      await Promise.all([store.compact(revision - 10), store.compact(revision - 5), store.compact(revision)]);
      assert.equal(store.compactedRevision, revision);
      assert.deepEqual(
        (await store.range(all)).kvs.map((kv) => kv.value.toString()),
        ["27", "28", "29"],
      );
    });

    withStore("a closed store says so", async (store) => {
      const watched = record(store);
      await new Promise((resolve) => setImmediate(resolve));
      await store.close();
      assert.equal(await watched.closed, undefined);
      await assert.rejects(store.get("/a"), StoreClosedError);
      await assert.rejects(store.progress(), StoreClosedError);
      await assert.rejects(store.compact(store.revision), StoreClosedError);
      await assert.rejects(store.txn([], [{ put: "/a", value: value("") }]), StoreClosedError);
    });

    if (reopen === undefined) return;
    void test("compaction and restarts, again and again: values stay, revisions go on", async () => {
      let store = await open();
      const wanted = new Map<string, string>();
      for (let turn = 0; turn < 5; turn++) {
        for (let i = 0; i < 40; i++) {
          const key = `/k${(i * 7 + turn) % 11}`;
          if (i % 4 === 3) {
            wanted.delete(key);
            await store.txn([], [{ delete: key }]);
          } else {
            wanted.set(key, `${turn}-${i}`);
            await store.txn([], [{ put: key, value: value(`${turn}-${i}`) }]);
          }
        }
        const { revision } = store;
        await store.compact(revision - 5 * turn);
        await store.close();
        store = await reopen(store);
        assert.equal(store.revision, revision);
        assert.equal(store.compactedRevision, revision - 5 * turn);
        const { kvs } = await store.range(all);
        assert.deepEqual(
          new Map(kvs.map((kv) => [kv.key, kv.value.toString()])),
          new Map([...wanted].sort()),
        );
        store.check();
      }
      await store.close();
    });

    void test("after a restart everything is there: values, history, leases, the revision", async () => {
      let store = await open();
      await store.txn(
        [],
        [
          { put: "/a", value: value("1") },
          { put: "/b", value: value("1") },
        ],
      );
      const lease = await store.grantLease(60);
      await store.txn([], [{ put: "/a", value: value("2"), lease }]);
      await store.txn([], [{ delete: "/b" }]);
      const { revision } = store;
      await store.close();
      store = await reopen(store);
      assert.equal(store.revision, revision);
      assert.equal(show(await store.get("/a")), `/a=2@${revision - 1}v2`);
      assert.deepEqual(
        (await store.range({ ...all, revision: revision - 2 })).kvs.map((kv) => kv.key),
        ["/a", "/b"],
      );
      const watched = record(store, revision - 2);
      await watched.until(4);
      assert.deepEqual(watched.events.at(-1), `delete /b@${revision}`);
      await store.compact(revision);
      await store.close();
      store = await reopen(store);
      assert.equal(store.compactedRevision, revision);
      await store.revokeLease(lease);
      assert.deepEqual((await store.range(all)).kvs, []);
      store.check();
      await store.close();
    });
  });
}
