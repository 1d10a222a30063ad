import assert from "node:assert/strict";
import { test } from "node:test";
import { Pods, ReplicationControllers } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Action } from "#reconcile/action.ts";
import { planForegroundOwner, planOrphaning, planOwned, type OwnerFate } from "./garbage-plan.ts";

const owner = (uid: string, blockOwnerDeletion?: boolean) => ({
  apiVersion: "v1",
  kind: "ReplicationController",
  name: `rc-${uid}`,
  uid,
  ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
});

function pod(owners: string[], more: KubeObject["metadata"] = {}): KubeObject {
  return {
    metadata: {
      name: "p",
      namespace: "d",
      uid: "up",
      resourceVersion: "9",
      ownerReferences: owners.map((uid) => owner(uid)),
      ...more,
    },
  };
}

const told = (actions: readonly Action[]): string => {
  const [action] = actions;
  if (action?.do === "delete") return `delete ${action.options?.propagationPolicy}`;
  if (action?.do === "patch")
    return `patch ${JSON.stringify((action.patch as { metadata: object }).metadata)}`;
  return "nothing";
};

test("in a circle of owners that wait, one stops being waited for", () => {
  const circle = {
    ref: Pods,
    object: pod(["a"]),
    owners: [{ owner: owner("a", true), fate: "waits" as const }],
    hasDependents: true,
    dependentWaits: true,
  };
  const [first, second] = planOwned(circle);
  assert.match(told(first === undefined ? [] : [first]), /^patch .*"blockOwnerDeletion":false/);
  assert.equal(told(second === undefined ? [] : [second]), "delete Foreground");
  const gone = { ...circle, owners: [{ owner: owner("a", true), fate: "gone" as const }] };
  assert.equal(planOwned(gone).length, 1);
});

test("what happens to an object, by the fate of its owners", () => {
  const now = "2026-01-01T00:00:00Z";
  const rows: [string, OwnerFate[], boolean, KubeObject["metadata"], string][] = [
    ["no owners at all", [], false, {}, "nothing"],
    ["its owner exists", ["exists"], false, {}, "nothing"],
    ["its owner is gone", ["gone"], false, {}, "delete Background"],
    ["all are gone", ["gone", "gone"], true, {}, "delete Background"],
    ["one exists, one is gone", ["exists", "gone"], false, {}, "patch"],
    ["one exists, one waits", ["exists", "waits"], true, {}, "patch"],
    ["its owner waits for it", ["waits"], false, {}, "delete Background"],
    ["and it has dependents itself", ["waits"], true, {}, "delete Foreground"],
    ["gone, and it asks to orphan", ["gone"], false, { finalizers: ["orphan"] }, "delete Orphan"],
    [
      "gone, and it asks for foreground",
      ["gone"],
      false,
      { finalizers: ["foregroundDeletion"] },
      "delete Foreground",
    ],
    ["of a kind that nobody serves", ["gone", "unknown"], false, {}, "nothing"],
    ["already being deleted", ["gone"], false, { deletionTimestamp: now }, "nothing"],
  ];
  for (const [what, fates, hasDependents, more, expected] of rows) {
    const object = pod(
      fates.map((_, at) => `u${at}`),
      more,
    );
    const owners = fates.map((fate, at) => ({ owner: owner(`u${at}`), fate }));
    const is = told(planOwned({ ref: Pods, object, owners, hasDependents, dependentWaits: false }));
    assert.equal(is.split(" {")[0], expected, what);
  }
});

test("cutting an owner names exactly the object that was looked at", () => {
  const owners = [
    { owner: owner("a"), fate: "exists" as const },
    { owner: owner("b"), fate: "gone" as const },
  ];
  assert.equal(
    told(
      planOwned({
        ref: Pods,
        object: pod(["a", "b"]),
        owners,
        hasDependents: false,
        dependentWaits: false,
      }),
    ),
    `patch ${JSON.stringify({ uid: "up", resourceVersion: "9", ownerReferences: [owner("a")] })}`,
  );
});

test("a foreground owner goes when nobody blocks it", () => {
  const rc: KubeObject = {
    metadata: {
      name: "rc",
      namespace: "d",
      uid: "u",
      resourceVersion: "3",
      finalizers: ["foregroundDeletion", "x/y"],
    },
  };
  const blocking = { ref: Pods, object: pod([], { ownerReferences: [owner("u", true)] }) };
  const other = { ref: Pods, object: pod(["u"]) };
  assert.deepEqual(planForegroundOwner(ReplicationControllers, rc, [blocking, other]), []);
  assert.equal(
    told(planForegroundOwner(ReplicationControllers, rc, [other])),
    `patch ${JSON.stringify({ uid: "u", resourceVersion: "3", finalizers: ["x/y"] })}`,
  );
});

test("orphans forget their owner before it goes", () => {
  const rc: KubeObject = {
    metadata: { name: "rc", namespace: "d", uid: "u", resourceVersion: "3", finalizers: ["orphan"] },
  };
  const actions = planOrphaning(ReplicationControllers, rc, [{ ref: Pods, object: pod(["u"]) }]);
  assert.deepEqual(
    actions.map((action) => action.do === "patch" && [action.name, action.patch]),
    [
      ["p", { metadata: { uid: "up", resourceVersion: "9", ownerReferences: null } }],
      ["rc", { metadata: { uid: "u", resourceVersion: "3", finalizers: null } }],
    ],
  );
});
