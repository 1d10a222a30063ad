// The life of one object of each kind under a ResourceQuota: promptly counted when it comes, and when it goes; by scope;
// and pods under a LimitRange.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, ResourceRef } from "#client/client.ts";
import {
  ConfigMaps,
  CustomResourceDefinitions,
  LimitRanges,
  PersistentVolumeClaims,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  ResourceQuotas,
  Secrets,
  Services,
} from "#client/refs.ts";
import type { LimitRange, Pod, ResourceQuota, ResourceQuotaSpec } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { eventually, startControlPlane } from "./control-plane.ts";

async function withPlane(use: (admin: Client) => Promise<void>): Promise<void> {
  const plane = await startControlPlane({ scheduler: false });
  try {
    await use(plane.admin);
  } finally {
    await plane.stop();
  }
}

const namespace = "default";
const usedOf = async (admin: Client, quota: string): Promise<Record<string, string>> =>
  (await admin.get<ResourceQuota>(ResourceQuotas, namespace, quota)).status?.used ?? {};
const used = (admin: Client, quota: string, wanted: Record<string, string>): Promise<unknown> =>
  eventually(async () => {
    const now = await usedOf(admin, quota);
    return Object.entries(wanted).every(([name, amount]) => now[name] === amount);
  });
async function limit(admin: Client, name: string, spec: ResourceQuotaSpec): Promise<void> {
  await admin.create<ResourceQuota>(ResourceQuotas, namespace, { metadata: { name, namespace }, spec });
  await eventually(async () => {
    const now = await usedOf(admin, name);
    return Object.keys(spec.hard ?? {}).every((one) => now[one] !== undefined);
  });
}
const forbidden = async (work: Promise<unknown>): Promise<void> => {
  const error: unknown = await work.then(
    () => new Error("it was allowed"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ApiError && error.code === 403, String(error));
};
const object = (name: string, more: object = {}): KubeObject => ({ metadata: { name, namespace }, ...more });
const containers = [{ name: "c", image: "i" }];
const workload = {
  selector: { app: "a" },
  template: { metadata: { labels: { app: "a" } }, spec: { containers } },
};

/** What is created, what that counts, and what is refused then. */
const lives: readonly (readonly [
  name: string,
  ref: ResourceRef,
  make: (name: string) => KubeObject,
  hard: Record<string, string>,
  counted: Record<string, string>,
])[] = [
  ["a ConfigMap", ConfigMaps, (name) => object(name), { configmaps: "1" }, { configmaps: "1" }],
  ["a Secret", Secrets, (name) => object(name), { secrets: "1" }, { secrets: "1" }],
  [
    "a ReplicationController",
    ReplicationControllers,
    (name) => object(name, { spec: { replicas: 0, ...workload } }),
    { replicationcontrollers: "1" },
    { replicationcontrollers: "1" },
  ],
  [
    "a ReplicaSet",
    ReplicaSets,
    (name) => object(name, { spec: { replicas: 0, ...workload, selector: { matchLabels: { app: "a" } } } }),
    { "count/replicasets.apps": "1" },
    { "count/replicasets.apps": "1" },
  ],
  [
    "a Service",
    Services,
    (name) => object(name, { spec: { type: "NodePort", ports: [{ port: 80 }] } }),
    { services: "9", "services.nodeports": "1", "services.loadbalancers": "1" },
    { services: "1", "services.nodeports": "1", "services.loadbalancers": "0" },
  ],
  [
    "a claim of a class",
    PersistentVolumeClaims,
    (name) =>
      object(name, {
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "gold",
          resources: { requests: { storage: "1Gi" } },
        },
      }),
    { persistentvolumeclaims: "9", "gold.storageclass.storage.k8s.io/requests.storage": "1Gi" },
    { persistentvolumeclaims: "1", "gold.storageclass.storage.k8s.io/requests.storage": "1Gi" },
  ],
];
for (const [name, ref, make, hard, counted] of lives)
  test(`the life of ${name}`, () =>
    withPlane(async (admin) => {
      await limit(admin, "q", { hard });
      const before = await usedOf(admin, "q");
      const isEmpty = Object.values(before).every((amount) => amount === "0");
      assert.ok(isEmpty, JSON.stringify(before));
      await admin.create(ref, namespace, make("first"));
      await used(admin, "q", counted);
      await forbidden(admin.create(ref, namespace, make("second")));
      await admin.delete(ref, namespace, "first");
      await used(admin, "q", before);
      await admin.create(ref, namespace, make("second"));
    }));

