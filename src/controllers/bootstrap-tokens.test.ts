// Bootstrap tokens: which are good, what is signed with them, and when they go.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { ConfigMaps, Secrets } from "#client/refs.ts";
import type { ConfigMap, Secret } from "#machinery/gen/types/core-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { bootstrapTokenOf, splitBootstrapToken } from "#resources/core/bootstrap-token.ts";
import { planSignatures, planTokenEnd } from "./bootstrap-tokens.ts";

const nowMs = Date.parse("2026-06-01T12:00:00Z");
const token = (id: string, more: Record<string, string> = {}, metadata: object = {}): Secret => {
  const fields = {
    "token-id": id,
    "token-secret": "0123456789abcdef",
    "usage-bootstrap-signing": "true",
    ...more,
  };
  return {
    metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system", ...metadata },
    type: "bootstrap.kubernetes.io/token",
    data: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
    ),
  };
};

test("tokens that are good, and those that are not", () => {
  const groups = { "auth-extra-groups": "system:bootstrappers:workers" };
  assert.deepEqual(
    bootstrapTokenOf(token("abcdef", { ...groups, "usage-bootstrap-authentication": "true" }), nowMs),
    {
      id: "abcdef",
      secret: "0123456789abcdef",
      groups: ["system:bootstrappers", "system:bootstrappers:workers"],
      authenticates: true,
      signs: true,
    },
  );
  const bad: readonly Secret[] = [
    token("abcdef", { expiration: "2026-06-01T11:59:59Z" }),
    token("abcdef", { expiration: "tomorrow" }),
    token("abcdef", { "auth-extra-groups": "system:masters" }),
    token("abcdef", { "token-secret": "" }),
    token("ABCDEF"),
    token("abcdef", {}, { name: "bootstrap-token-other" }),
    token("abcdef", {}, { namespace: "default" }),
    { ...token("abcdef"), type: "Opaque" },
  ];
  for (const one of bad) assert.equal(bootstrapTokenOf(one, nowMs), undefined);
  assert.deepEqual(splitBootstrapToken("abcdef.0123456789abcdef"), {
    id: "abcdef",
    secret: "0123456789abcdef",
  });
  assert.equal(splitBootstrapToken("abcdef.short"), undefined);
});

test("what new nodes read is signed with each token that is for it, and no other", () => {
  const info: ConfigMap = {
    metadata: { name: "cluster-info", namespace: "kube-public" },
    data: { kubeconfig: "content", "jws-kubeconfig-gone00": "x", other: "o" },
  };
  const secrets = [
    token("abcdef", { expiration: "2026-06-01T12:01:00Z" }),
    token("nosign", { "usage-bootstrap-signing": "false" }),
  ];
  const { actions, againAfterMs } = planSignatures({ info, secrets }, nowMs);
  checkPlan({ name: "b", owns: [], writes: [ConfigMaps] }, actions);
  const [action] = actions;
  assert.ok(action?.do === "update");
  const { data = {} } = action.object as ConfigMap;
  assert.deepEqual(Object.keys(data).sort(), ["jws-kubeconfig-abcdef", "kubeconfig", "other"]);
  const [header = "", middle, signature] = (data["jws-kubeconfig-abcdef"] ?? "").split(".");
  assert.deepEqual(JSON.parse(Buffer.from(header, "base64url").toString()), { alg: "HS256", kid: "abcdef" });
  assert.equal(middle, "");
  const signed = `${header}.${Buffer.from("content").toString("base64url")}`;
  assert.equal(signature, createHmac("sha256", "0123456789abcdef").update(signed).digest("base64url"));
  assert.equal(againAfterMs, 60_000);
  assert.deepEqual(planSignatures({ info: { ...info, data }, secrets }, nowMs).actions, []);
});

test("a token goes when it ends", () => {
  assert.deepEqual(planTokenEnd(token("abcdef"), nowMs), { actions: [] });
  const later = token("abcdef", { expiration: "2026-06-01T12:01:00Z" });
  assert.deepEqual(planTokenEnd(later, nowMs), { actions: [], againAfterMs: 60_000 });
  const { actions } = planTokenEnd(later, nowMs + 60_000);
  checkPlan({ name: "b", owns: [], writes: [Secrets] }, actions);
  assert.deepEqual(
    actions.map((action) => action.do),
    ["delete"],
  );
});
