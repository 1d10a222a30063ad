// How fast an autoscaler may follow: stabilisation, policies and bounds in tables, as documented.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscalerBehavior } from "#machinery/gen/types/autoscaling-v2.ts";
import { allow, noMemory, remember, type Memory, type Timed, type Wish } from "./behavior.ts";

const nowMs = 10_000_000;
const wish = (more: Partial<Wish>, behavior?: HorizontalPodAutoscalerBehavior): Wish => ({
  spec: {
    scaleTargetRef: { kind: "Deployment", name: "web" },
    minReplicas: 1,
    maxReplicas: 100,
    ...(behavior === undefined ? {} : { behavior }),
  },
  memory: noMemory,
  currentReplicas: 10,
  desiredReplicas: 10,
  downscaleStabilizationMs: 300_000,
  nowMs,
  ...more,
});
const ago = (seconds: number, replicas: number): Timed => ({ replicas, atMs: nowMs - seconds * 1000 });
const asked = (...recommendations: Timed[]): Memory => ({ ...noMemory, recommendations });
const at = (type: string, value: number, periodSeconds = 60) => ({ type, value, periodSeconds });
const quick = { stabilizationWindowSeconds: 0 };

const cases: readonly (readonly [
  name: string,
  wish: Wish,
  replicas: number,
  able: string,
  limited: string,
])[] = [
  ["what is wanted is there", wish({}), 10, "ReadyForNewScale", "DesiredWithinRange"],
  ["more, at once", wish({ desiredReplicas: 15 }), 15, "ReadyForNewScale", "DesiredWithinRange"],
  ["more than twice as many", wish({ desiredReplicas: 50 }), 20, "ReadyForNewScale", "ScaleUpLimit"],
  [
    "from one to four",
    wish({ currentReplicas: 1, desiredReplicas: 9 }),
    4,
    "ReadyForNewScale",
    "ScaleUpLimit",
  ],
  [
    "more than there may be",
    wish({ currentReplicas: 90, desiredReplicas: 150 }),
    100,
    "ReadyForNewScale",
    "TooManyReplicas",
  ],
  [
    "fewer, for the first time",
    wish({ desiredReplicas: 2 }),
    10,
    "ScaleDownStabilized",
    "DesiredWithinRange",
  ],
  [
    "fewer, for longer than the window",
    wish({ desiredReplicas: 2, memory: asked(ago(400, 9), ago(200, 2), ago(100, 2)) }),
    2,
    "ReadyForNewScale",
    "DesiredWithinRange",
  ],
  [
    "fewer, but lately more were wanted",
    wish({ desiredReplicas: 2, memory: asked(ago(200, 6), ago(100, 3)) }),
    6,
    "ScaleDownStabilized",
    "DesiredWithinRange",
  ],
  [
    "none at all",
    wish({ desiredReplicas: 0, memory: asked(ago(200, 0)) }),
    1,
    "ReadyForNewScale",
    "TooFewReplicas",
  ],
  [
    "more, with a window, and lately fewer were wanted",
    wish(
      { desiredReplicas: 15, memory: asked(ago(30, 12)) },
      { scaleUp: { stabilizationWindowSeconds: 60, policies: [at("Percent", 100)] } },
    ),
    12,
    "ScaleUpStabilized",
    "DesiredWithinRange",
  ],
  [
    "up by so many pods in a minute",
    wish({ desiredReplicas: 50 }, { scaleUp: { ...quick, policies: [at("Pods", 4)] } }),
    14,
    "ReadyForNewScale",
    "ScaleUpLimit",
  ],
  [
    "up by so many pods in a minute, of which some are used up",
    wish(
      { desiredReplicas: 50, memory: { ...noMemory, ups: [ago(30, 3), ago(90, 5)] } },
      { scaleUp: { ...quick, policies: [at("Pods", 4)] } },
    ),
    11,
    "ReadyForNewScale",
    "ScaleUpLimit",
  ],
  [
    "up by the policy that allows most",
    wish({ desiredReplicas: 50 }, { scaleUp: { ...quick, policies: [at("Pods", 4), at("Percent", 100)] } }),
    20,
    "ReadyForNewScale",
    "ScaleUpLimit",
  ],
  [
    "up by the policy that allows least",
    wish(
      { desiredReplicas: 50 },
      { scaleUp: { ...quick, selectPolicy: "Min", policies: [at("Pods", 4), at("Percent", 100)] } },
    ),
    14,
    "ReadyForNewScale",
    "ScaleUpLimit",
  ],
  [
    "up is switched off",
    wish(
      { desiredReplicas: 50 },
      { scaleUp: { ...quick, selectPolicy: "Disabled", policies: [at("Pods", 4)] } },
    ),
    10,
    "ReadyForNewScale",
    "ScaleUpLimit",
  ],
  [
    "down by a tenth in a minute",
    wish(
      { desiredReplicas: 1, memory: asked(ago(1, 1)) },
      { scaleDown: { ...quick, policies: [at("Percent", 10)] } },
    ),
    9,
    "ReadyForNewScale",
    "ScaleDownLimit",
  ],
  [
    "down by the policy that allows least, of which some is used up",
    wish(
      { desiredReplicas: 1, memory: { ...asked(ago(1, 1)), downs: [ago(10, 2)] } },
      { scaleDown: { ...quick, selectPolicy: "Min", policies: [at("Pods", 3), at("Percent", 50)] } },
    ),
    9,
    "ReadyForNewScale",
    "ScaleDownLimit",
  ],
];

for (const [name, given, replicas, able, limited] of cases)
  test(`behaviour: ${name}`, () => {
    const found = allow(given);
    assert.deepEqual([found.replicas, found.able.reason, found.limited.reason], [replicas, able, limited]);
  });

test("changes are remembered by direction, and forgotten after an hour", () => {
  const first = remember({ ...noMemory, ups: [ago(4000, 7), ago(10, 1)] }, 3, 5, nowMs);
  assert.deepEqual(first.ups, [ago(10, 1), ago(0, 2)]);
  assert.deepEqual(remember(first, 5, 1, nowMs).downs, [ago(0, 4)]);
  const { memory } = allow(wish({ desiredReplicas: 4, memory: asked(ago(4000, 9), ago(5, 8)) }));
  assert.deepEqual(memory.recommendations, [ago(5, 8), ago(0, 4)]);
});