test("the life of a pod: CPU, memory, storage, and devices of somebody's domain", () =>
  withPlane(async (admin) => {
    const hard = {
      pods: "5",
      cpu: "1",
      memory: "500Mi",
      "ephemeral-storage": "50Gi",
      "requests.example.com/dongle": "3",
    };
    await limit(admin, "q", { hard });
    const pod = (name: string, dongles: string, cpu: string): KubeObject =>
      object(name, {
        spec: {
          containers: [
            {
              name: "c",
              image: "i",
              resources: {
                requests: {
                  cpu,
                  memory: "252Mi",
                  "ephemeral-storage": "30Gi",
                  "example.com/dongle": dongles,
                },
                limits: { "example.com/dongle": dongles },
              },
            },
          ],
        },
      });
    await admin.create(Pods, namespace, pod("a", "2", "500m"));
    await used(admin, "q", {
      pods: "1",
      cpu: "500m",
      memory: "252Mi",
      "ephemeral-storage": "30Gi",
      "requests.example.com/dongle": "2",
    });
    await forbidden(admin.create(Pods, namespace, pod("b", "2", "100m")));
    await admin.delete(Pods, namespace, "a", { gracePeriodSeconds: 0 });
    await used(admin, "q", { pods: "0", cpu: "0", memory: "0", "ephemeral-storage": "0" });
  }));

test("the life of a custom resource", () =>
  withPlane(async (admin) => {
    const racks: ResourceRef = {
      group: "example.com",
      version: "v1",
      resource: "racks",
      kind: "Rack",
      namespaced: true,
    };
    const names = { plural: "racks", singular: "rack", kind: "Rack", listKind: "RackList" };
    const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    await admin.create(CustomResourceDefinitions, "", {
      metadata: { name: "racks.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names,
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
      },
    } as KubeObject);
    const conditions = ["NamesAccepted", "Established"].map((type) => ({
      type,
      status: "True",
      reason: "Test",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    }));
    const status = { acceptedNames: names, conditions };
    await admin.patch(CustomResourceDefinitions, "", "racks.example.com", "merge", { status }, "status");
    await eventually(
      async () => (await admin.raw({ method: "GET", path: "/apis/example.com/v1/racks" })).status === 200,
    );
    await limit(admin, "q", { hard: { "count/racks.example.com": "1" } });
    await admin.create(racks, namespace, object("first"));
    await used(admin, "q", { "count/racks.example.com": "1" });
    await forbidden(admin.create(racks, namespace, object("second")));
    await admin.delete(racks, namespace, "first");
    await used(admin, "q", { "count/racks.example.com": "0" });
  }));

const scoped: readonly (readonly [string, string, string, object, object])[] = [
  [
    "best effort and not",
    "BestEffort",
    "NotBestEffort",
    { containers },
    { containers: [{ name: "c", image: "i", resources: { requests: { cpu: "100m" } } }] },
  ],
  [
    "terminating and not",
    "Terminating",
    "NotTerminating",
    { containers, activeDeadlineSeconds: 3600 },
    { containers },
  ],
];
for (const [name, scope, other, spec, otherSpec] of scoped)
  test(`scopes: ${name}`, () =>
    withPlane(async (admin) => {
      await limit(admin, "q", { hard: { pods: "5" }, scopes: [scope] });
      await limit(admin, "other", { hard: { pods: "5" }, scopes: [other] });
      await admin.create(Pods, namespace, object("a", { spec }));
      await used(admin, "q", { pods: "1" });
      await used(admin, "other", { pods: "0" });
      await admin.delete(Pods, namespace, "a", { gracePeriodSeconds: 0 });
      await used(admin, "q", { pods: "0" });
      await admin.create(Pods, namespace, object("b", { spec: otherSpec }));
      await used(admin, "q", { pods: "0" });
      await used(admin, "other", { pods: "1" });
    }));

test("a LimitRange gives pods its defaults, and refuses what is outside; changed, it is followed at once", () =>
  withPlane(async (admin) => {
    const range = (min: string): LimitRange => ({
      metadata: { name: "r", namespace },
      spec: {
        limits: [
          {
            type: "Container",
            min: { cpu: min },
            max: { cpu: "500m" },
            default: { cpu: "300m" },
            defaultRequest: { cpu: "100m" },
          },
        ],
      },
    });
    const cpu = (name: string, request: string, limits = {}): KubeObject =>
      object(name, {
        spec: { containers: [{ name: "c", image: "i", resources: { requests: { cpu: request }, limits } }] },
      });
    await admin.create(LimitRanges, namespace, range("50m"));
    const pod = await admin.create<Pod>(Pods, namespace, object("plain", { spec: { containers } }) as Pod);
    assert.deepEqual(pod.spec?.containers[0]?.resources, {
      limits: { cpu: "300m" },
      requests: { cpu: "100m" },
    });
    assert.equal(
      pod.metadata?.annotations?.["kubernetes.io/limit-ranger"],
      "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
    );
    await forbidden(admin.create(Pods, namespace, cpu("small", "10m")));
    await forbidden(admin.create(Pods, namespace, cpu("large", "100m", { cpu: "600m" })));
    await admin.patch(LimitRanges, namespace, "r", "merge", { spec: range("5m").spec });
    await admin.create(Pods, namespace, cpu("small", "10m"));
    await admin.delete(LimitRanges, namespace, "r");
    const free = await admin.create<Pod>(Pods, namespace, object("free", { spec: { containers } }) as Pod);
    assert.deepEqual(free.spec?.containers[0]?.resources, {});
  }));
