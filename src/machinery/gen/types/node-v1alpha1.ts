// Made by scripts/gen/generate.ts from facts.json: the messages of node.k8s.io/v1alpha1.

import type { Toleration } from "./core-v1.ts";
import type { ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface Overhead {
  podFixed?: Record<string, string>;
}

export interface RuntimeClass {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  spec: RuntimeClassSpec;
}

export interface RuntimeClassList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: RuntimeClass[];
}

export interface RuntimeClassSpec {
  runtimeHandler: string;
  overhead?: Overhead;
  scheduling?: Scheduling;
}

export interface Scheduling {
  nodeSelector?: Record<string, string>;
  tolerations?: Toleration[];
}
