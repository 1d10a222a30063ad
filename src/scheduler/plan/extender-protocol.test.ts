// What extenders are told, and how their answers are read: names in any case, and nonsense refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  nodesArgs,
  preemptionArgs,
  readBindingAnswer,
  readFilterAnswer,
  readPreemptionAnswer,
  readPriorities,
  type ExtenderConfig,
} from "./extender-protocol.ts";

const whole: ExtenderConfig = {
  urlPrefix: "http://e",
  filterVerb: "filter",
  prioritizeVerb: "prioritize",
  preemptVerb: "preempt",
  bindVerb: "",
  weight: 3,
  timeoutMs: 5000,
  nodeCacheCapable: false,
  managedResources: new Set(),
  ignorable: false,
  tls: undefined,
};
const names: ExtenderConfig = { ...whole, nodeCacheCapable: true };
const pod = { metadata: { name: "p", uid: "u" } };
const node = (name: string): { metadata: { name: string } } => ({ metadata: { name } });

test("nodes are sent whole, or by name to those who know them", () => {
  assert.deepEqual(
    nodesArgs(pod, ["a", "gone"], (name) => (name === "a" ? node(name) : undefined), whole),
    {
      Pod: pod,
      Nodes: { metadata: {}, items: [node("a")] },
      NodeNames: null,
    },
  );
  assert.deepEqual(nodesArgs(pod, ["a"], node, names), { Pod: pod, Nodes: null, NodeNames: ["a"] });
});

test("who passes, who is refused, and whether evictions could help", () => {
  const left = { reason: "node(s) were left out by extender http://e", resolvable: false };
  const rows: [string, ExtenderConfig, unknown, string[], object][] = [
    ["by name", names, { NodeNames: ["a", "b"] }, ["a", "b"], {}],
    ["whole", whole, { Nodes: { items: [node("b")] } }, ["b"], { a: left }],
    [
      "other letters",
      names,
      { nodenames: ["a"], failednodes: { b: "full" } },
      ["a"],
      { b: { reason: "full", resolvable: true } },
    ],
    [
      "the worse reason counts",
      names,
      { NodeNames: [], FailedNodes: { a: "full", b: "full" }, FailedAndUnresolvableNodes: { a: "never" } },
      [],
      { a: { reason: "never", resolvable: false }, b: { reason: "full", resolvable: true } },
    ],
    ["nothing", names, {}, [], { a: left, b: left }],
    [
      "nodes that nobody asked about are no news",
      names,
      { NodeNames: ["a", "b"], FailedNodes: { z: "?" } },
      ["a", "b"],
      {},
    ],
  ];
  for (const [title, config, answer, passed, refused] of rows) {
    const read = readFilterAnswer(answer, ["a", "b"], config);
    assert.deepEqual([...read.passed], passed, title);
    assert.deepEqual(Object.fromEntries(read.refused), refused, title);
  }
});

test("answers that make no sense are refused", () => {
  const rows: [unknown, RegExp][] = [
    [null, /^the answer is no object$/],
    [[], /^the answer is no object$/],
    [{ Error: "out of licences" }, /^out of licences$/],
    [{ NodeNames: "a" }, /^NodeNames of the answer is no list$/],
    [{ NodeNames: ["z"] }, /claims a filtered node "z" which is not found in the input node list$/],
    [{ NodeNames: [], FailedNodes: ["a"] }, /^FailedNodes of the answer is no map$/],
  ];
  for (const [answer, message] of rows)
    assert.throws(() => readFilterAnswer(answer, ["a"], names), { message });
  assert.throws(
    () => readPriorities([{ Host: "a", Score: 1.5 }], names),
    /Score of the answer is no whole number/,
  );
  assert.throws(() => readBindingAnswer({ Error: "taken" }), /^Error: taken$/);
  assert.doesNotThrow(() => readBindingAnswer({}));
});

test("scores of 0 to 10 count by weight in the scheduler's scale", () =>
  assert.deepEqual(
    [...readPriorities([{ Host: "a", Score: 10 }, { host: "b", score: 1 }, { Host: "c" }], whole)],
    [
      ["a", 300],
      ["b", 30],
      ["c", 0],
    ],
  ));

test("victims are sent whole, or by uid, and come back by uid", () => {
  const victims = new Map([["a", { uids: ["1"], violations: 2 }]]);
  const podOf = (uid: string): { metadata: { uid: string } } => ({ metadata: { uid } });
  assert.deepEqual(preemptionArgs(pod, victims, podOf, whole), {
    Pod: pod,
    NodeNameToVictims: { a: { Pods: [{ metadata: { uid: "1" } }], NumPDBViolations: 2 } },
    NodeNameToMetaVictims: null,
  });
  const byUid = { a: { Pods: [{ UID: "1" }], NumPDBViolations: 2 } };
  assert.deepEqual(preemptionArgs(pod, victims, podOf, names), {
    Pod: pod,
    NodeNameToVictims: null,
    NodeNameToMetaVictims: byUid,
  });
  assert.deepEqual(readPreemptionAnswer({ nodeNameToMetaVictims: byUid }), victims);
});
