// `kill -9` of the control plane while sixteen clients write, several times: what was acknowledged is there afterwards,
// revisions never go back, and running containers are not touched.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serverDaemon } from "#cluster/daemons.ts";
import type { Client } from "#client/client.ts";
import { ConfigMaps } from "#client/refs.ts";
import { recordedDaemon } from "#host/daemon.ts";
import { isAlive, signalProcess } from "#host/identity.ts";
import type { ConfigMap } from "#machinery/gen/types/core-v1.ts";
import { clusterUnderTest, ourKubectl, reasonToSkip, until } from "./cluster-under-test.ts";
import { connect, processesInPod, servingPods } from "./observed-pods.ts";

const skip = reasonToSkip() ?? false;
const cluster = clusterUnderTest("e2e-crash", 1);
const writers = 16;
const rounds = 3;
/** Each round kills when this many writes of it were acknowledged. */
const acknowledgedBeforeKill = 400;
const servingMsMax = 120_000;

interface Acknowledged {
  readonly uid: string;
  readonly revision: number;
  /** How often it was written; the stored value must not be older. */
  readonly count: number;
}

before(async () => {
  if (skip !== false) return;
  await cluster.run(["cluster/kube-down.sh"]);
  await cluster.runOk(["cluster/kube-up.sh"]);
  await cluster.runOk(["examples/tutorial/prepare.sh"]);
  await cluster.runOk([ourKubectl, "create", "-f", "examples/tutorial/app-rc.yaml"]);
});

after(async () => {
  if (skip !== false) return;
  await cluster.run(["examples/tutorial/clean.sh"]);
  await cluster.remove();
});

test("kill -9 of the control plane while clients write", { skip }, async (t) => {
  const acknowledged = new Map<string, Acknowledged>();
  const pods = await withClient((client) => servingPods(client, 4, servingMsMax));
  const containers = pods.flatMap(({ uid }) => processesInPod(uid, "run-website"));
  assert.equal(containers.length, pods.length);
  for (let round = 1; round <= rounds; round++) {
    await writeUntilKilled(round, acknowledged);
    await cluster.runOk(["bin/leme", "up"]);
    await withClient((client) => compare(client, acknowledged));
    t.diagnostic(`round ${round}: ${acknowledged.size} objects acknowledged so far, all there`);
  }
  assert.ok(containers.every(isAlive), "a container was restarted");
  const now = await withClient((client) => servingPods(client, 4, servingMsMax));
  assert.deepEqual(
    now.map(({ containerId, restarts }) => [containerId, restarts]).sort(),
    pods.map(({ containerId, restarts }) => [containerId, restarts]).sort(),
  );
});

async function withClient<T>(body: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(cluster.kubeconfig);
  try {
    return await body(client);
  } finally {
    await client.transport.close();
  }
}

/** Sixteen clients, each creating its own objects and writing each once more; they end when the server does. */
async function writeUntilKilled(round: number, acknowledged: Map<string, Acknowledged>): Promise<void> {
  const server = recordedDaemon(serverDaemon(cluster.plan()).record);
  assert.ok(server !== undefined);
  let inRound = 0;
  let killed = false;
  const note = (name: string, object: ConfigMap, count: number): void => {
    const revision = Number(object.metadata?.resourceVersion);
    acknowledged.set(name, { uid: object.metadata?.uid ?? "", revision, count });
    inRound++;
  };
  const write = async (writer: number): Promise<void> => {
    const client = await connect(cluster.kubeconfig);
    try {
      for (let number = 0; ; number++) {
        const name = `r${round}-w${writer}-${number}`;
        const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { count: "1" } };
        const created = await client.create<ConfigMap>(ConfigMaps, "default", object);
        note(name, created, 1);
        const updated = { ...created, data: { count: "2" } };
        note(name, await client.update<ConfigMap>(ConfigMaps, updated), 2);
      }
    } catch (error) {
      // With the server dead there is nobody to answer; anything else is a failure of the test.
      if (!killed) throw error;
    } finally {
      await client.transport.close();
    }
  };
  const writing = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  const kill = until("enough acknowledged writes", servingMsMax, async (seen) => {
    seen(String(inRound));
    if (inRound < acknowledgedBeforeKill) return undefined;
    killed = true;
    assert.ok(signalProcess(server, "SIGKILL"));
    return true;
  });
  await Promise.all([writing, kill]);
}

async function compare(client: Client, acknowledged: ReadonlyMap<string, Acknowledged>): Promise<void> {
  const { items, metadata } = await client.list<ConfigMap>(ConfigMaps, { namespace: "default" });
  const stored = new Map(items.map((item) => [item.metadata?.name ?? "", item]));
  let newest = 0;
  for (const [name, { uid, revision, count }] of acknowledged) {
    const object = stored.get(name);
    assert.ok(object !== undefined, `${name} was acknowledged at revision ${revision} and is not there`);
    assert.equal(object.metadata?.uid, uid, name);
    assert.ok(Number(object.metadata?.resourceVersion) >= revision, `${name} is older than acknowledged`);
    assert.ok(Number(object.data?.count) >= count, `${name} has an older value than acknowledged`);
    newest = Math.max(newest, revision);
  }
  assert.ok(Number(metadata?.resourceVersion) >= newest, "the list's revision went back");
  const next = await client.create<ConfigMap>(ConfigMaps, "default", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { generateName: "after-" },
  });
  assert.ok(Number(next.metadata?.resourceVersion) > newest, "a new write got an old revision");
}
