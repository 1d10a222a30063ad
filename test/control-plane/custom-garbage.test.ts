// Custom resources as owners and as what is owned: their kinds come and go while the collector runs.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceRef } from "#client/client.ts";
import { ConfigMaps, CustomResourceDefinitions } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ask, startApi } from "../api/api-under-test.ts";
import { eventually } from "./control-plane.ts";

const group = "garbage.example.com";
const boats: ResourceRef = { group, version: "v1", resource: "boats", kind: "Boat", namespaced: true };
const definition = {
  metadata: { name: `boats.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural: "boats", kind: "Boat" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
};

test("dependents of a custom resource go with it, and it goes with its owner, also when its kind came back", async () => {
  const api = await startApi({ controllers: ["*"] });
  const { client } = api.plane;
  const direct = api.transport("direct");
  const path = `/apis/${group}/v1/namespaces/default/boats`;
  const ownedBy = (owner: KubeObject, apiVersion: string, kind: string) => [
    { apiVersion, kind, name: owner.metadata?.name ?? "", uid: owner.metadata?.uid ?? "" },
  ];
  try {
    for (const round of ["first", "second"]) {
      await client.create(CustomResourceDefinitions, "", definition);
      await eventually(async () => (await ask(direct, "GET", path)).status === 200);
      const top = await client.create(ConfigMaps, "default", { metadata: { name: `top-${round}` } });
      const ownerReferences = ownedBy(top, "v1", "ConfigMap");
      const boat = await client.create(boats, "default", { metadata: { name: "b", ownerReferences } });
      const metadata = { name: `cargo-${round}`, ownerReferences: ownedBy(boat, `${group}/v1`, "Boat") };
      await client.create(ConfigMaps, "default", { metadata });
      await client.delete(ConfigMaps, "default", `top-${round}`);
      await eventually(async () => (await ask(direct, "GET", `${path}/b`)).status === 404);
      await eventually(async () => {
        const { items } = await client.list(ConfigMaps, { namespace: "default" });
        return items.every((one) => one.metadata?.name !== `cargo-${round}`);
      });
      await client.delete(CustomResourceDefinitions, "", `boats.${group}`);
      await eventually(async () => (await ask(direct, "GET", path)).status === 404);
      const { items } = await client.list(CustomResourceDefinitions);
      assert.deepEqual(items, []);
    }
  } finally {
    await api.stop();
  }
});
