// Pod create → Running as a watch sees it, scheduled and with its token, beside the bare CRI calls (sandbox, container,
// start) on the same containerd. Nothing of the one is left on the node while the other is measured.

import type { Client } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { ClusterPlan, NodePlan } from "#cluster/plan.ts";
import { connectRuntime } from "#cri/client.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import type { PodSandboxConfig } from "#cri/messages.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { percentile, short, type Row } from "./stats.ts";

const rounds = 15;
const warmRounds = 2;
const aimMoreMs = 60;
const runningMsMax = 30_000;
const emptiedMsMax = 30_000;

export async function podRows(
  client: Client,
  plan: ClusterPlan,
  progress: (text: string) => void,
): Promise<Row[]> {
  const [node] = plan.nodes;
  if (node === undefined) return [];
  const runtime = connectRuntime(node.containerd.socket);
  try {
    const image = await sandboxImage(runtime, node);
    progress(`${rounds} pods, and as many bare containers`);
    const [pods, bare]: [number[], number[]] = [[], []];
    for (let round = -warmRounds; round < rounds; round++) {
      const podMs = await podStart(client, node, image, round);
      await emptied(runtime);
      const bareMs = await bareStart(runtime, node, image, round);
      if (round < 0) continue;
      pods.push(podMs);
      bare.push(bareMs);
    }
    const more = percentile(pods, 0.5) - percentile(bare, 0.5);
    return [
      {
        name: "pod create to Running: p50 (p99)",
        ours: `${short(percentile(pods, 0.5))} (${short(percentile(pods, 0.99))}) ms`,
        peer: `${short(percentile(bare, 0.5))} (${short(percentile(bare, 0.99))}) ms`,
        ratio: percentile(pods, 0.5) / percentile(bare, 0.5),
        aim: `≤ CRI + ${aimMoreMs} ms`,
        met: more <= aimMoreMs,
      },
    ];
  } finally {
    runtime.close();
  }
}

/** The image that every node gets with its first sandbox; it only waits. */
async function sandboxImage(runtime: ContainerRuntime, node: NodePlan): Promise<string> {
  await runtime.removePodSandbox(await runtime.runPodSandbox(sandboxConfig(node, "first")));
  const [image] = (await runtime.listImages()).flatMap(({ repoTags }) => repoTags ?? []);
  if (image === undefined) throw new Error("the node has no image");
  return image;
}

/** When the kubelet has taken down the last pod, sandbox and all. */
async function emptied(runtime: ContainerRuntime): Promise<void> {
  const until = performance.now() + emptiedMsMax;
  while ((await runtime.listPodSandboxes()).length > 0) {
    if (performance.now() > until) throw new Error("a deleted pod stays on the node");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const sandboxConfig = (node: NodePlan, uid: string): PodSandboxConfig => ({
  metadata: { name: uid, uid, namespace: "bench", attempt: 0 },
  hostname: uid,
  logDirectory: `${node.stateDir}/bench/${uid}`,
  linux: { cgroupParent: `/${node.cgroup}/${uid}` },
});

async function podStart(client: Client, node: NodePlan, image: string, round: number): Promise<number> {
  const name = `start-${round + warmRounds}`;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), runningMsMax);
  const { metadata } = await client.list(Pods, { namespace: "default" });
  const events = client.watch(Pods, {
    namespace: "default",
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: metadata?.resourceVersion ?? "",
    signal: abort.signal,
  });
  const from = performance.now();
  await client.create<Pod>(Pods, "default", {
    metadata: { name, namespace: "default" },
    spec: {
      nodeSelector: { "kubernetes.io/hostname": node.name },
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "c", image, imagePullPolicy: "Never" }],
    },
  });
  try {
    for await (const batch of events)
      for (const { object } of batch) {
        if ((object as Pod).status?.phase !== "Running") continue;
        return performance.now() - from;
      }
    throw new Error(`the watch ended before ${name} ran`);
  } finally {
    clearTimeout(timer);
    abort.abort();
    await client.delete(Pods, "default", name, { gracePeriodSeconds: 0 });
  }
}

async function bareStart(
  runtime: ContainerRuntime,
  node: NodePlan,
  image: string,
  round: number,
): Promise<number> {
  const config = sandboxConfig(node, `bare-${round + warmRounds}`);
  const from = performance.now();
  const sandbox = await runtime.runPodSandbox(config);
  const container = await runtime.createContainer(
    sandbox,
    { metadata: { name: "c", attempt: 0 }, image: { image }, logPath: "c.log", linux: {} },
    config,
  );
  await runtime.startContainer(container);
  const took = performance.now() - from;
  await runtime.stopPodSandbox(sandbox);
  await runtime.removePodSandbox(sandbox);
  return took;
}
