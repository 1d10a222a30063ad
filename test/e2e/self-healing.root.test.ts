// A cluster that mends itself: a killed container, a deleted pod, a node whose every process is killed, scaling.
// Times are shortened by flags; they bound how long a test waits, and never decide what is right.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serverDaemon } from "#cluster/daemons.ts";
import { processesOfNode } from "#cluster/node-runtime.ts";
import type { NodePlan } from "#cluster/plan.ts";
import type { Client } from "#client/client.ts";
import { Endpoints, Pods, ReplicationControllers } from "#client/refs.ts";
import { recordedDaemon } from "#host/daemon.ts";
import { signalProcess } from "#host/identity.ts";
import type { Endpoints as EndpointsObject, ReplicationController } from "#machinery/gen/types/core-v1.ts";
import { clusterUnderTest, ourKubectl, reasonToSkip, until } from "./cluster-under-test.ts";
import { leftoversOf } from "./leftovers.ts";
import {
  connect,
  listPods,
  processesInCgroup,
  processesInPod,
  readyNodes,
  servingPods,
  type ObservedPod,
} from "./observed-pods.ts";
import { visit, visitMany } from "./requests.ts";

const skip = reasonToSkip() ?? false;
const cluster = clusterUnderTest("e2e-healing");
const replicas = 4;
const servingMsMax = 120_000;
/** Of requests, while a node with one of the four pods is dead and nobody knows it yet. */
const answeredShareMin = 0.7;
const visitsAfter = 500;
let client: Client;

const service = `apiVersion: v1
kind: Service
metadata:
  name: website
spec:
  type: LoadBalancer
  ports:
    - port: 80
      targetPort: 3000
  selector:
    name: app
`;

before(async () => {
  if (skip !== false) return;
  await cluster.run(["cluster/kube-down.sh"]);
  await cluster.runOk(["sh", "scripts/setup.sh"]);
  const flags = [
    // More than two renewals of a Lease: a healthy node is never taken for lost, however busy the machine.
    "--node-monitor-grace-period=22s",
    "--default-not-ready-toleration-seconds=3",
    "--default-unreachable-toleration-seconds=3",
  ];
  await cluster.runOk(["bin/leme", "up", ...flags.map((flag) => `--server-flag=${flag}`)]);
  await cluster.runOk(["examples/tutorial/prepare.sh"]);
  client = await connect(cluster.kubeconfig);
  await cluster.runOk([ourKubectl, "create", "-f", "examples/tutorial/app-rc.yaml"]);
  await cluster.runOk([ourKubectl, "create", "-f", "-"], service);
  await servingPods(client, replicas, servingMsMax);
});

after(async () => {
  if (skip !== false) return;
  await client?.transport.close();
  await cluster.run(["examples/tutorial/clean.sh"]);
  await cluster.remove();
});

test("a killed container restarts in place", { skip }, async () => {
  const [victim] = await servingPods(client, replicas, servingMsMax);
  assert.ok(victim !== undefined);
  const [main] = processesInPod(victim.uid, "run-website");
  assert.ok(main !== undefined, `pod ${victim.name} has no process run-website`);
  assert.ok(signalProcess(main, "SIGKILL"));
  const again = await until("the container restarts", servingMsMax, async (seen) => {
    const pod = (await listPods(client)).find(({ uid }) => uid === victim.uid);
    seen(JSON.stringify(pod));
    return pod?.serving === true && pod.restarts === victim.restarts + 1 ? pod : undefined;
  });
  assert.equal(again.node, victim.node);
  assert.notEqual(again.containerId, victim.containerId);
});

test("a deleted pod is replaced", { skip }, async () => {
  const [victim] = await servingPods(client, replicas, servingMsMax);
  assert.ok(victim !== undefined);
  await client.delete(Pods, "default", victim.name);
  const now = await until("another pod in its place", servingMsMax, async (seen) => {
    const pods = await listPods(client);
    seen(JSON.stringify(pods));
    const replaced =
      pods.length === replicas && pods.every(({ uid, serving }) => serving && uid !== victim.uid);
    return replaced ? pods : undefined;
  });
  assert.equal(new Set(now.map(({ name }) => name)).size, replicas);
});

