import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { chooseContainer } from "./containers.ts";
import { comparePods, podSelector } from "./pods-of.ts";

test("what picks an object's pods", () => {
  const of = (kind: string, selector: unknown): string =>
    podSelector({ kind, metadata: { name: "s" }, spec: { selector } } as KubeObject);
  assert.equal(of("ReplicationController", { a: "b", c: "d" }), "a=b,c=d");
  assert.equal(
    of("Deployment", {
      matchLabels: { a: "b" },
      matchExpressions: [
        { key: "e", operator: "In", values: ["1", "2"] },
        { key: "f", operator: "DoesNotExist" },
      ],
    }),
    "a=b,e in (1,2),!f",
  );
  assert.throws(() => of("Service", {}), /invalid service 's': Service is defined without a selector/);
  assert.throws(() => of("ConfigMap", {}), /selector for \*v1\.ConfigMap not implemented/);
});

function pod(
  name: string,
  facts: { node?: string; phase?: string; ready?: string; restarts?: number; born?: string },
): Pod {
  return {
    metadata: { name, creationTimestamp: facts.born ?? "2026-01-01T00:00:00Z" },
    spec: { containers: [], ...(facts.node === "" ? {} : { nodeName: "n" }) },
    status: {
      phase: facts.phase ?? "Running",
      conditions:
        facts.ready === undefined ? [] : [{ type: "Ready", status: "True", lastTransitionTime: facts.ready }],
      containerStatuses: [
        { name: "c", image: "", imageID: "", ready: true, restartCount: facts.restarts ?? 0 },
      ],
    },
  };
}

test("which pod of several comes first", () => {
  const pods = [
    pod("unassigned", { node: "", phase: "Pending" }),
    pod("pending", { phase: "Pending" }),
    pod("not-ready", {}),
    pod("ready-late", { ready: "2026-01-03T00:00:00Z" }),
    pod("ready-early", { ready: "2026-01-02T00:00:00Z" }),
    pod("restarted", { ready: "2026-01-02T00:00:00Z", restarts: 3 }),
  ];
  const order = (preferRestarts: boolean): string[] =>
    pods.toSorted((a, b) => comparePods(a, b, preferRestarts)).map(({ metadata }) => metadata?.name ?? "");
  const rest = ["ready-late", "not-ready", "pending", "unassigned"];
  assert.deepEqual(order(false), ["ready-early", "restarted", ...rest]);
  assert.deepEqual(order(true), ["restarted", "ready-early", ...rest]);
});

test("which container is meant, and what is said about it", () => {
  const two: Pod = {
    metadata: { name: "p" },
    spec: {
      containers: [
        { name: "a", image: "i" },
        { name: "b", image: "i" },
      ],
      initContainers: [{ name: "i", image: "i" }],
    },
  };
  const choose = (from: Pod, name = ""): [string, string[]] => {
    const told: string[] = [];
    return [chooseContainer(from, name, (line) => told.push(line)), told];
  };
  assert.deepEqual(choose(two), ["a", ['Defaulted container "a" out of: a, b, i (init)']]);
  assert.deepEqual(choose(two, "i"), ["i", []]);
  assert.throws(() => choose(two, "z"), /container z is not valid for pod p out of: a, b, i \(init\)/);
  const annotated = {
    ...two,
    metadata: { name: "p", annotations: { "kubectl.kubernetes.io/default-container": "b" } },
  };
  assert.deepEqual(choose(annotated), ["b", []]);
});
