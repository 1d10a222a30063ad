// Nodes and pods for the tables of the scheduler's tests and for its benchmark: only what is told differs.

import type { Node, Pod, PodSpec } from "#machinery/gen/types/core-v1.ts";
import { podInfo, type PodInfo } from "./pod-info.ts";
import { Snapshot } from "./snapshot.ts";

export interface NodeShape {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly labels?: Record<string, string>;
  readonly taints?: { key: string; value?: string; effect: string }[];
  readonly unschedulable?: boolean;
  readonly images?: Record<string, number>;
  readonly more?: Record<string, string>;
}

export function sampleNode(name: string, shape: NodeShape = {}): Node {
  const { cpu = "4", memory = "8Gi", pods = "110", more = {} } = shape;
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...shape.labels } },
    spec: {
      ...(shape.taints === undefined ? {} : { taints: shape.taints }),
      ...(shape.unschedulable === true ? { unschedulable: true } : {}),
    },
    status: {
      allocatable: { cpu, memory, pods, ...more },
      images: Object.entries(shape.images ?? {}).map(([image, sizeBytes]) => ({ names: [image], sizeBytes })),
    },
  };
}

export interface PodSample extends Partial<PodSpec> {
  readonly name?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly more?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly namespace?: string;
  readonly hostPort?: number;
  /** Seconds since 1970. */
  readonly started?: number;
  readonly terminating?: boolean;
  readonly status?: NonNullable<Pod["status"]>;
}

let serial = 0;

export function samplePod(sample: PodSample = {}): PodInfo {
  const { cpu, memory, more = {}, labels = { app: "a" }, namespace = "default", hostPort, ...rest } = sample;
  const { name = `p${serial++}`, started = 0, terminating = false, status = {}, ...spec } = rest;
  const requests = {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...more,
  };
  const at = new Date(started * 1000).toISOString();
  return podInfo({
    metadata: {
      name,
      namespace,
      uid: `u-${name}`,
      labels,
      creationTimestamp: at,
      ...(terminating ? { deletionTimestamp: at } : {}),
    },
    spec: {
      containers: [
        {
          name: "c",
          image: "web:v1",
          resources: { requests },
          ...(hostPort === undefined ? {} : { ports: [{ containerPort: 1, hostPort }] }),
        },
      ],
      ...spec,
    },
    status,
  });
}

export function sampleCluster(
  nodes: readonly Node[],
  placed: readonly (readonly [PodInfo, string])[] = [],
): Snapshot {
  const snapshot = new Snapshot();
  for (const one of nodes) snapshot.setNode(one);
  for (const [pod, at] of placed) snapshot.setPod(pod, at);
  snapshot.check();
  return snapshot;
}
