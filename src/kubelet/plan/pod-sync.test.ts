import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod } from "#machinery/gen/types/core-v1.ts";
import { containerHash } from "./containers.ts";
import {
  emptyMemory,
  nothingObserved,
  type ObservedContainer,
  type ObservedPod,
  type PodMemory,
} from "./model.ts";
import { planPod } from "./pod-sync.ts";

const now = Date.parse("2026-01-01T00:10:00Z");

function makePod(
  containers: Partial<Container>[],
  rest: Partial<NonNullable<Pod["spec"]>> = {},
  over: Partial<Pod> = {},
): Pod {
  return {
    metadata: { name: "p", namespace: "ns", uid: "u", ...over.metadata },
    spec: { containers: containers.map((container) => ({ name: "c", image: "i", ...container })), ...rest },
    ...(over.status === undefined ? {} : { status: over.status }),
  };
}

function run(
  name: string,
  state: ObservedContainer["state"],
  more: Partial<ObservedContainer> = {},
): ObservedContainer {
  const attempt = more.attempt ?? 0;
  return {
    id: `${name}-${attempt}`,
    sandboxId: "s0",
    name,
    attempt,
    state,
    createdAtMs: now - 60_000 + attempt,
    startedAtMs: now - 60_000,
    finishedAtMs: state === "exited" ? now - 1_000 : 0,
    exitCode: 0,
    reason: "",
    message: "",
    image: "i",
    imageRef: "sha256:i",
    hash: containerHash({ name, image: "i" }),
    ...more,
  };
}

const sandbox = { id: "s0", attempt: 0, ready: true, createdAtMs: now - 60_000, ips: ["10.0.0.2"] };
const view = (...containers: ObservedContainer[]): ObservedPod => ({ sandboxes: [sandbox], containers });
const memory = (over: Partial<PodMemory>): PodMemory => ({ ...emptyMemory, ...over });

/** Actions as short words: `start c#1`, `kill c-0 2s`. */
function words(pod: Pod, observed: ObservedPod, known: PodMemory = emptyMemory): string[] {
  return planPod(pod, observed, known, now).actions.map((action) => {
    switch (action.type) {
      case "createSandbox":
        return `sandbox#${action.attempt}`;
      case "stopSandbox":
        return `stop ${action.id}`;
      case "removeSandbox":
        return `remove ${action.id}`;
      case "startContainer":
        return `start ${action.name}#${action.attempt}`;
      case "killContainer":
        return `kill ${action.id} ${action.graceSeconds}s`;
      case "removeContainer":
        return `remove ${action.id}`;
      case "finish":
        return "finish";
    }
  });
}

const two = [{ name: "a" }, { name: "b" }];
const deleting = { metadata: { deletionTimestamp: "2026-01-01T00:10:05Z", deletionGracePeriodSeconds: 5 } };
const exited = (name: string, exitCode: number, more: Partial<ObservedContainer> = {}): ObservedContainer =>
  run(name, "exited", { exitCode, ...more });

