// `leme why` on twenty broken workloads: each is really broken by the control plane, hollow nodes and their kubelets, or,
// where that takes a real runtime, has the status that a kubelet writes; the cause is named in each.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { createClient, type Client, type ResourceRef } from "#client/client.ts";
import { Deployments, Jobs, Nodes, Pods, ReplicaSets, Services, StatefulSets } from "#client/refs.ts";
import { startHollowNodes, type HollowNodes } from "#kubelet/hollow/hollow-nodes.ts";
import { noLoad } from "#kubelet/hollow/simulated-runtime.ts";
import type { ContainerStatus, PodSpec } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { gather } from "#why/gather.ts";
import { explain, tell } from "#why/workload.ts";
import { eventually, startControlPlane, type ControlPlane } from "./control-plane.ts";

const Quotas: ResourceRef = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  resource: "resourcequotas",
  namespaced: true,
};
let plane: ControlPlane;
let informers: InformerFactory;
let nodes: HollowNodes;
let admin: Client;

before(async () => {
  plane = await startControlPlane();
  admin = plane.admin;
  const deps = { clock: realClock, random: seededRandom(5), log: silentLogger };
  const transport = plane.server.direct({
    name: "hollow",
    groups: ["system:masters", "system:authenticated"],
  });
  informers = createInformerFactory(createClient(transport), deps, { freeze: true });
  nodes = startHollowNodes(
    {
      count: 2,
      prefix: "hollow",
      from: 0,
      size: { cpus: 2, memoryBytes: 4 * 1024 ** 3 },
      load: noLoad,
      zones: 0,
      allEvents: true,
      version: "v1.36.0",
    },
    { ...deps, informers, transportFor: () => transport },
  );
  void informers.start();
  await nodes.ready;
  await admin.patch(Nodes, "", "hollow-1", "merge", {
    spec: { taints: [{ key: "gpu", effect: "NoSchedule" }] },
  });
});

after(async () => {
  await nodes.stop();
  await informers.stop();
  await plane.stop();
});

const why = async (ref: ResourceRef, name: string, namespace = "default"): Promise<string> => {
  const evidence = await gather(admin, ref, namespace, name);
  return tell(evidence, explain(evidence));
};

/** Once it says so: what it waits for takes its time. */
const says = (ref: ResourceRef, name: string, cause: RegExp, namespace?: string): Promise<unknown> => {
  let last = "";
  return eventually(async () => {
    last = await why(ref, name, namespace);
    return cause.test(last);
  }).catch((error: unknown) => {
    throw new Error(`${cause} is not in:\n${last}`, { cause: error });
  });
};

const template = (spec: Partial<PodSpec>, labels: Record<string, string>): object => ({
  metadata: { labels },
  spec: { containers: [{ name: "c", image: "web:v1" }], ...spec },
});
const deploy = (name: string, spec: Partial<PodSpec>, more: object = {}): Promise<unknown> =>
  admin.create(Deployments, "default", {
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: template(spec, { app: name }),
      ...more,
    },
  } as KubeObject);

const cpu = (amount: string): Partial<PodSpec> => ({
  containers: [{ name: "c", image: "web:v1", resources: { requests: { cpu: amount } } }],
});

test("what the scheduler cannot place", async () => {
  const rows: [string, Partial<PodSpec>, RegExp][] = [
    [
      "room",
      cpu("3"),
      /no node takes it: 1 Insufficient cpu, 1 node\(s\) had untolerated taint\(s\)\n {2}1 of 2 nodes: Insufficient cpu/,
    ],
    ["taint", { nodeSelector: { "kubernetes.io/hostname": "hollow-1" } }, /untolerated taint/],
    ["selector", { nodeSelector: { disk: "ssd" } }, /didn't match Pod's node affinity\/selector/],
    [
      "neighbour",
      {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "nobody" } } },
            ],
          },
        },
      },
      /didn't match pod affinity rules/,
    ],
    [
      "port",
      { containers: [{ name: "c", image: "web:v1", ports: [{ containerPort: 80, hostPort: 80 }] }] },
      /free ports/,
    ],
    [
      "gate",
      { schedulingGates: [{ name: "example.com/wait" }] },
      /its scheduling gates hold it back: example\.com\/wait/,
    ],
    ["another scheduler", { schedulerName: "mine" }, /it waits for the scheduler "mine"/],
  ];
  for (const [what, spec] of rows) await deploy(what.replace(" ", "-"), spec);
  for (const [what, , cause] of rows) await says(Deployments, what.replace(" ", "-"), cause);
});

test("what the server refuses", async () => {
  await admin.create(
    { group: "", version: "v1", kind: "Namespace", resource: "namespaces", namespaced: false },
    "",
    {
      metadata: { name: "small" },
    },
  );
  await admin.create(Quotas, "small", {
    metadata: { name: "few" },
    spec: { hard: { pods: "1" } },
  } as KubeObject);
  await eventually(async () => {
    const { status } = await admin.get<KubeObject & { status?: { hard?: object } }>(Quotas, "small", "few");
    return status?.hard !== undefined;
  });
  const labels = { app: "many" };
  await admin.create(Deployments, "small", {
    metadata: { name: "many" },
    spec: { replicas: 3, selector: { matchLabels: labels }, template: template({}, labels) },
  } as KubeObject);
  await says(
    Deployments,
    "many",
    /its pods are refused: .*exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1[\s\S]*→ free some of the quota/,
    "small",
  );
  await admin.create(Quotas, "small", {
    metadata: { name: "measured" },
    spec: { hard: { "requests.cpu": "4" } },
  } as KubeObject);
  const silent = { app: "silent" };
  await admin.create(Deployments, "small", {
    metadata: { name: "silent" },
    spec: { replicas: 1, selector: { matchLabels: silent }, template: template({}, silent) },
  } as KubeObject);
  await says(
    Deployments,
    "silent",
    /its pods are refused: .*(must specify requests\.cpu|exceeded quota)/,
    "small",
  );
});

