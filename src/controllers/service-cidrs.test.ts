// Ranges of Services: ready when they are there, kept while they are needed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceCIDRs } from "#client/refs.ts";
import type { ServiceCIDR } from "#machinery/gen/types/networking-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { isNeeded, planRange, type RangeInput } from "./service-cidrs.ts";

const nowMs = Date.parse("2026-06-01T12:00:00Z");
const finalizers = ["networking.k8s.io/service-cidr-finalizer"];
const range = (name: string, cidr: string, metadata: object = {}, status?: object): ServiceCIDR => ({
  metadata: { name, ...metadata },
  spec: { cidrs: [cidr] },
  ...(status === undefined ? {} : { status }),
});
const plan = (input: Partial<RangeInput> & { range: ServiceCIDR }) => {
  const made = planRange({ others: [], addresses: [], ...input }, nowMs);
  checkPlan({ name: "s", owns: [], writes: [ServiceCIDRs] }, made.actions);
  return made;
};
const ready = ({ actions }: ReturnType<typeof plan>): string[] =>
  actions.flatMap((action) =>
    action.do === "status"
      ? ((action.object as ServiceCIDR).status?.conditions ?? []).map(
          (one) => `${one.status} ${one.reason}: ${one.message}`,
        )
      : [],
  );

test("a new range is held, then ready, then left alone", () => {
  const [first] = plan({ range: range("a", "10.1.0.0/24") }).actions;
  assert.deepEqual(first?.do === "patch" && (first.patch as ServiceCIDR).metadata?.finalizers, finalizers);
  const held = range("a", "10.1.0.0/24", { finalizers });
  const made = plan({ range: held });
  assert.deepEqual(ready(made), ["True : Kubernetes Service CIDR is ready"]);
  const [action] = made.actions;
  assert.deepEqual(
    plan({ range: (action?.do === "status" ? action.object : held) as ServiceCIDR }).actions,
    [],
  );
});

test("a range that is to go waits for the addresses that no other range has", () => {
  const leaving = { finalizers, deletionTimestamp: "2026-06-01T11:59:00Z" };
  const own = range("a", "10.1.0.0/24", leaving);
  const kept = plan({ range: own, addresses: ["10.1.0.5"] });
  assert.match(ready(kept)[0] ?? "", /^False Terminating: There are still IPAddresses/);
  assert.ok(isNeeded({ range: own, others: [range("b", "10.1.0.0/16", leaving)], addresses: ["10.1.0.5"] }));
  for (const input of [
    { addresses: ["10.2.0.5", "None"] },
    { addresses: ["10.1.0.5"], others: [range("b", "10.1.0.0/16")] },
  ]) {
    const [action] = plan({ range: own, ...input }).actions;
    assert.deepEqual(action?.do === "patch" && (action.patch as ServiceCIDR).metadata?.finalizers, []);
  }
  const young = range("a", "10.1.0.0/24", { finalizers, deletionTimestamp: "2026-06-01T11:59:58Z" });
  assert.equal(plan({ range: young }).againAfterMs, 8000);
});
