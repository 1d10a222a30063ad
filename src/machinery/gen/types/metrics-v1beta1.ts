// Made by scripts/gen/generate.ts from facts.json: the messages of metrics.k8s.io/v1beta1.

import type { ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface ContainerMetrics {
  name: string;
  usage: Record<string, string>;
}

export interface NodeMetrics {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  timestamp: string | null;
  window: string;
  usage: Record<string, string>;
}

export interface NodeMetricsList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: NodeMetrics[];
}

export interface PodMetrics {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  timestamp: string | null;
  window: string;
  containers: ContainerMetrics[];
}

export interface PodMetricsList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: PodMetrics[];
}