const rows: [string, Pod, ObservedPod, string[], PodMemory?][] = [
  ["a new pod gets its sandbox", makePod([{}]), nothingObserved, ["sandbox#0"]],
  ["then all its containers", makePod(two), view(), ["start a#0", "start b#0"]],
  ["a settled pod is left alone", makePod(two), view(run("a", "running"), run("b", "running")), []],
  ["the first crash restarts at once", makePod([{}]), view(exited("c", 1)), ["start c#1"]],
  [
    "a repeated crash waits",
    makePod([{}]),
    view(exited("c", 1)),
    [],
    memory({ backoff: new Map([["c", { delayMs: 10_000, grantedAtMs: now - 5_000 }]]) }),
  ],
  [
    "Never restarts nothing: the sandbox goes",
    makePod([{}], { restartPolicy: "Never" }),
    view(exited("c", 1)),
    ["stop s0"],
  ],
  [
    "OnFailure restarts a failure",
    makePod([{}], { restartPolicy: "OnFailure" }),
    view(exited("c", 1)),
    ["start c#1"],
  ],
  [
    "OnFailure leaves a success",
    makePod([{}], { restartPolicy: "OnFailure" }),
    view(exited("c", 0)),
    ["stop s0"],
  ],
  ["Always restarts a success", makePod([{}]), view(exited("c", 0)), ["start c#1"]],
  [
    "only what has ended restarts",
    makePod(two, { restartPolicy: "OnFailure" }),
    view(run("a", "running"), exited("b", 2)),
    ["start b#1"],
  ],
  ["a container that never started is made again", makePod([{}]), view(run("c", "created")), ["start c#1"]],
  [
    "a changed image ends the old container",
    makePod([{ image: "other" }]),
    view(run("c", "running")),
    ["kill c-0 30s"],
  ],
  [
    "a failed liveness probe ends the container in its own time",
    makePod([{ livenessProbe: { exec: { command: ["x"] }, terminationGracePeriodSeconds: 3 } }]),
    view(run("c", "running")),
    ["kill c-0 3s"],
    memory({ probes: new Map([["c-0", { liveness: false }]]) }),
  ],
  [
    "a failed postStart hook ends the container",
    makePod([{}]),
    view(run("c", "running")),
    ["kill c-0 30s"],
    memory({ postStart: new Map([["c-0", "failed"]]) }),
  ],
  [
    "a running postStart hook holds the next container back",
    makePod(two),
    view(run("a", "running")),
    [],
    memory({ postStart: new Map([["a-0", "running"]]) }),
  ],
  [
    "a container whose image is being pulled waits",
    makePod([{}]),
    view(),
    [],
    memory({ pulling: new Set(["c"]) }),
  ],
  [
    "a container that failed to start waits for its time",
    makePod([{}]),
    view(),
    [],
    memory({ retryAtMs: new Map([["c", now + 1]]) }),
  ],
  [
    "old runs but the newest are removed",
    makePod([{}]),
    view(run("c", "running", { attempt: 3 }), exited("c", 1, { attempt: 2 }), exited("c", 1, { attempt: 1 })),
    ["remove c-1"],
  ],
  // init containers
  [
    "init containers run one by one",
    makePod([{}], { initContainers: two as Container[] }),
    view(),
    ["start a#0"],
  ],
  [
    "the second after the first succeeded",
    makePod([{}], { initContainers: two as Container[] }),
    view(exited("a", 0)),
    ["start b#0"],
  ],
  [
    "a failed one again",
    makePod([{}], { initContainers: two as Container[] }),
    view(exited("a", 1)),
    ["start a#1"],
  ],
  [
    "a failed one ends a pod that never restarts",
    makePod([{}], { initContainers: two as Container[], restartPolicy: "Never" }),
    view(exited("a", 1)),
    ["stop s0"],
  ],
  [
    "then the app",
    makePod([{}], { initContainers: two as Container[] }),
    view(exited("a", 0), exited("b", 0)),
    ["start c#0"],
  ],
  [
    "which proves that initialization is over",
    makePod([{}], { initContainers: two as Container[] }),
    view(exited("c", 1)),
    ["start c#1"],
  ],
  [
    "a sidecar runs beside what follows",
    makePod([{}], { initContainers: [{ name: "s", restartPolicy: "Always" }] }),
    view(run("s", "running", { hash: "" })),
    ["start c#0"],
  ],
  [
    "but holds it back until it has started",
    makePod([{}], { initContainers: [{ name: "s", restartPolicy: "Always", startupProbe: {} }] }),
    view(run("s", "running", { hash: "" })),
    [],
  ],
  [
    "a sidecar restarts while the app runs, and holds nothing back",
    makePod(two, { initContainers: [{ name: "s", restartPolicy: "Always" }] }),
    view(exited("s", 1), run("a", "running")),
    ["start s#1", "start b#0"],
  ],
  [
    "a completed pod ends its sidecars",
    makePod([{}], { initContainers: [{ name: "s", restartPolicy: "Always" }], restartPolicy: "Never" }),
    view(run("s", "running", { hash: "" }), exited("c", 0)),
    ["kill s-0 30s"],
  ],
  // sandbox
  [
    "a dead sandbox with live containers is cleaned up first",
    makePod([{}]),
    { sandboxes: [{ ...sandbox, ready: false }], containers: [run("c", "running")] },
    ["stop s0"],
  ],
  [
    "then a new one is made",
    makePod([{}]),
    { sandboxes: [{ ...sandbox, ready: false }], containers: [exited("c", 137)] },
    ["sandbox#1"],
  ],
  [
    "not for a pod that is done",
    makePod([{}], { restartPolicy: "Never" }),
    { sandboxes: [{ ...sandbox, ready: false }], containers: [exited("c", 0)] },
    [],
  ],
  [
    "containers of the old sandbox count as restarts",
    makePod([{}]),
    {
      sandboxes: [
        { ...sandbox, id: "s1", attempt: 1 },
        { ...sandbox, ready: false },
      ],
      containers: [exited("c", 137)],
    },
    ["start c#1"],
  ],
  [
    "containers that the runtime lost count too",
    makePod(
      [{}],
      {},
      {
        status: {
          containerStatuses: [
            {
              name: "c",
              ready: true,
              restartCount: 4,
              image: "i",
              imageID: "",
              containerID: "containerd://x",
            },
          ],
        },
      },
    ),
    view(),
    ["start c#5"],
  ],
  // deletion
  [
    "deletion ends containers in the given time",
    makePod(two, {}, deleting),
    view(run("a", "running"), exited("b", 0)),
    ["kill a-0 5s"],
  ],
  [
    "sidecars after the others, last first",
    makePod(
      [{}],
      {
        initContainers: [
          { name: "s", restartPolicy: "Always" },
          { name: "t", restartPolicy: "Always" },
        ],
      },
      deleting,
    ),
    view(run("s", "running"), run("t", "running"), exited("c", 0)),
    ["kill t-0 5s"],
  ],
  ["then the sandbox", makePod([{}], {}, deleting), view(exited("c", 0)), ["stop s0"]],
  [
    "then what is left of it",
    makePod([{}], {}, deleting),
    { sandboxes: [{ ...sandbox, ready: false }], containers: [exited("c", 0)] },
    ["remove s0"],
  ],
  ["then the object", makePod([{}], {}, deleting), nothingObserved, ["finish"]],
  [
    "a pod that is gone from the API ends likewise",
    makePod([{}]),
    view(run("c", "running")),
    ["kill c-0 30s"],
    memory({ removed: true }),
  ],
  // ends that the node decides
  [
    "a pod past its deadline ends",
    makePod([{}], { activeDeadlineSeconds: 60 }, { status: { startTime: "2026-01-01T00:00:00Z" } }),
    view(run("c", "running")),
    ["kill c-0 30s"],
  ],
  [
    "a failed pod starts nothing again",
    makePod([{}], {}, { status: { phase: "Failed" } }),
    view(exited("c", 1)),
    ["stop s0"],
  ],
];

for (const [title, pod, observed, expected, known] of rows)
  test(title, () => assert.deepEqual(words(pod, observed, known), expected));

test("a waiting crash says so, and when to look again", () => {
  const known = memory({ backoff: new Map([["c", { delayMs: 80_000, grantedAtMs: now - 60_000 }]]) });
  const plan = planPod(makePod([{}]), view(exited("c", 1)), known, now);
  assert.deepEqual(plan.waiting.get("c"), {
    reason: "CrashLoopBackOff",
    message: "back-off 1m20s restarting failed container=c pod=p_ns(u)",
  });
  assert.equal(plan.wakeAtMs, now - 1_000 + 80_000);
});

test("container restart rules override the policy", () => {
  const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
  const pod = makePod([{ restartPolicy: "Never", restartPolicyRules: rules }], { restartPolicy: "Never" });
  assert.deepEqual(words(pod, view(exited("c", 42))), ["start c#1"]);
  assert.deepEqual(words(pod, view(exited("c", 1))), ["stop s0"]);
});
