// Made by scripts/gen/generate.ts from facts.json: the messages of custom.metrics.k8s.io/v1beta2.

import type { ObjectReference } from "./core-v1.ts";
import type { LabelSelector, ListMeta } from "./meta-v1.ts";

export interface MetricIdentifier {
  name: string;
  selector?: LabelSelector;
}

export interface MetricListOptions {
  apiVersion?: string;
  kind?: string;
  labelSelector?: string;
  metricLabelSelector?: string;
}

export interface MetricValue {
  apiVersion?: string;
  kind?: string;
  describedObject: ObjectReference;
  metric: MetricIdentifier;
  timestamp: string | null;
  windowSeconds?: number;
  value: string;
}

export interface MetricValueList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: MetricValue[];
}