test("a node whose every process is killed", { skip }, async (t) => {
  const plan = cluster.plan();
  const pods = await servingPods(client, replicas, servingMsMax);
  const url = `http://${await balancerAddress()}/`;
  await until("the balancer answers with every pod", servingMsMax, async (seen) => {
    const byPod = await visitMany(url, 40);
    seen(JSON.stringify([...byPod]));
    return pods.every(({ name }) => byPod.has(name)) && !byPod.has("") ? true : undefined;
  });
  const node = nodeWithOnePod(plan.nodes, pods);
  await t.test("most requests are answered until it is NotReady", async () => {
    killEverything(node);
    let answered = 0;
    let visits = 0;
    while ((await readyNodes(client)).includes(node.name)) {
      const byPod = await visitMany(url, 50);
      visits += 50;
      answered += 50 - (byPod.get("") ?? 0);
    }
    t.diagnostic(`answered until NotReady: ${answered} of ${visits}`);
    assert.ok(answered >= visits * answeredShareMin, `only ${answered} of ${visits} requests were answered`);
  });
  await t.test("then all are", async () => {
    const lost = new Set(pods.filter((pod) => pod.node === node.name).map(({ name }) => name));
    await until("its pods leave the endpoints", servingMsMax, async (seen) => {
      const serving = await endpointPods();
      seen(serving.join(", "));
      return serving.some((name) => lost.has(name)) ? undefined : true;
    });
    // The proxies see the change a moment after we do.
    await until("no request meets a lost pod", 10_000, async (seen) => {
      const byPod = await visitMany(url, 50);
      seen(JSON.stringify([...byPod]));
      return byPod.has("") ? undefined : true;
    });
    assert.equal((await visitMany(url, visitsAfter)).get(""), undefined);
  });
  await t.test("its pods come back elsewhere", async () => {
    const elsewhere = await until("as many serving pods on other nodes", servingMsMax, async (seen) => {
      const all = await listPods(client);
      seen(JSON.stringify(all));
      const serving = all.filter((pod) => pod.serving);
      return serving.length === replicas && serving.every((pod) => pod.node !== node.name)
        ? serving
        : undefined;
    });
    assert.equal(elsewhere.length, replicas);
  });
  await t.test("up brings the node back", async () => {
    await cluster.runOk(["bin/leme", "up"]);
    await until("three Ready nodes", servingMsMax, async () =>
      (await readyNodes(client)).length === plan.nodes.length ? true : undefined,
    );
    await servingPods(client, replicas, servingMsMax);
    assert.equal((await visit(url)).status, 200);
  });
});

test("a node taken for lost, which is not, says so itself", { skip }, async () => {
  const [node] = cluster.plan().nodes;
  const agent = node === undefined ? undefined : recordedDaemon(node.agentRecord);
  assert.ok(node !== undefined && agent !== undefined);
  const isReady = async (): Promise<boolean> => (await readyNodes(client)).includes(node.name);
  assert.ok(signalProcess(agent, "SIGSTOP"));
  try {
    await until("NotReady", servingMsMax, async () => ((await isReady()) ? undefined : true));
  } finally {
    signalProcess(agent, "SIGCONT");
  }
  await until("Ready again", servingMsMax, async () => ((await isReady()) ? true : undefined));
  await servingPods(client, replicas, servingMsMax);
});

test("scale to ten and back", { skip }, async () => {
  for (const count of [10, replicas]) {
    const said = await cluster.runOk([ourKubectl, "scale", "rc/website", `--replicas=${count}`]);
    assert.equal(said, "replicationcontroller/website scaled\n");
    await servingPods(client, count, servingMsMax);
    await until("the status says so", servingMsMax, async (seen) => {
      const rc = await client.get<ReplicationController>(ReplicationControllers, "default", "website");
      seen(JSON.stringify(rc.status));
      return rc.status?.replicas === count && rc.status.readyReplicas === count ? true : undefined;
    });
  }
});

test("down from here leaves nothing behind", { skip }, async () => {
  const plan = cluster.plan();
  assert.ok(recordedDaemon(serverDaemon(plan).record) !== undefined);
  await client.transport.close();
  await cluster.runOk(["cluster/kube-down.sh"]);
  assert.deepEqual(await leftoversOf(plan, cluster.kubeconfig), []);
});

function nodeWithOnePod(nodes: readonly NodePlan[], pods: readonly ObservedPod[]): NodePlan {
  const node = nodes.find(({ name }) => pods.filter((pod) => pod.node === name).length === 1);
  assert.ok(
    node !== undefined,
    `four pods on three nodes, spread: ${pods.map((pod) => pod.node).join(", ")}`,
  );
  return node;
}

/** Agent, containerd, shims and containers; the network namespace stays, as a crashed machine's cable would. */
function killEverything(node: NodePlan): void {
  const agent = recordedDaemon(node.agentRecord);
  assert.ok(agent !== undefined);
  const containers = processesInCgroup(`${node.cgroup}/`);
  assert.notEqual(containers.length, 0, `no container runs on ${node.name}`);
  for (const each of [agent, ...processesOfNode(node), ...containers]) signalProcess(each, "SIGKILL");
}

function balancerAddress(): Promise<string> {
  return until("an address of the balancer", 30_000, async (seen) => {
    const command = ["get", "service", "website", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}"];
    const address = (await cluster.runOk([ourKubectl, ...command])).trim();
    seen(address);
    return address === "" ? undefined : address;
  });
}

async function endpointPods(): Promise<string[]> {
  const endpoints = await client.get<EndpointsObject>(Endpoints, "default", "website");
  return (endpoints.subsets ?? []).flatMap((subset) =>
    (subset.addresses ?? []).map((address) => address.targetRef?.name ?? ""),
  );
}
