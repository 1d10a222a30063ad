import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod, PodStatus } from "#machinery/gen/types/core-v1.ts";
import { emptyMemory, type ObservedContainer, type ObservedPod, type PodMemory } from "./model.ts";
import { planPod } from "./pod-sync.ts";
import { planStatus } from "./status.ts";

const now = Date.parse("2026-01-01T00:10:00Z");
const sandbox = { id: "s0", attempt: 0, ready: true, createdAtMs: now, ips: ["10.0.0.2"] };

const run = (
  name: string,
  state: ObservedContainer["state"],
  more: Partial<ObservedContainer> = {},
): ObservedContainer => ({
  id: `${name}-${more.attempt ?? 0}`,
  sandboxId: "s0",
  name,
  attempt: 0,
  state,
  createdAtMs: now - 60_000,
  startedAtMs: now - 60_000,
  finishedAtMs: state === "exited" ? now - 1_000 : 0,
  exitCode: 0,
  reason: "",
  message: "",
  image: "docker.io/library/i:1",
  imageRef: "sha256:i",
  hash: "",
  ...more,
});

function makePod(spec: Partial<NonNullable<Pod["spec"]>> = {}, over: Partial<Pod> = {}): Pod {
  return {
    metadata: { name: "p", namespace: "ns", uid: "u", generation: 3, ...over.metadata },
    spec: { containers: [{ name: "c", image: "i:1" }], ...spec },
    status: { phase: "Pending", ...over.status },
  };
}

function status(
  pod: Pod,
  containers: ObservedContainer[],
  known: Partial<PodMemory> = {},
  ready = true,
): PodStatus {
  const observed: ObservedPod = { sandboxes: [{ ...sandbox, ready }], containers };
  const memory = { ...emptyMemory, ...known };
  const plan = planPod(pod, observed, memory, now);
  return planStatus({ pod, observed, memory, nowMs: now, hostIps: ["192.0.2.1"] }, plan);
}

const conditionsOf = ({ conditions }: PodStatus): Record<string, string> =>
  Object.fromEntries(
    (conditions ?? []).map(({ type, status: value, reason }) => [
      type,
      reason ? `${value} ${reason}` : value,
    ]),
  );

const init: Container[] = [{ name: "init" }];

const rows: [string, PodStatus, Partial<PodStatus> & { ready?: string; waiting?: string }][] = [
  [
    "creating",
    status(makePod(), []),
    { phase: "Pending", ready: "False ContainersNotReady", waiting: "ContainerCreating" },
  ],
  ["running", status(makePod(), [run("c", "running")]), { phase: "Running", ready: "True" }],
  [
    "initializing",
    status(makePod({ initContainers: init }), [run("init", "running")]),
    { phase: "Pending", ready: "False ContainersNotReady", waiting: "PodInitializing" },
  ],
  [
    "crashed once: shown as it ended until it runs again",
    status(makePod(), [run("c", "exited", { exitCode: 1 })]),
    { phase: "Running", ready: "False ContainersNotReady" },
  ],
  [
    "crash loop",
    status(makePod(), [run("c", "exited", { exitCode: 1 })], {
      backoff: new Map([["c", { delayMs: 10_000, grantedAtMs: now }]]),
    }),
    { phase: "Running", ready: "False ContainersNotReady", waiting: "CrashLoopBackOff" },
  ],
  [
    "image cannot be pulled",
    status(makePod(), [], { waiting: new Map([["c", { reason: "ImagePullBackOff", message: "m" }]]) }),
    { phase: "Pending", ready: "False ContainersNotReady", waiting: "ImagePullBackOff" },
  ],
  [
    "succeeded",
    status(makePod({ restartPolicy: "Never" }), [run("c", "exited")]),
    { phase: "Succeeded", ready: "False PodCompleted" },
  ],
  [
    "failed",
    status(makePod({ restartPolicy: "Never" }), [run("c", "exited", { exitCode: 2 })]),
    { phase: "Failed", ready: "False PodFailed" },
  ],
  [
    "init failed for good",
    status(makePod({ restartPolicy: "Never", initContainers: init }), [
      run("init", "exited", { exitCode: 2 }),
    ]),
    { phase: "Failed", ready: "False PodFailed", waiting: "PodInitializing" },
  ],
  [
    "deleted: ends as its containers did",
    status(
      makePod({}, { metadata: { deletionTimestamp: "x" } }),
      [run("c", "exited", { exitCode: 137 })],
      {},
      false,
    ),
    { phase: "Failed", ready: "False PodFailed" },
  ],
  [
    "being deleted: still what it was",
    status(makePod({}, { metadata: { deletionTimestamp: "x" } }), [run("c", "running")]),
    { phase: "Running", ready: "True" },
  ],
  [
    "past its deadline",
    status(
      makePod(
        { activeDeadlineSeconds: 1 },
        { status: { phase: "Running", startTime: "2026-01-01T00:00:00Z" } },
      ),
      [run("c", "running")],
    ),
    { phase: "Failed", reason: "DeadlineExceeded", ready: "False PodFailed" },
  ],
  [
    "not ready by its probe",
    status(makePod({ containers: [{ name: "c", readinessProbe: {} }] }), [run("c", "running")]),
    { phase: "Running", ready: "False ContainersNotReady" },
  ],
  [
    "ready by its probe",
    status(makePod({ containers: [{ name: "c", readinessProbe: {} }] }), [run("c", "running")], {
      probes: new Map([["c-0", { readiness: true }]]),
    }),
    { phase: "Running", ready: "True" },
  ],
  [
    "a readiness gate that nobody opened",
    status(makePod({ readinessGates: [{ conditionType: "g" }] }), [run("c", "running")]),
    { phase: "Running", ready: "False ReadinessGatesNotReady" },
  ],
];

