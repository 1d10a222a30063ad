import assert from "node:assert/strict";
import { test } from "node:test";
import { EventAggregator, type EventRecord } from "./event-aggregation.ts";

const record = (message: string, name = "p"): EventRecord => ({
  about: { kind: "Pod", namespace: "d", name, uid: "1" },
  type: "Normal",
  reason: "Pulled",
  message,
});

test("a repetition raises the count", () => {
  const aggregator = new EventAggregator();
  const first = aggregator.decide(record("m"), 0);
  assert.equal(first.send, "create");
  if (first.send === "create") first.remember("e1");
  const second = aggregator.decide(record("m"), 1000);
  assert.deepEqual(second, { send: "count", name: "e1", count: 2, message: "m" });
  aggregator.forget(record("m"));
  assert.equal(aggregator.decide(record("m"), 2000).send, "create");
});

test("the eleventh different message begins a combined event", () => {
  const aggregator = new EventAggregator();
  const seen: string[] = [];
  for (let i = 1; i <= 13; i++) {
    const decision = aggregator.decide(record(`m${i}`), i);
    if (decision.send === "create") decision.remember(`e${i}`);
    seen.push(decision.send === "nothing" ? "-" : `${decision.send}:${decision.message}`);
  }
  assert.equal(seen[9], "create:m10");
  assert.equal(seen[10], "create:(combined from similar events): m11");
  assert.equal(seen[11], "count:(combined from similar events): m12");
});

test("25 at once for one object, then one in five minutes; others are not touched", () => {
  const aggregator = new EventAggregator();
  const send = (nowMs: number, name?: string): boolean => {
    const decision = aggregator.decide(record("m", name), nowMs);
    if (decision.send === "create") decision.remember("e");
    return decision.send !== "nothing";
  };
  let sent = 0;
  for (let i = 0; i < 100; i++) if (send(0)) sent++;
  assert.equal(sent, 25);
  assert.ok(send(0, "other"));
  assert.ok(!send(299_000));
  assert.ok(send(300_000));
});