test("what is as it was asked for, and yet nothing runs", async () => {
  await deploy("none", {}, { replicas: 0 });
  await says(Deployments, "none", /asked for no pods at all/);
  await admin.create(Jobs, "default", {
    metadata: { name: "later" },
    spec: { suspend: true, template: template({ restartPolicy: "Never" }, {}) },
  } as KubeObject);
  await says(Jobs, "later", /it is suspended/);
  await admin.create(Jobs, "default", {
    metadata: { name: "fails" },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { annotations: { "hollow.leme.dev/run-seconds": "0", "hollow.leme.dev/exit-code": "3" } },
        spec: { restartPolicy: "Never", containers: [{ name: "c", image: "job:v1" }] },
      },
    },
  } as KubeObject);
  await says(Jobs, "fails", /it has failed: BackoffLimitExceeded/);
  await says(Jobs, "fails", /container "c": it ends with exit code 3/);
});

test("a Service without anybody behind it", async () => {
  const service = (name: string, app: string, targetPort: string | number): Promise<unknown> =>
    admin.create(Services, "default", {
      metadata: { name },
      spec: { selector: { app }, ports: [{ port: 80, targetPort }] },
    } as KubeObject);
  await service("lonely", "nobody", 80);
  await says(Services, "lonely", /no pod has the labels that it selects: app=nobody/);
  await deploy("shop", {});
  await service("unnamed", "shop", "web");
  await says(Services, "unnamed", /no pod has a port named "web"/);
});

test("what is well has nothing to say", async () => {
  await says(Deployments, "shop", /deployment\/shop: nothing holds it back; 2 of 2 pods are ready/);
});

/** As a real kubelet writes them; no hollow one ever does. */
const statuses: [string, Partial<ContainerStatus>, RegExp, [reason: string, message: string]?][] = [
  [
    "image",
    {
      state: { waiting: { reason: "ImagePullBackOff", message: "Back-off pulling image" } },
      image: "web:nope",
    },
    /the image "web:nope" of container "c" cannot be had \(ImagePullBackOff\)\n {2}Failed to pull image "web:nope": not found/,
    ["Failed", 'Failed to pull image "web:nope": not found'],
  ],
  [
    "image-name",
    { state: { waiting: { reason: "InvalidImageName", message: "bad" } }, image: "Web!" },
    /"Web!".*InvalidImageName/,
  ],
  [
    "secret",
    { state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "keys" not found' } } },
    /container "c" cannot be made: secret "keys" not found/,
  ],
  [
    "crash",
    {
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 7, reason: "Error", message: "no database\n" } },
      restartCount: 4,
    },
    /started again and again: it ends with exit code 7: no database\n {2}restarts: 4\n {2}→ kubectl logs \S+ -c c --previous/,
  ],
  [
    "memory",
    {
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    },
    /more memory than its limit \(OOMKilled\)[\s\S]*limits\.memory/,
  ],
  [
    "liveness",
    {
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 137, reason: "Error" } },
    },
    /started again and again: Liveness probe failed: HTTP probe failed with statuscode: 500/,
    ["Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"],
  ],
  [
    "readiness",
    { state: { running: {} } },
    /runs and is not ready: Readiness probe failed: dial tcp/,
    ["Unhealthy", "Readiness probe failed: dial tcp 10.0.0.1:80: connect: connection refused"],
  ],
  [
    "volume",
    { state: { waiting: { reason: "ContainerCreating" } } },
    /a volume cannot be mounted: MountVolume\.SetUp failed for volume "v" : configmap "settings" not found/,
    ["FailedMount", 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found'],
  ],
];

for (const [name, status, cause, event] of statuses)
  test(`what a kubelet says: ${name}`, () => {
    const pod = {
      metadata: { name, namespace: "default", uid: name },
      spec: { nodeName: "n", containers: [{ name: "c" }] },
      status: {
        phase: status.state?.running === undefined ? "Pending" : "Running",
        conditions: [{ type: "Ready", status: "False" }],
        containerStatuses: [
          { name: "c", image: "web:v1", imageID: "", ready: false, restartCount: 0, ...status },
        ],
      },
    };
    const evidence = {
      subject: { ...pod, kind: "Pod" } as never,
      related: [],
      pods: [pod],
      nodes: [{ metadata: { name: "n" }, status: { conditions: [{ type: "Ready", status: "True" }] } }],
      claims: [],
      events:
        event === undefined
          ? []
          : [
              {
                metadata: {},
                involvedObject: { name },
                reason: event[0],
                message: event[1],
                type: "Warning",
              },
            ],
    };
    assert.match(tell(evidence, explain(evidence)), cause);
  });

test("the pods of one workload that suffer from the same are told of once", async () => {
  const text = await why(Deployments, "room");
  assert.equal(text.match(/no node takes it/g)?.length, 1);
  assert.match(text, /and 1 more pods likewise/);
  const sets = (await admin.list(ReplicaSets, { namespace: "default" })).items;
  const set = sets.find(({ metadata }) => metadata?.name?.startsWith("room-"));
  assert.match(await why(ReplicaSets, set?.metadata?.name ?? ""), /Insufficient cpu/);
  const pods = (await admin.list(Pods, { namespace: "default", labelSelector: "app=room" })).items;
  assert.match(await why(Pods, pods[0]?.metadata?.name ?? ""), /^pod\/room-\S+: no node takes it/);
  await assert.rejects(why(StatefulSets, "nobody"), /not found/);
});
