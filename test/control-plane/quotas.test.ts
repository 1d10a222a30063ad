// ResourceQuotas with the real control plane: what is created is charged at once, what is deleted is given back.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "#client/client.ts";
import { ConfigMaps, Pods, ReplicationControllers, ResourceQuotas, Services, Jobs } from "#client/refs.ts";
import type {
  Pod,
  ReplicationController,
  ResourceQuota,
  ResourceQuotaSpec,
} from "#machinery/gen/types/core-v1.ts";
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

const usedOf = async (admin: Client): Promise<Record<string, string> | undefined> =>
  (await admin.get<ResourceQuota>(ResourceQuotas, "default", "q")).status?.used;
/** Waits until the quota says that so much is used. */
const seen = (admin: Client, wanted: Record<string, string>): Promise<unknown> =>
  eventually(async () => {
    const used = await usedOf(admin);
    return Object.entries(wanted).every(([name, amount]) => used?.[name] === amount);
  });
async function limit(admin: Client, spec: ResourceQuotaSpec): Promise<void> {
  await admin.create<ResourceQuota>(ResourceQuotas, "default", {
    metadata: { name: "q", namespace: "default" },
    spec,
  });
  await eventually(async () => {
    const { status } = await admin.get<ResourceQuota>(ResourceQuotas, "default", "q");
    return Object.keys(spec.hard ?? {}).every((name) => status?.used?.[name] !== undefined);
  });
}
const pod = (name: string, resources: object = {}, spec: object = {}): Pod => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "c", image: "i", resources }], ...spec },
});
const cpu = (amount: string) => ({ requests: { cpu: amount } });
async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => new Error("it was allowed"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.code, 403);
  return error.message;
}

test("pods are charged, refused beyond the quota, and given back", () =>
  withPlane(async (admin) => {
    await limit(admin, { hard: { pods: "3", "requests.cpu": "1", "count/configmaps": "9" } });
    await admin.create(Pods, "default", pod("a", cpu("500m")));
    await admin.create(Pods, "default", pod("b", cpu("400m")));
    assert.equal((await usedOf(admin))?.["requests.cpu"], "900m");
    assert.equal(
      await refusal(admin.create(Pods, "default", pod("c", cpu("200m")))),
      'pods "c" is forbidden: exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=900m, limited: requests.cpu=1',
    );
    assert.equal(
      await refusal(admin.create(Pods, "default", pod("c"))),
      'pods "c" is forbidden: failed quota: q: must specify requests.cpu for: c',
    );
    await admin.delete(Pods, "default", "a", { gracePeriodSeconds: 0 });
    await seen(admin, { pods: "1", "requests.cpu": "400m" });
    await admin.create(Pods, "default", pod("c", cpu("200m")));
    await admin.patch(Pods, "default", "b", "merge", { status: { phase: "Succeeded" } }, "status");
    await seen(admin, { pods: "1", "requests.cpu": "200m" });
  }));

test("many at once get exactly what there is", () =>
  withPlane(async (admin) => {
    await limit(admin, { hard: { "count/pods": "7" } });
    const all = Array.from({ length: 30 }, (_, at) => admin.create(Pods, "default", pod(`p${at}`)));
    const settled = await Promise.allSettled(all);
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 7);
    assert.equal((await usedOf(admin))?.["count/pods"], "7");
    assert.equal((await admin.list(Pods, { namespace: "default" })).items.length, 7);
  }));

test("a dry run is checked and not charged", () =>
  withPlane(async (admin) => {
    await limit(admin, { hard: { configmaps: "2" } });
    const used = (await usedOf(admin))?.["configmaps"];
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" } };
    const path = "/api/v1/namespaces/default/configmaps?dryRun=All";
    await admin.json("POST", path, body);
    await admin.json("POST", path, body);
    assert.equal((await usedOf(admin))?.["configmaps"], used);
    for (const name of ["a", "b", "c"])
      await admin.create(ConfigMaps, "default", { metadata: { name } }).catch(() => 0);
    assert.match(await refusal(admin.json("POST", path, body)), /exceeded quota: q, requested: configmaps=1/);
  }));

test("what is there before the quota is counted, of every kind and by scope", () =>
  withPlane(async (admin) => {
    await admin.create(Pods, "default", pod("plain"));
    await admin.create(Pods, "default", pod("asks", cpu("1")));
    await admin.create(Jobs, "default", {
      metadata: { name: "j", namespace: "default" },
      spec: {
        suspend: true,
        template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } },
      },
    } as object);
    await limit(admin, {
      hard: { "count/jobs.batch": "5", pods: "5", services: "1", "services.nodeports": "1" },
    });
    await seen(admin, { "count/jobs.batch": "1", pods: "2" });
    await admin.delete(Jobs, "default", "j", { propagationPolicy: "Background" });
    await seen(admin, { "count/jobs.batch": "0" });
    const ports = [{ port: 1 }, { port: 2, name: "b" }].map((one, at) => ({ name: `p${at}`, ...one }));
    assert.match(
      await refusal(
        admin.create(Services, "default", {
          metadata: { name: "s" },
          spec: { type: "NodePort", ports },
        } as object),
      ),
      /exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1$/,
    );
    await admin.delete(ResourceQuotas, "default", "q");
    await limit(admin, { hard: { pods: "1" }, scopes: ["BestEffort"] });
    await seen(admin, { pods: "1" });
    await refusal(admin.create(Pods, "default", pod("more")));
    await admin.create(Pods, "default", pod("asks-too", cpu("1")));
  }));

test("a controller hears why, and goes on when there is room", () =>
  withPlane(async (admin) => {
    await limit(admin, { hard: { pods: "1" } });
    await admin.create(ReplicationControllers, "default", {
      metadata: { name: "web", namespace: "default" },
      spec: {
        replicas: 2,
        selector: { app: "web" },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } },
      },
    } as object);
    await eventually(async () => {
      const rc = await admin.get<ReplicationController>(ReplicationControllers, "default", "web");
      return /exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/.test(
        rc.status?.conditions?.[0]?.message ?? "",
      );
    });
    await admin.patch(ResourceQuotas, "default", "q", "merge", { spec: { hard: { pods: "4" } } });
    await eventually(async () => (await admin.list(Pods, { namespace: "default" })).items.length === 2);
    await seen(admin, { pods: "2" });
  }));

test("what was charged and then not created is given back", () =>
  withPlane(async (admin) => {
    await limit(admin, { hard: { configmaps: "5" } });
    await admin.create(ConfigMaps, "default", { metadata: { name: "m" } });
    const used = (await usedOf(admin))?.["configmaps"] ?? "";
    await assert.rejects(admin.create(ConfigMaps, "default", { metadata: { name: "m" } }), /already exists/);
    await seen(admin, { configmaps: used });
  }));
