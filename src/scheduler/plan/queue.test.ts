import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import type { ClusterEvent } from "./hints.ts";
import { podInfo, type PodInfo } from "./pod-info.ts";
import { SchedulingQueue } from "./queue.ts";
import type { FilterName } from "./refusal.ts";

const pod = (name: string, priority = 0, cpu = "1"): PodInfo =>
  podInfo({
    metadata: { name, namespace: "d", uid: name },
    spec: { priority, containers: [{ name: "c", resources: { requests: { cpu } } }] },
  });
const fit = new Set<FilterName>(["NodeResourcesFit"]);
const removal: ClusterEvent = { kind: "pod-removed", node: undefined };
const arrival: ClusterEvent = { kind: "pod-assigned", node: undefined };
const make = (): SchedulingQueue => new SchedulingQueue((_info, _by, { kind }) => kind === "pod-removed");

test("by priority, then in order of arrival", () => {
  const queue = make();
  for (const one of [pod("a"), pod("b", 5), pod("c"), pod("d", 5)]) queue.put(one, 0);
  const order = [1, 2, 3, 4].map(() => queue.pop(0)?.uid);
  assert.deepEqual(order, ["b", "d", "a", "c"]);
  assert.equal(queue.pop(0), undefined);
});

test("a refused pod waits for an event that may help, and at least its backoff", () => {
  const queue = make();
  queue.put(pod("a"), 0);
  queue.pop(0);
  queue.failed("a", fit, 100);
  assert.equal(queue.pop(50_000), undefined);
  queue.happened(arrival, 200);
  assert.equal(queue.count("unschedulable"), 1);
  queue.happened(removal, 200);
  assert.equal(queue.pop(1099), undefined);
  assert.equal(queue.nextDueMs(), 1100);
  assert.equal(queue.pop(1100)?.uid, "a");
  queue.failed("a", fit, 2000);
  queue.happened(removal, 10_000);
  assert.equal(queue.pop(10_000)?.uid, "a", "the backoff is over already");
});

test("an event while the pod was in flight is not lost", () => {
  const queue = make();
  queue.put(pod("a"), 0);
  queue.pop(0);
  queue.happened(removal, 10);
  queue.failed("a", fit, 20);
  assert.equal(queue.pop(1020)?.uid, "a");
});

test("backoffs double up to ten seconds", () => {
  const queue = make();
  queue.put(pod("a"), 0);
  let nowMs = 0;
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    assert.ok(queue.pop(nowMs));
    queue.failed("a", undefined, nowMs);
    const due = queue.nextDueMs() as number;
    waits.push(due - nowMs);
    nowMs = due;
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("whatever happens, it is tried again after five minutes", () => {
  const queue = make();
  queue.put(pod("a"), 0);
  queue.pop(0);
  queue.failed("a", fit, 0);
  assert.equal(queue.pop(299_999), undefined);
  assert.equal(queue.pop(340_000)?.uid, "a");
});

test("a changed pod is tried again, one whose status alone changed is not", () => {
  const queue = make();
  queue.put(pod("a"), 0);
  queue.pop(0);
  queue.failed("a", fit, 0);
  queue.put(pod("a"), 5000);
  assert.equal(queue.pop(5000), undefined);
  queue.put(pod("a", 0, "2"), 5000);
  assert.equal(queue.pop(5000)?.shape.requests.cpu, 2000);
});

test("any interleaving: each pod is in one place, removed pods never come back", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const queue = make();
    const flying = new Set<string>();
    const present = new Set<string>();
    for (let step = 0, nowMs = 0; step < 300; step++, nowMs += random.integer(800)) {
      const name = `p${random.integer(6)}`;
      const what = random.integer(6);
      if (what === 0) {
        queue.put(pod(name, random.integer(3), String(1 + random.integer(2))), nowMs);
        present.add(name);
      } else if (what === 1) {
        queue.remove(name);
        present.delete(name);
        flying.delete(name);
      } else if (what === 2) {
        const popped = queue.pop(nowMs);
        if (popped !== undefined) {
          assert.ok(present.has(popped.uid) && !flying.has(popped.uid), `seed ${seed}`);
          flying.add(popped.uid);
        }
      } else if (what === 3) queue.happened(random.integer(2) === 0 ? removal : arrival, nowMs);
      else {
        const [one] = flying;
        if (one !== undefined) {
          flying.delete(one);
          queue.failed(one, random.integer(2) === 0 ? fit : undefined, nowMs);
        }
      }
      queue.check();
      assert.equal(queue.size, present.size);
    }
  }
});
