// Made by scripts/gen/generate.ts from facts.json: the messages of external.metrics.k8s.io/v1beta1.

import type { ListMeta } from "./meta-v1.ts";

export interface ExternalMetricValue {
  apiVersion?: string;
  kind?: string;
  metricName: string;
  metricLabels: Record<string, string>;
  timestamp: string | null;
  window?: number;
  value: string;
}

export interface ExternalMetricValueList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: ExternalMetricValue[];
}