for (const [title, actual, { ready, waiting, ...rest }] of rows) {
  test(title, () => {
    for (const [field, value] of Object.entries(rest))
      assert.equal(actual[field as keyof PodStatus], value, field);
    assert.equal(conditionsOf(actual)["Ready"], ready);
    assert.equal(actual.containerStatuses?.[0]?.state?.waiting?.reason, waiting);
  });
}

test("a running pod in full", () => {
  const actual = status(
    makePod({}, { status: { qosClass: "BestEffort", startTime: "2026-01-01T00:09:00Z" } }),
    [run("c", "running", { attempt: 1 }), run("c", "exited", { exitCode: 1, message: "bye" })],
  );
  const since = { lastTransitionTime: "2026-01-01T00:10:00Z", observedGeneration: 3, status: "True" };
  assert.deepEqual(actual, {
    observedGeneration: 3,
    phase: "Running",
    conditions: ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(
      (type) => ({ type, ...since }),
    ),
    hostIP: "192.0.2.1",
    hostIPs: [{ ip: "192.0.2.1" }],
    podIP: "10.0.0.2",
    podIPs: [{ ip: "10.0.0.2" }],
    startTime: "2026-01-01T00:09:00Z",
    containerStatuses: [
      {
        name: "c",
        state: { running: { startedAt: "2026-01-01T00:09:00Z" } },
        lastState: {
          terminated: {
            exitCode: 1,
            reason: "Error",
            message: "bye",
            startedAt: "2026-01-01T00:09:00Z",
            finishedAt: "2026-01-01T00:09:59Z",
            containerID: "containerd://c-0",
          },
        },
        ready: true,
        restartCount: 1,
        image: "docker.io/library/i:1",
        imageID: "sha256:i",
        containerID: "containerd://c-1",
        started: true,
      },
    ],
    qosClass: "BestEffort",
  });
});

test("a condition keeps its time while its status stays", () => {
  const old = [{ type: "Ready", status: "True", lastTransitionTime: "2025-01-01T00:00:00Z" }];
  const actual = status(makePod({}, { status: { conditions: old } }), [run("c", "running")]);
  assert.equal(
    actual.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime,
    "2025-01-01T00:00:00Z",
  );
});

test("a container that the runtime lost becomes the last state", () => {
  const known = {
    name: "c",
    ready: true,
    restartCount: 0,
    image: "i",
    imageID: "",
    containerID: "containerd://gone",
    state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
  };
  const actual = status(makePod({}, { status: { containerStatuses: [known] } }), []);
  assert.equal(actual.containerStatuses?.[0]?.lastState?.terminated?.reason, "ContainerStatusUnknown");
  assert.equal(actual.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 137);
});
