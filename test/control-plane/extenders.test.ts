// Scheduler extenders with the real control plane: a web server on loopback is asked about the pods that are its business.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Client } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import type { Pod, PodCondition } from "#machinery/gen/types/core-v1.ts";
import { schedulerOptions, type SchedulerConfiguration } from "#scheduler/index.ts";
import { addNode, eventually, playKubelets, startControlPlane } from "./control-plane.ts";

const resource = "example.com/licence";

/** What is sent, with the parts that these tests look at. */
interface Args {
  readonly Pod?: Pod;
  readonly Nodes?: { readonly items: readonly { readonly metadata: { readonly name: string } }[] } | null;
  readonly NodeNames?: readonly string[] | null;
  readonly NodeNameToVictims?: Record<string, { readonly Pods: readonly Pod[] }> | null;
  readonly NodeNameToMetaVictims?: Record<
    string,
    { readonly Pods: readonly { readonly UID: string }[] }
  > | null;
  readonly PodName?: string;
  readonly PodNamespace?: string;
  readonly PodUID?: string;
  readonly Node?: string;
}
type Verb = (args: Args) => unknown;

interface Cluster {
  readonly admin: Client;
  /** What was asked, in order: verbs with the arguments. */
  readonly asked: readonly (readonly [verb: string, args: Args])[];
}

