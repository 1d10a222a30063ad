// What Secrets of service-account tokens are given, and when they go.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Secrets } from "#client/refs.ts";
import type { Secret, ServiceAccount } from "#machinery/gen/types/core-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { needsToken, planToken, type TokenInput } from "./service-account-token.ts";

const text = (value: string): string => Buffer.from(value).toString("base64");
const account: ServiceAccount = { metadata: { name: "builder", namespace: "ci", uid: "u1" } };
const secret = (data?: Record<string, string>, uid?: string): Secret => ({
  metadata: {
    name: "builder-token",
    namespace: "ci",
    uid: "s",
    annotations: {
      "kubernetes.io/service-account.name": "builder",
      ...(uid === undefined ? {} : { "kubernetes.io/service-account.uid": uid }),
    },
  },
  type: "kubernetes.io/service-account-token",
  ...(data === undefined ? {} : { data }),
});
const plan = (input: TokenInput) => {
  const { actions } = planToken(input, { token: "t0", rootCa: "ca" });
  checkPlan({ name: "t", owns: [], writes: [Secrets] }, actions);
  return actions;
};

test("an empty Secret is filled, once", () => {
  assert.ok(needsToken({ secret: secret(), account }));
  const [action] = plan({ secret: secret(), account });
  assert.ok(action?.do === "update");
  const filled = action.object as Secret;
  assert.deepEqual(filled.data, { token: text("t0"), "ca.crt": text("ca"), namespace: text("ci") });
  assert.equal(filled.metadata?.annotations?.["kubernetes.io/service-account.uid"], "u1");
  assert.ok(!needsToken({ secret: filled, account }));
  assert.deepEqual(plan({ secret: filled, account }), []);
});

test("what is there stays, another authority aside", () => {
  const old = { token: text("mine"), "ca.crt": text("old"), more: text("m") };
  const [action] = plan({ secret: secret(old, "u1"), account });
  assert.deepEqual(action?.do === "update" && (action.object as Secret).data, {
    ...old,
    "ca.crt": text("ca"),
    namespace: text("ci"),
  });
});

test("without its account, or with another of that name, the Secret goes", () => {
  for (const input of [
    { secret: secret(), account: undefined },
    { secret: secret(undefined, "u0"), account },
  ])
    assert.deepEqual(
      plan(input).map((action) => action.do),
      ["delete"],
    );
});
