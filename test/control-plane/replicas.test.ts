import assert from "node:assert/strict";
import { test } from "node:test";
import { Endpoints, EndpointSlices, Events, Pods, ReplicationControllers, Services } from "#client/refs.ts";
import type {
  Endpoints as EndpointsObject,
  Event,
  Pod,
  ReplicationController,
  Service,
} from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { addNode, eventually, playKubelets, startControlPlane } from "./control-plane.ts";

const rc: ReplicationController = {
  metadata: { name: "app", namespace: "default" },
  spec: {
    replicas: 4,
    selector: { app: "web" },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "web:v1", resources: { requests: { cpu: "100m" } } }] },
    },
  },
};
const service: Service = {
  metadata: { name: "web", namespace: "default" },
  spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
};

test("a ReplicationController's pods are created, placed over the nodes, served, replaced and scaled", async () => {
  const plane = await startControlPlane();
  const { admin } = plane;
  const stopKubelets = playKubelets(admin);
  try {
    for (const name of ["n1", "n2", "n3"]) await addNode(admin, name);
    await admin.create(Services, "default", service);
    await admin.create(ReplicationControllers, "default", rc);
    const ready = async (replicas: number): Promise<ReplicationController | undefined> => {
      const now = await admin.get<ReplicationController>(ReplicationControllers, "default", "app");
      const { replicas: has, readyReplicas = 0 } = now.status ?? {};
      return has === replicas && readyReplicas === replicas ? now : undefined;
    };
    const slices = async (count: number): Promise<boolean> => {
      const { items } = await admin.list<EndpointSlice>(EndpointSlices, { namespace: "default" });
      const all = items.flatMap((slice) => slice.endpoints ?? []);
      return all.length === count && all.every((one) => one.conditions?.ready === true);
    };
    await eventually(() => ready(4));
    await eventually(() => slices(4));
    const pods = (await admin.list<Pod>(Pods, { namespace: "default" })).items;
    assert.equal(new Set(pods.map((pod) => pod.spec?.nodeName)).size, 3, "spread over all nodes");

    await admin.delete(Pods, "default", pods[0]?.metadata?.name ?? "");
    await eventually(async () => {
      const names = (await admin.list<Pod>(Pods, { namespace: "default" })).items.map(
        (pod) => pod.metadata?.name,
      );
      return names.length === 4 && !names.includes(pods[0]?.metadata?.name);
    });
    const scale = (replicas: number): Promise<unknown> =>
      admin.patch(ReplicationControllers, "default", "app", "merge", { spec: { replicas } });
    await scale(10);
    await eventually(() => ready(10));
    await eventually(() => slices(10));
    await scale(2);
    await eventually(() => ready(2));
    await eventually(() => slices(2));
    const endpoints = await eventually(async () => {
      const now = await admin.get<EndpointsObject>(Endpoints, "default", "web");
      return now.subsets?.[0]?.addresses?.length === 2 && now;
    });
    assert.equal(endpoints.metadata?.labels?.["endpoints.kubernetes.io/managed-by"], "endpoint-controller");
    const events = await eventually(async () => {
      const { items } = await admin.list<Event>(Events, { namespace: "default" });
      return items.some((event) => event.reason === "SuccessfulDelete") && items;
    });
    const created = events.filter((event) => event.reason === "SuccessfulCreate");
    // Ten different messages of one reason, then one that stands for the rest.
    assert.ok(created.length >= 10);
    assert.match(created[0]?.message ?? "", /^Created pod: app-/);
    assert.equal(created[0]?.source?.component, "replication-controller");
    const scheduled = events.find((event) => event.reason === "Scheduled");
    assert.match(scheduled?.message ?? "", /^Successfully assigned default\/app-\w+ to n[123]$/);
  } finally {
    await stopKubelets();
    await plane.stop();
  }
});

test("a pod that fits nowhere says why, and is placed when a node comes that has room", async () => {
  const plane = await startControlPlane();
  const { admin } = plane;
  try {
    await addNode(admin, "small", "1");
    const pod: Pod = {
      metadata: { name: "big", namespace: "default" },
      spec: { containers: [{ name: "c", image: "i", resources: { requests: { cpu: "2" } } }] },
    };
    await admin.create(Pods, "default", pod);
    const message =
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: " +
      "0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    await eventually(async () => {
      const now = await admin.get<Pod>(Pods, "default", "big");
      const condition = now.status?.conditions?.find(({ type }) => type === "PodScheduled");
      return condition?.reason === "Unschedulable" && condition.message === message;
    });
    await addNode(admin, "large", "4");
    const bound = await eventually(async () => {
      const now = await admin.get<Pod>(Pods, "default", "big");
      return now.spec?.nodeName !== undefined && now;
    });
    assert.equal(bound.spec?.nodeName, "large");
  } finally {
    await plane.stop();
  }
});
