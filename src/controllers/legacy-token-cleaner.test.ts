// Tokens that nobody uses: marked, then deleted, each after a year.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Secrets } from "#client/refs.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { planLegacyToken, type LegacyTokenInput } from "./legacy-token-cleaner.ts";

const dayMs = 86_400_000;
const nowMs = Date.parse("2026-06-01T12:00:00Z");
const input = (labels: Record<string, string>, more: Partial<LegacyTokenInput> = {}): LegacyTokenInput => ({
  secret: {
    metadata: {
      name: "t",
      namespace: "default",
      uid: "u",
      creationTimestamp: "2020-01-01T00:00:00Z",
      labels,
    },
  },
  account: { metadata: { name: "a", namespace: "default" }, secrets: [{ name: "t" }] },
  isMounted: false,
  ...more,
});
const used = (day: string) => ({ "kubernetes.io/legacy-token-last-used": day });
const invalid = (day: string) => ({ "kubernetes.io/legacy-token-invalid-since": day });

const cases: readonly (readonly [name: string, input: LegacyTokenInput, done: string])[] = [
  ["never used", input({}), "patch"],
  ["used a year ago", input(used("2025-05-01")), "patch"],
  ["used lately", input(used("2026-05-01")), "nothing"],
  ["marked lately", input(invalid("2026-05-01")), "nothing"],
  ["marked a year ago", input({ ...used("2024-01-01"), ...invalid("2025-05-01") }), "delete"],
  [
    "marked a year ago, and used since",
    input({ ...used("2026-05-01"), ...invalid("2025-05-01") }),
    "nothing",
  ],
  ["mounted", input(invalid("2025-05-01"), { isMounted: true }), "nothing"],
  ["made by hand", input(invalid("2025-05-01"), { account: { metadata: { name: "a" } } }), "nothing"],
  ["of no account", input(invalid("2025-05-01"), { account: undefined }), "nothing"],
];
for (const [name, given, done] of cases)
  test(`a token that is ${name}`, () => {
    const { actions, againAfterMs } = planLegacyToken(given, 365 * dayMs, nowMs);
    checkPlan({ name: "c", owns: [], writes: [Secrets] }, actions);
    assert.deepEqual(actions.map((action) => action.do).join() || "nothing", done);
    assert.ok(againAfterMs === undefined || againAfterMs <= dayMs);
  });
