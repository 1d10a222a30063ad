// Taints NoExecute with the real control plane: pods go when their time is up, and stay when the taint goes before.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "#client/client.ts";
import { Nodes, Pods } from "#client/refs.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { addNode, eventually, playKubelets, startControlPlane } from "./control-plane.ts";

const key = "example.com/evict";

async function withPlane(use: (admin: Client) => Promise<void>): Promise<void> {
  const plane = await startControlPlane({ scheduler: false });
  const stopKubelets = playKubelets(plane.admin);
  try {
    for (const name of ["a", "b"]) await addNode(plane.admin, name);
    await use(plane.admin);
  } finally {
    await stopKubelets();
    await plane.stop();
  }
}

async function run(admin: Client, name: string, nodeName: string, tolerationSeconds?: number): Promise<void> {
  const toleration = { key, operator: "Exists", effect: "NoExecute" };
  await admin.create<Pod>(Pods, "default", {
    metadata: { name, namespace: "default" },
    spec: {
      nodeName,
      containers: [{ name: "c", image: "i" }],
      ...(tolerationSeconds === undefined ? {} : { tolerations: [{ ...toleration, tolerationSeconds }] }),
    },
  });
  await eventually(async () => (await admin.get<Pod>(Pods, "default", name)).status?.phase === "Running");
}
const taint = (admin: Client, node: string, taints: object[]): Promise<unknown> =>
  eventually(async () => {
    await admin.patch(Nodes, "", node, "merge", { spec: { taints } });
    return true;
  });
const names = async (admin: Client): Promise<string[]> =>
  (await admin.list<Pod>(Pods, { namespace: "default" })).items
    .map(({ metadata }) => metadata?.name ?? "")
    .sort();
const evicting = [{ key, value: "yes", effect: "NoExecute" }];

test("pods without a toleration go at once, others in the order of the time that they tolerate", () =>
  withPlane(async (admin) => {
    await run(admin, "none", "a");
    await run(admin, "one", "a", 1);
    await run(admin, "two", "a", 3);
    await run(admin, "elsewhere", "b");
    await taint(admin, "a", evicting);
    await eventually(async () => !(await names(admin)).includes("none"));
    await eventually(async () => !(await names(admin)).includes("one"));
    assert.ok((await names(admin)).includes("two"));
    await eventually(async () => !(await names(admin)).includes("two"));
    assert.deepEqual(await names(admin), ["elsewhere"]);
  }));

test("a taint that goes before the time is up evicts nobody", () =>
  withPlane(async (admin) => {
    await run(admin, "spared", "a", 1);
    await run(admin, "witness", "b", 2);
    await taint(admin, "a", evicting);
    await taint(admin, "a", []);
    await taint(admin, "b", evicting);
    await eventually(async () => !(await names(admin)).includes("witness"));
    assert.deepEqual(await names(admin), ["spared"]);
  }));
