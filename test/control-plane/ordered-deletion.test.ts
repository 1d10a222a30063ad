// A namespace that goes loses its pods first: what they still need stays until they are gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, Namespaces, Pods } from "#client/refs.ts";
import type { Namespace, Pod } from "#machinery/gen/types/core-v1.ts";
import { startCluster } from "#compose/index.ts";
import { isApiError } from "#machinery/status.ts";
import { eventually } from "./control-plane.ts";

test("a namespace's other objects wait for its pods", async () => {
  const cluster = await startCluster();
  const { client } = cluster;
  const name = "leaving";
  const gone = (read: Promise<unknown>): Promise<boolean> =>
    read.then(
      () => false,
      (error: unknown) => isApiError(error, "NotFound"),
    );
  try {
    await client.create(Namespaces, "", { metadata: { name } });
    await client.create(ConfigMaps, name, { metadata: { name: "needed" } });
    const pod: Pod = {
      metadata: { name: "last", finalizers: ["example.com/not-yet"] },
      spec: { schedulerName: "nobody", containers: [{ name: "c", image: "i" }] },
    };
    await eventually(async () => (await client.list(Pods, { namespace: name })).items.length === 0);
    await eventually(() =>
      client.create(Pods, name, pod).then(
        () => true,
        () => false,
      ),
    );
    await client.delete(Namespaces, "", name);
    const told = await eventually(async () => {
      const { status } = await client.get<Namespace>(Namespaces, "", name);
      return status?.conditions?.find(
        ({ type, status: is }) => type === "NamespaceContentRemaining" && is === "True",
      );
    });
    assert.equal(told.message, "Some resources are remaining: pods. has 1 resource instances");
    assert.equal(await gone(client.get(ConfigMaps, name, "needed")), false);
    await client.patch(Pods, name, "last", "merge", { metadata: { finalizers: null } });
    await eventually(() => gone(client.get(Namespaces, "", name)));
    assert.ok(await gone(client.get(ConfigMaps, name, "needed")));
  } finally {
    await cluster.stop();
  }
});
