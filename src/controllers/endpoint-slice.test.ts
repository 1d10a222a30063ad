import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, type Random } from "#base/random.ts";
import type { Endpoints, Pod, Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { endpointSliceController, planSlices } from "./endpoint-slice.ts";
import { endpointsController, planEndpoints } from "./endpoints.ts";

const zones = new Map([
  ["n1", "z1"],
  ["n2", undefined],
]);

function service(spec: Partial<Service["spec"]> = {}): Service {
  return {
    metadata: {
      name: "web",
      namespace: "default",
      uid: "s1",
      labels: { team: "x" },
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: {
      selector: { app: "a" },
      clusterIP: "10.96.0.9",
      ipFamilies: ["IPv4"],
      ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
      ...spec,
    },
  };
}

interface Shape {
  readonly ip?: string;
  readonly ready?: boolean;
  readonly node?: string;
  readonly phase?: string;
  readonly deleting?: boolean;
  readonly named?: number;
  readonly hostname?: string;
}

function pod(name: string, shape: Shape = {}): Pod {
  const { ip = "10.1.0.1", ready = true, node = "n1", phase = "Running" } = shape;
  return {
    metadata: {
      name,
      namespace: "default",
      uid: `u-${name}`,
      labels: { app: "a" },
      ...(shape.deleting === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      nodeName: node,
      ...(shape.hostname === undefined ? {} : { hostname: shape.hostname, subdomain: "web" }),
      containers: [
        {
          name: "c",
          ...(shape.named === undefined ? {} : { ports: [{ name: "web", containerPort: shape.named }] }),
        },
      ],
    },
    status: {
      phase,
      ...(ip === "" ? {} : { podIP: ip, podIPs: [{ ip }] }),
      conditions: [
        { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: "2026-01-01T00:00:07Z" },
      ],
    },
  };
}

function plan(of: Service, pods: Pod[], slices: EndpointSlice[] = []): readonly Action[] {
  const { actions } = planSlices({ service: of, pods, slices, zones });
  checkPlan(endpointSliceController, actions);
  return actions;
}

/** What the server makes of a plan. */
function apply(slices: EndpointSlice[], actions: readonly Action[], stamp: number): EndpointSlice[] {
  let next = [...slices];
  for (const [at, action] of actions.entries()) {
    if (action.do === "delete") next = next.filter((slice) => slice.metadata?.name !== action.name);
    if (action.do === "update")
      next = next.map((slice) =>
        slice.metadata?.name === action.object.metadata?.name ? (action.object as EndpointSlice) : slice,
      );
    if (action.do === "create") {
      const created = action.object as EndpointSlice;
      next.push({
        ...created,
        metadata: { ...created.metadata, name: `web-${stamp}-${at}`, uid: `s${stamp}-${at}` },
      });
    }
  }
  return next;
}

test("a slice as it is created", () => {
  const [action] = plan(service(), [pod("a", { hostname: "a-0" })]);
  assert.deepEqual(action?.do === "create" && action.object, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: "web-",
      namespace: "default",
      labels: {
        team: "x",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:07Z" },
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "Service",
          name: "web",
          uid: "s1",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: "IPv4",
    endpoints: [
      {
        addresses: ["10.1.0.1"],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: "a-0",
        targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "u-a" },
        nodeName: "n1",
        zone: "z1",
      },
    ],
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  });
});

test("conditions, and who is left out", () => {
  const conditions = (ready: boolean, serving: boolean, terminating: boolean): object => ({
    ready,
    serving,
    terminating,
  });
  const rows: [string, Shape, Partial<Service["spec"]>, object | undefined][] = [
    ["ready", {}, {}, conditions(true, true, false)],
    ["not ready", { ready: false }, {}, conditions(false, false, false)],
    ["terminating, still serving", { deleting: true }, {}, conditions(false, true, true)],
    [
      "published though not ready",
      { ready: false },
      { publishNotReadyAddresses: true },
      conditions(true, false, false),
    ],
    ["no address yet", { ip: "" }, {}, undefined],
    ["finished", { phase: "Succeeded" }, {}, undefined],
    ["on a node that does not exist", { node: "gone" }, {}, undefined],
    ["of another family", { ip: "fd00::1" }, {}, undefined],
  ];
  for (const [what, shape, spec, expected] of rows) {
    const [action] = plan(service(spec), [pod("p", shape)]);
    const endpoints = action?.do === "create" ? (action.object as EndpointSlice).endpoints : undefined;
    assert.deepEqual(endpoints?.[0]?.conditions, expected, what);
  }
});

test("without pods one empty slice is kept; without selector nothing is done", () => {
  const first = plan(service(), []);
  assert.equal(first.length, 1);
  const slices = apply([], first, 1);
  assert.deepEqual(slices[0]?.endpoints, []);
  assert.deepEqual(plan(service(), [], slices), []);
  assert.deepEqual(plan(service({ selector: {} }), [pod("a")]), []);
  assert.deepEqual(plan(service({ type: "ExternalName" }), [pod("a")]), []);
});

test("the empty slice is filled rather than replaced, and the last one emptied rather than deleted", () => {
  const empty = apply([], plan(service(), []), 1);
  const filling = plan(service(), [pod("a")], empty);
  assert.deepEqual(
    filling.map((action) => action.do),
    ["update"],
  );
  const emptying = plan(service(), [], apply(empty, filling, 2));
  assert.deepEqual(
    emptying.map((action) => action.do),
    ["update"],
  );
});

test("named ports of different numbers make different slices; a pod without that port has none", () => {
  const of = service({ ports: [{ name: "http", port: 80, targetPort: "web", protocol: "TCP" }] });
  const slices = apply([], plan(of, [pod("a", { named: 1 }), pod("b", { named: 2 }), pod("c")]), 1);
  assert.deepEqual(
    slices.map((slice) => [
      slice.ports?.[0]?.port,
      slice.endpoints?.map((one) => one.targetRef?.name).join(),
    ]),
    [
      [1, "a"],
      [2, "b"],
      [undefined, "c"],
    ],
  );
});

test("250 pods are three slices; one change is one write", () => {
  const pods = Array.from({ length: 250 }, (_, i) => pod(`p${i}`, { ip: `10.1.${i >> 8}.${i & 255}` }));
  const slices = apply([], plan(service(), pods), 1);
  assert.deepEqual(
    slices.map((slice) => slice.endpoints?.length),
    [100, 100, 50],
  );
  const changed = pods.with(7, pod("p7", { ready: false, ip: "10.1.0.7" }));
  assert.equal(plan(service(), changed, slices).length, 1);
});

function randomPods(random: Random): Pod[] {
  return Array.from({ length: random.integer(330) }, (_, i) =>
    pod(`p${i}`, {
      ip: `10.1.${i >> 8}.${i & 255}`,
      ready: random.integer(2) === 0,
      deleting: random.integer(5) === 0,
      named: 1 + random.integer(2),
    }),
  ).filter(() => random.integer(4) > 0);
}

test("whatever changes: every pod once, at most 100 in a slice, settled after one plan, order does not matter", () => {
  const of = service({ ports: [{ name: "http", port: 80, targetPort: "web" }] });
  for (let seed = 1; seed <= 25; seed++) {
    const random = seededRandom(seed);
    let slices: EndpointSlice[] = [];
    for (let round = 0; round < 5; round++) {
      const pods = randomPods(random);
      slices = apply(slices, plan(of, pods, slices), round);
      const all = slices.flatMap((slice) => slice.endpoints ?? []);
      assert.equal(all.length, pods.length, `seed ${seed}`);
      assert.equal(new Set(all.map((one) => one.targetRef?.uid)).size, pods.length, `seed ${seed}`);
      assert.ok(slices.every((slice) => (slice.endpoints?.length ?? 0) <= 100));
      assert.deepEqual(plan(of, pods.toReversed(), slices.toReversed()), [], `seed ${seed}: settled`);
    }
  }
});

function endpointsPlan(
  of: Service | undefined,
  pods: Pod[],
  found?: Endpoints,
  wasDeleted = false,
): readonly Action[] {
  const { actions } = planEndpoints({ service: of, wasDeleted, pods, found });
  checkPlan(endpointsController, actions);
  return actions;
}

test("Endpoints: ready and not ready, by set of ports; settled once written", () => {
  const pods = [pod("b", { ip: "10.1.0.2" }), pod("a"), pod("c", { ip: "10.1.0.3", ready: false })];
  const [action] = endpointsPlan(service(), pods);
  const object = (action?.do === "create" ? action.object : {}) as Endpoints;
  assert.deepEqual(
    object.subsets?.map((subset) => [
      subset.addresses?.map(({ ip }) => ip),
      subset.notReadyAddresses?.map(({ ip }) => ip),
      subset.ports,
    ]),
    [[["10.1.0.1", "10.1.0.2"], ["10.1.0.3"], [{ name: "http", port: 8080, protocol: "TCP" }]]],
  );
  assert.deepEqual(object.metadata?.labels, {
    team: "x",
    "endpoints.kubernetes.io/managed-by": "endpoint-controller",
  });
  assert.deepEqual(endpointsPlan(service(), pods.toReversed(), object), []);
});

test("Endpoints: at most 1000 addresses, ready ones first, and an annotation that tells", () => {
  const pods = Array.from({ length: 1200 }, (_, i) =>
    pod(`p${i}`, { ip: `10.1.${i >> 8}.${i & 255}`, ready: i % 2 === 0 }),
  );
  const [action] = endpointsPlan(service(), pods);
  const object = (action?.do === "create" ? action.object : {}) as Endpoints;
  assert.equal(object.metadata?.annotations?.["endpoints.kubernetes.io/over-capacity"], "truncated");
  assert.equal(object.subsets?.[0]?.addresses?.length, 600);
  assert.equal(object.subsets?.[0]?.notReadyAddresses?.length, 400);
});

test("Endpoints of a vanished Service go; those made by hand before it stay", () => {
  const made: Endpoints = { metadata: { name: "web", namespace: "default", uid: "e" } };
  const ours: Endpoints = {
    metadata: { ...made.metadata, labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller" } },
  };
  assert.equal(endpointsPlan(undefined, [], ours).length, 1);
  assert.equal(endpointsPlan(undefined, [], made).length, 0);
  assert.equal(endpointsPlan(undefined, [], made, true).length, 1);
});