/** An answer of `undefined` is a failure of the extender. */
async function withExtender(
  settings: NonNullable<SchedulerConfiguration["extenders"]>[number],
  verbs: Readonly<Record<string, Verb>>,
  use: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const asked: [string, Args][] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const verb = request.url?.replace(/^\/extend\//, "") ?? "";
      const args = JSON.parse(Buffer.concat(chunks).toString()) as Args;
      asked.push([verb, args]);
      const work = async (): Promise<void> => {
        const answer = await verbs[verb]?.(args);
        response.statusCode = answer === undefined ? 500 : 200;
        response.end(JSON.stringify(answer ?? ""));
      };
      void work().catch((error: unknown) => response.destroy(error as Error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const urlPrefix = `http://127.0.0.1:${(server.address() as AddressInfo).port}/extend/`;
  const { options, errors } = schedulerOptions({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    extenders: [{ urlPrefix, ...settings }],
  });
  assert.deepEqual(errors.map(fieldErrorMessage), []);
  const plane = await startControlPlane({ scheduler: options });
  const stopKubelets = playKubelets(plane.admin);
  try {
    await use({ admin: plane.admin, asked });
  } finally {
    await stopKubelets();
    await plane.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const licensed = { [resource]: "1" };
const create = (
  admin: Client,
  name: string,
  spec: Partial<Pod["spec"]> = {},
  requests?: object,
): Promise<Pod> =>
  admin.create<Pod>(Pods, "default", {
    metadata: { name, namespace: "default" },
    spec: {
      containers: [
        {
          name: "c",
          image: "i",
          ...(requests === undefined ? {} : { resources: { requests, limits: requests } as never }),
        },
      ],
      ...spec,
    },
  });
const placeOf = (admin: Client, name: string): Promise<string> =>
  eventually(async () => (await admin.get<Pod>(Pods, "default", name)).spec?.nodeName);
const told = (admin: Client, name: string, reason: string): Promise<PodCondition> =>
  eventually(async () =>
    (await admin.get<Pod>(Pods, "default", name)).status?.conditions?.find(
      (one) => one.type === "PodScheduled" && one.reason === reason,
    ),
  );
const managed = { managedResources: [{ name: resource, ignoredByScheduler: true }] };
const namesOf = ({ Nodes, NodeNames }: Args): string[] =>
  [...(NodeNames ?? Nodes?.items.map(({ metadata }) => metadata.name) ?? [])].sort();

test("an extender filters and scores the nodes of pods that are its business, and hears of no other", () =>
  withExtender(
    { filterVerb: "filter", prioritizeVerb: "prioritize", weight: 50, ...managed },
    {
      filter: ({ Nodes }) => ({
        // In other letters than it was asked in: any case is understood.
        nodes: { items: Nodes?.items.filter(({ metadata }) => metadata.name !== "a") },
        failedNodes: { a: "no licence" },
      }),
      prioritize: () => [
        { Host: "b", Score: 2 },
        { Host: "c", Score: 9 },
      ],
    },
    async ({ admin, asked }) => {
      for (const name of ["a", "b", "c"]) await addNode(admin, name);
      await create(admin, "plain");
      await placeOf(admin, "plain");
      assert.equal(asked.length, 0);
      await create(admin, "licensed", {}, licensed);
      assert.equal(await placeOf(admin, "licensed"), "c");
      assert.deepEqual(
        asked.map(([verb, args]) => [verb, namesOf(args), args.Pod?.metadata?.name]),
        [
          ["filter", ["a", "b", "c"], "licensed"],
          ["prioritize", ["b", "c"], "licensed"],
        ],
      );
    },
  ));

test("a pod that the extender lets go nowhere says why, and is placed when the extender has changed its mind", () => {
  let isOpen = false;
  return withExtender(
    { filterVerb: "filter", nodeCacheCapable: true },
    {
      filter: ({ NodeNames }) =>
        isOpen
          ? { NodeNames }
          : { NodeNames: [], FailedNodes: { a: "no licence" }, FailedAndUnresolvableNodes: { b: "never" } },
    },
    async ({ admin, asked }) => {
      for (const name of ["a", "b"]) await addNode(admin, name);
      await create(admin, "p");
      const { message } = await told(admin, "p", "Unschedulable");
      assert.match(message ?? "", /^0\/2 nodes are available: 1 never, 1 no licence\. /);
      assert.equal(asked[0]?.[1].Nodes, null);
      isOpen = true;
      // Anything that happens may be what an extender waits for.
      await addNode(admin, "d");
      assert.ok(await placeOf(admin, "p"));
    },
  );
});

test("an extender that fails holds its pods back with the error, until it answers", () => {
  let isDown = true;
  return withExtender(
    { filterVerb: "filter", nodeCacheCapable: true },
    { filter: ({ NodeNames }) => (isDown ? undefined : { NodeNames }) },
    async ({ admin }) => {
      await addNode(admin, "a");
      await create(admin, "p");
      const { message } = await told(admin, "p", "SchedulerError");
      assert.match(
        message ?? "",
        /^extender http:\/\/127\.0\.0\.1:\d+\/extend\/filter: failed with code 500$/,
      );
      isDown = false;
      assert.equal(await placeOf(admin, "p"), "a");
    },
  );
});

test("without an extender that is ignorable, things go on when it fails", () =>
  withExtender(
    { filterVerb: "filter", prioritizeVerb: "prioritize", bindVerb: "bind", weight: 1, ignorable: true },
    {},
    async ({ admin, asked }) => {
      for (const name of ["a", "b"]) await addNode(admin, name);
      await create(admin, "p");
      await placeOf(admin, "p");
      assert.deepEqual(
        asked.map(([verb]) => verb),
        ["filter", "prioritize", "bind"],
      );
    },
  ));

test("an extender that binds does so itself", () => {
  const api: { admin?: Client } = {};
  return withExtender(
    { bindVerb: "bind" },
    {
      async bind({ PodName = "", PodNamespace = "", PodUID = "", Node }) {
        const binding = {
          metadata: { name: PodName, namespace: PodNamespace, uid: PodUID },
          target: { kind: "Node", name: Node },
        };
        await api.admin?.createSub(Pods, PodNamespace, PodName, "binding", binding as never);
        return { Error: "" };
      },
    },
    async ({ admin, asked }) => {
      api.admin = admin;
      await addNode(admin, "a");
      const pod = await create(admin, "p");
      assert.equal(await placeOf(admin, "p"), "a");
      const args = { PodName: "p", PodNamespace: "default", PodUID: pod.metadata?.uid, Node: "a" };
      assert.deepEqual(asked, [["bind", args]]);
    },
  );
});

for (const nodeCacheCapable of [false, true])
  test(`an extender has a say in who is preempted, told of ${nodeCacheCapable ? "uids" : "pods"}`, () =>
    withExtender(
      { preemptVerb: "preempt", nodeCacheCapable },
      {
        preempt({ NodeNameToVictims, NodeNameToMetaVictims }) {
          const victims = NodeNameToVictims?.["b"]?.Pods.map(({ metadata }) => ({
            UID: metadata?.uid ?? "",
          }));
          const Pods = victims ?? NodeNameToMetaVictims?.["b"]?.Pods;
          return { NodeNameToMetaVictims: { b: { Pods, NumPDBViolations: 0 } } };
        },
      },
      async ({ admin, asked }) => {
        const most = { cpu: "3" };
        for (const name of ["a", "b", "c"]) {
          await addNode(admin, name);
          await create(admin, `on-${name}`, {}, most);
          assert.equal(await placeOf(admin, `on-${name}`), name);
        }
        await create(admin, "urgent", { priority: 1000 }, most);
        assert.equal(await placeOf(admin, "urgent"), "b");
        const [, args] = asked.find(([verb]) => verb === "preempt") ?? [];
        const offered = (nodeCacheCapable ? args?.NodeNameToMetaVictims : args?.NodeNameToVictims) ?? {};
        assert.deepEqual(Object.keys(offered).sort(), ["a", "b", "c"]);
        assert.equal(nodeCacheCapable ? args?.NodeNameToVictims : args?.NodeNameToMetaVictims, null);
      },
    ));
