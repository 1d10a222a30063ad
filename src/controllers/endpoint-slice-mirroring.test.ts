// Mirrors of Endpoints that are written by hand: which have one, and what is in it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EndpointSlices } from "#client/refs.ts";
import type { Endpoints, Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import type { Action } from "#reconcile/action.ts";
import { planMirror, type MirrorInput } from "./endpoint-slice-mirroring.ts";

const header = { name: "m", owns: [EndpointSlices], writes: [EndpointSlices] };
const service = (spec: object = {}): Service => ({ metadata: { name: "db", namespace: "default" }, spec });
const endpoints = (subsets: Endpoints["subsets"], metadata: object = {}): Endpoints => ({
  metadata: { name: "db", namespace: "default", uid: "e", labels: { app: "db" }, ...metadata },
  ...(subsets === undefined ? {} : { subsets }),
});
const ports = [{ name: "sql", port: 5432, protocol: "TCP" }];
const plan = (input: Partial<MirrorInput>): readonly Action[] => {
  const { actions } = planMirror({ service: service(), endpoints: undefined, slices: [], ...input });
  checkPlan(header, actions);
  return actions;
};
/** What is there after the plan. */
const apply = (actions: readonly Action[], before: readonly EndpointSlice[] = []): EndpointSlice[] => {
  const slices = [...before];
  for (const action of actions) {
    if (action.do === "create") {
      const { generateName: _g, ...metadata } = action.object.metadata ?? {};
      slices.push({
        ...(action.object as EndpointSlice),
        metadata: { ...metadata, name: `s${slices.length}` },
      });
    }
    if (action.do === "update")
      slices[slices.findIndex((one) => one.metadata?.name === action.object.metadata?.name)] =
        action.object as EndpointSlice;
    if (action.do === "delete")
      slices.splice(
        slices.findIndex((one) => one.metadata?.name === action.name),
        1,
      );
  }
  return slices;
};

const manual = endpoints([
  {
    addresses: [{ ip: "10.0.0.1" }, { ip: "fd00::1", hostname: "h" }],
    notReadyAddresses: [{ ip: "10.0.0.2", nodeName: "n" }],
    ports,
  },
]);

test("one slice for each family and set of ports, with the labels of the Endpoints", () => {
  const slices = apply(plan({ endpoints: manual }));
  assert.deepEqual(slices, [
    {
      metadata: {
        name: "s0",
        namespace: "default",
        labels: {
          app: "db",
          "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
          "kubernetes.io/service-name": "db",
        },
        ownerReferences: [
          {
            apiVersion: "v1",
            kind: "Endpoints",
            name: "db",
            uid: "e",
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      addressType: "IPv4",
      ports,
      endpoints: [
        { addresses: ["10.0.0.1"], conditions: { ready: true } },
        { addresses: ["10.0.0.2"], conditions: { ready: false }, nodeName: "n" },
      ],
    },
    {
      metadata: { ...slices[1]?.metadata },
      addressType: "IPv6",
      ports,
      endpoints: [{ addresses: ["fd00::1"], conditions: { ready: true }, hostname: "h" }],
    },
  ]);
  assert.deepEqual(plan({ endpoints: manual, slices: [...slices].reverse() }), []);
});

test("a change is an update in place; other ports are another slice", () => {
  const slices = apply(plan({ endpoints: endpoints([{ addresses: [{ ip: "10.0.0.1" }], ports }]) }));
  const more = plan({ endpoints: endpoints([{ addresses: [{ ip: "10.0.0.9" }], ports }]), slices });
  assert.deepEqual(
    more.map((action) => action.do),
    ["update"],
  );
  assert.deepEqual(apply(more, slices)[0]?.endpoints?.[0]?.addresses, ["10.0.0.9"]);
  const other = [{ name: "sql", port: 5433, protocol: "TCP" }];
  const moved = plan({ endpoints: endpoints([{ addresses: [{ ip: "10.0.0.1" }], ports: other }]), slices });
  assert.deepEqual(
    moved.map((action) => action.do),
    ["delete", "create"],
  );
});

const unmirrored: readonly (readonly [name: string, input: Partial<MirrorInput>])[] = [
  ["a selector", { service: service({ selector: { app: "db" } }), endpoints: manual }],
  ["no Service", { service: undefined, endpoints: manual }],
  ["no Endpoints", {}],
  [
    "a lock",
    { endpoints: endpoints([], { annotations: { "control-plane.alpha.kubernetes.io/leader": "x" } }) },
  ],
  [
    "who asks for none",
    { endpoints: endpoints([], { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }) },
  ],
];
for (const [name, input] of unmirrored)
  test(`no mirror of ${name}, and one that is there goes`, () => {
    const slices = apply(plan({ endpoints: endpoints([{ addresses: [{ ip: "10.0.0.1" }], ports }]) }));
    assert.deepEqual(plan(input), []);
    assert.deepEqual(
      plan({ ...input, slices }).map((action) => action.do),
      ["delete"],
    );
  });
