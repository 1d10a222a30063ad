// StorageVersionMigrations with the real control plane: every object is stored anew in the version that is stored now.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, ResourceRef } from "#client/client.ts";
import { CustomResourceDefinitions, StorageVersionMigrations } from "#client/refs.ts";
import type { StorageVersionMigration } from "#machinery/gen/types/storagemigration-v1beta1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { eventually, startControlPlane } from "./control-plane.ts";

const racks: ResourceRef = {
  group: "example.com",
  version: "v1",
  resource: "racks",
  kind: "Rack",
  namespaced: true,
};
const names = { plural: "racks", singular: "rack", kind: "Rack", listKind: "RackList" };
const versions = (stored: string): object[] =>
  ["v1", "v2"].map((name) => ({
    name,
    served: true,
    storage: name === stored,
    schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
  }));

async function define(admin: Client): Promise<void> {
  const spec = { group: "example.com", scope: "Namespaced", names, versions: versions("v1") };
  await admin.create(CustomResourceDefinitions, "", {
    metadata: { name: "racks.example.com" },
    spec,
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
}
const over = (admin: Client, name: string): Promise<[type: string, message: string]> =>
  eventually(async () => {
    const { status } = await admin.get<StorageVersionMigration>(StorageVersionMigrations, "", name);
    const last = status?.conditions?.find((one) => one.type !== "Running" && one.status === "True");
    return last && [last.type ?? "", last.message ?? ""];
  });
const migrate = (admin: Client, name: string, resource: string): Promise<unknown> =>
  admin.create(StorageVersionMigrations, "", {
    metadata: { name },
    spec: { resource: { group: "example.com", resource } },
  } as KubeObject);

test("objects are written again where the stored version has changed; a resource that is not there fails", async () => {
  const plane = await startControlPlane({
    scheduler: false,
    betaVersions: ["storagemigration.k8s.io/v1beta1"],
    storageMigrations: true,
  });
  try {
    const { admin } = plane;
    await define(admin);
    const before = await admin.create<KubeObject>(racks, "default", { metadata: { name: "r" } });
    await admin.patch(CustomResourceDefinitions, "", "racks.example.com", "merge", {
      spec: { versions: versions("v2") },
    });
    await migrate(admin, "m", "racks");
    assert.deepEqual(await over(admin, "m"), ["Succeeded", ""]);
    const after = await admin.get<KubeObject>(racks, "default", "r");
    assert.notEqual(after.metadata?.resourceVersion, before.metadata?.resourceVersion);
    assert.equal(after.metadata?.uid, before.metadata?.uid);
    await migrate(admin, "again", "racks");
    assert.deepEqual(await over(admin, "again"), ["Succeeded", ""]);
    const same = await admin.get<KubeObject>(racks, "default", "r");
    assert.equal(same.metadata?.resourceVersion, after.metadata?.resourceVersion);
    await migrate(admin, "none", "nothing");
    assert.deepEqual(await over(admin, "none"), [
      "Failed",
      "resource nothing.example.com does not exist in the cluster",
    ]);
  } finally {
    await plane.stop();
  }
});
