// A cluster inside a program: ask for three pods, and watch the controller make them.
//   scripts/node examples/embedding/replicas.ts

import { Pods, ReplicationControllers, startCluster, type core } from "leme";

const labels = { app: "shop" };

const cluster = await startCluster();
try {
  const shop: core.ReplicationController = {
    metadata: { name: "shop" },
    spec: {
      replicas: 3,
      selector: labels,
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "shop:1" }] } },
    },
  };
  await cluster.client.create(ReplicationControllers, "default", shop);

  const enough = new AbortController();
  const seen = new Set<string>();
  for await (const events of cluster.client.watch(Pods, {
    namespace: "default",
    labelSelector: "app=shop",
    signal: enough.signal,
  })) {
    for (const { type, object } of events) if (type === "ADDED") seen.add(object.metadata?.name ?? "");
    if (seen.size === 3) break;
  }
  enough.abort();

  console.log(`${seen.size} pods wait for a node`);
} finally {
  await cluster.stop();
}
