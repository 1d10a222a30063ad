// The small controllers with the real control plane: mirrors of Endpoints, aggregated ClusterRoles, what nodes remember.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "#client/client.ts";
import { ClusterRoles, Endpoints, EndpointSlices, Nodes, ServiceCIDRs, Services } from "#client/refs.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { ServiceCIDR } from "#machinery/gen/types/networking-v1.ts";
import type { ClusterRole } from "#machinery/gen/types/rbac-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { addNode, eventually, startControlPlane } from "./control-plane.ts";

async function withPlane(use: (admin: Client) => Promise<void>): Promise<void> {
  const plane = await startControlPlane({ scheduler: false });
  try {
    await use(plane.admin);
  } finally {
    await plane.stop();
  }
}

test("Endpoints that are written by hand have EndpointSlices, which follow them", () =>
  withPlane(async (admin) => {
    const slices = async (): Promise<readonly EndpointSlice[]> =>
      (await admin.list<EndpointSlice>(EndpointSlices, { namespace: "default" })).items;
    const addresses = async (): Promise<string> =>
      (await slices()).flatMap((one) => (one.endpoints ?? []).flatMap((each) => each.addresses)).join();
    const ports = [{ port: 5432 }];
    await admin.create(Services, "default", { metadata: { name: "db" }, spec: { ports } } as KubeObject);
    const subsets = [{ addresses: [{ ip: "10.1.1.1" }], ports }];
    await admin.create(Endpoints, "default", { metadata: { name: "db" }, subsets } as KubeObject);
    await eventually(async () => (await addresses()) === "10.1.1.1");
    await admin.patch(Endpoints, "default", "db", "merge", {
      subsets: [{ addresses: [{ ip: "10.1.1.2" }], ports }],
    });
    await eventually(async () => (await addresses()) === "10.1.1.2");
    assert.equal((await slices())[0]?.metadata?.labels?.["kubernetes.io/service-name"], "db");
    await admin.delete(Endpoints, "default", "db");
    await eventually(async () => (await slices()).length === 0);
  }));

test("ClusterRoles that aggregate have the rules of the others, and lose them again", () =>
  withPlane(async (admin) => {
    const verbs = async (): Promise<number> =>
      (await admin.get<ClusterRole>(ClusterRoles, "", "view")).rules?.length ?? 0;
    await eventually(async () => (await verbs()) > 0);
    const before = await verbs();
    const labels = { "rbac.authorization.k8s.io/aggregate-to-view": "true" };
    const rules = [{ apiGroups: ["example.com"], resources: ["racks"], verbs: ["get"] }];
    await admin.create(ClusterRoles, "", { metadata: { name: "racks", labels }, rules } as KubeObject);
    await eventually(async () => (await verbs()) === before + 1);
    await admin.delete(ClusterRoles, "", "racks");
    await eventually(async () => (await verbs()) === before);
  }));

test("nodes are told how long they may remember", () =>
  withPlane(async (admin) => {
    await addNode(admin, "n");
    await eventually(async () => {
      const { metadata } = await admin.get<KubeObject>(Nodes, "", "n");
      return metadata?.annotations?.["node.alpha.kubernetes.io/ttl"] === "0";
    });
  }));

test("a range that is added gives addresses to Services, and stays as long as they are there", () =>
  withPlane(async (admin) => {
    const service = (name: string, clusterIP?: string): KubeObject =>
      ({
        metadata: { name },
        spec: { ports: [{ port: 80 }], ...(clusterIP === undefined ? {} : { clusterIP }) },
      }) as KubeObject;
    const own = (): Promise<unknown> => admin.create(Services, "default", service("own", "10.200.0.7"));
    await assert.rejects(own(), /not in the valid range/);
    await admin.create(ServiceCIDRs, "", {
      metadata: { name: "more" },
      spec: { cidrs: ["10.200.0.0/24"] },
    } as KubeObject);
    const ready = async (): Promise<string | undefined> => {
      const { status } = await admin.get<ServiceCIDR>(ServiceCIDRs, "", "more");
      return status?.conditions?.find(({ type }) => type === "Ready")?.status;
    };
    await eventually(async () => (await ready()) === "True");
    await own();
    await admin.delete(ServiceCIDRs, "", "more");
    await eventually(async () => (await ready()) === "False");
    await assert.rejects(
      admin.create(Services, "default", service("late", "10.200.0.8")),
      /not in the valid range/,
    );
  }));
