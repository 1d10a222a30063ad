// Made by scripts/gen/generate.ts from facts.json: the messages of scheduling.k8s.io/v1beta1.

import type { ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface PriorityClass {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  value?: number;
  globalDefault?: boolean;
  description?: string;
  preemptionPolicy?: string;
}

export interface PriorityClassList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: PriorityClass[];
}
