// What users do to a simulated cluster, drawn from a seed: they create, scale, change, delete and disturb.

import type { Random } from "#base/random.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { DaemonSets, Deployments, Jobs, Pods, StatefulSets } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";

const namespace = "default";

const pick = <T>(random: Random, values: readonly T[]): T => values[random.integer(values.length)] as T;

function template(random: Random, labels: Record<string, string>, version: number): object {
  return {
    metadata: { labels },
    spec: {
      terminationGracePeriodSeconds: 1 + random.integer(5),
      containers: [
        {
          name: "c",
          image: `app:v${version}`,
          resources: { requests: { cpu: pick(random, ["50m", "200m"]), memory: "32Mi" } },
        },
      ],
    },
  };
}

/** One of the two must be more than nothing. */
function rollingUpdate(random: Random): object {
  const maxSurge = pick(random, [0, 1, "25%", "100%"]);
  return { maxSurge, maxUnavailable: pick(random, [maxSurge === 0 ? 1 : 0, "25%", "50%"]) };
}

interface Workload {
  readonly ref: ResourceRef;
  /** A new one. */
  readonly make: (random: Random, name: string) => object;
}

const jobPod = (random: Random): object => ({
  metadata: {
    annotations: {
      "hollow.leme.dev/run-seconds": String(random.integer(20)),
      "hollow.leme.dev/exit-code": pick(random, ["0", "0", "0", "1"]),
    },
  },
  spec: { restartPolicy: "Never", containers: [{ name: "c", image: "job:v1" }] },
});

const workloads: readonly Workload[] = [
  {
    ref: Deployments,
    make: (random, name) => ({
      replicas: random.integer(8),
      selector: { matchLabels: { app: name } },
      template: template(random, { app: name }, 1),
      strategy:
        random.integer(4) === 0
          ? { type: "Recreate" }
          : {
              type: "RollingUpdate",
              rollingUpdate: rollingUpdate(random),
            },
    }),
  },
  {
    ref: StatefulSets,
    make: (random, name) => ({
      replicas: random.integer(4),
      serviceName: name,
      podManagementPolicy: pick(random, ["OrderedReady", "Parallel"]),
      selector: { matchLabels: { app: name } },
      template: template(random, { app: name }, 1),
    }),
  },
  {
    ref: DaemonSets,
    make: (random, name) => ({
      selector: { matchLabels: { app: name } },
      template: template(random, { app: name }, 1),
      updateStrategy:
        random.integer(2) === 0
          ? { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
          : { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 + random.integer(2) } },
    }),
  },
  {
    ref: Jobs,
    make: (random) => ({
      completions: 1 + random.integer(5),
      parallelism: 1 + random.integer(3),
      backoffLimit: random.integer(4),
      ...(random.integer(3) === 0 ? { completionMode: "Indexed" } : {}),
      template: jobPod(random),
    }),
  },
];

/** A few of each kind; more would only be slower. */
const eachMax = 2;

export class Users {
  readonly #client: Client;
  readonly #random: Random;
  readonly #names = new Map<Workload, string[]>(workloads.map((workload) => [workload, []]));
  readonly #disturb: () => void;
  #serial = 0;

  /** `disturb` is called before pods go that no controller takes away. */
  constructor(client: Client, random: Random, disturb: () => void) {
    this.#client = client;
    this.#random = random;
    this.#disturb = disturb;
  }

  /** One thing that somebody does; what it was, for the record. */
  async act(): Promise<string> {
    const random = this.#random;
    const workload = pick(random, workloads);
    const names = this.#names.get(workload) ?? [];
    const what = random.integer(10);
    if (names.length === 0 || (what < 3 && names.length < eachMax)) return this.#create(workload, names);
    const name = pick(random, names);
    if (what < 6) return this.#change(workload, name);
    if (what < 8) return this.#deletePod();
    return this.#delete(workload, names, name);
  }

  async #create(workload: Workload, names: string[]): Promise<string> {
    const name = `${workload.ref.resource.slice(0, 4)}${this.#serial++}`;
    names.push(name);
    const spec = workload.make(this.#random, name);
    await this.#client.create(workload.ref, namespace, { metadata: { name, namespace }, spec } as KubeObject);
    return `create ${workload.ref.resource}/${name}`;
  }

  async #change({ ref }: Workload, name: string): Promise<string> {
    const random = this.#random;
    const scales = random.integer(2) === 0;
    const replicas = random.integer(8);
    const version = random.integer(4);
    if (ref === Jobs) return "nothing";
    const spec =
      scales && ref !== DaemonSets
        ? { replicas }
        : { template: { spec: { containers: [{ name: "c", image: `app:v${version}` }] } } };
    await this.#client.patch(ref, namespace, name, "strategic", { spec });
    return `change ${ref.resource}/${name} ${JSON.stringify(spec)}`;
  }

  async #deletePod(): Promise<string> {
    const { items } = await this.#client.list(Pods, { namespace });
    if (items.length === 0) return "nothing";
    const name = pick(this.#random, items).metadata?.name ?? "";
    this.#disturb();
    try {
      await this.#client.delete(Pods, namespace, name);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
    return `delete pods/${name}`;
  }

  async #delete({ ref }: Workload, names: string[], name: string): Promise<string> {
    names.splice(names.indexOf(name), 1);
    const propagationPolicy = pick(this.#random, ["Background", "Foreground"] as const);
    await this.#client.delete(ref, namespace, name, { propagationPolicy });
    return `delete ${ref.resource}/${name} ${propagationPolicy}`;
  }
}
