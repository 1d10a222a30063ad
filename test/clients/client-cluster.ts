// A control plane for real clients to work on, with the kubeconfig that they read. Unless a test asks for them there are
// no nodes, and no controllers of Jobs and Deployments: `playWorkloads` says what those would say.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, ResourceRef } from "#client/client.ts";
import { startCluster, type Cluster, type ClusterOptions } from "#compose/index.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { runBinary, type Surroundings } from "../kubectl/run-kubectl.ts";
import type { Result } from "../kubectl/transcript.ts";

export const here = import.meta.dirname;

export interface ClientCluster {
  readonly cluster: Cluster;
  /** One command line of a client; `namespace` is the context's. */
  run(binary: string, line: string): Promise<Result>;
  stop(): Promise<void>;
}

const withoutWorkloads = ["*", "-deployment-controller", "-replicaset-controller", "-job-controller"];

export async function startClientCluster(options: ClusterOptions = {}): Promise<ClientCluster> {
  const home = mkdtempSync(join(tmpdir(), "leme-clients-"));
  const cluster = await startCluster({ controllers: withoutWorkloads, ...options });
  const kubeconfig = join(home, "config");
  writeFileSync(kubeconfig, JSON.stringify(cluster.kubeconfig));
  const around: Surroundings = { kubeconfig, cwd: here, home, path: process.env["PATH"] ?? "" };
  return {
    cluster,
    run: (binary, line) => runBinary(binary, line, around),
    stop: async () => {
      await cluster.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const jobs: ResourceRef = { group: "batch", version: "v1", resource: "jobs", kind: "Job", namespaced: true };
const deployments: ResourceRef = {
  group: "apps",
  version: "v1",
  resource: "deployments",
  kind: "Deployment",
  namespaced: true,
};

interface Workload extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

const sometime = "2026-01-01T00:00:00Z";

const jobDone = (): object => ({
  startTime: sometime,
  completionTime: sometime,
  succeeded: 1,
  conditions: ["SuccessCriteriaMet", "Complete"].map((type) => ({
    type,
    status: "True",
    lastProbeTime: sometime,
    lastTransitionTime: sometime,
  })),
});

const rolledOut = ({ metadata, spec }: Workload): object => ({
  observedGeneration: metadata?.generation ?? 1,
  replicas: spec?.replicas ?? 1,
  updatedReplicas: spec?.replicas ?? 1,
  readyReplicas: spec?.replicas ?? 1,
  availableReplicas: spec?.replicas ?? 1,
  conditions: [
    ["Available", "MinimumReplicasAvailable"],
    ["Progressing", "NewReplicaSetAvailable"],
  ].map(([type, reason]) => ({
    type,
    status: "True",
    reason,
    lastTransitionTime: sometime,
    lastUpdateTime: sometime,
  })),
});

/** Until the returned function is called, every Job is done and every Deployment rolled out as soon as it is there. */
export function playWorkloads(client: Client): () => Promise<void> {
  const abort = new AbortController();
  const play = async (ref: ResourceRef, status: (object: Workload) => object): Promise<void> => {
    const { metadata } = await client.list(ref, {});
    const options = { resourceVersion: metadata?.resourceVersion ?? "", signal: abort.signal };
    const said = new Map<string, number>();
    for await (const batch of client.watch(ref, options)) {
      for (const { type, object } of batch) {
        const { namespace = "", name = "", uid = "", generation = 1 } = object?.metadata ?? {};
        if ((type !== "ADDED" && type !== "MODIFIED") || said.get(uid) === generation) continue;
        said.set(uid, generation);
        await client.patch(ref, namespace, name, "merge", { status: status(object) }, "status");
      }
    }
  };
  const done = Promise.all([play(jobs, jobDone), play(deployments, rolledOut)]);
  return async () => {
    abort.abort();
    await done;
  };
}
