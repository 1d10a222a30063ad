// Made by scripts/gen/generate.ts from facts.json: the messages of certificates.k8s.io/v1alpha1.

import type { ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface ClusterTrustBundle {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  spec: ClusterTrustBundleSpec;
}

export interface ClusterTrustBundleList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: ClusterTrustBundle[];
}

export interface ClusterTrustBundleSpec {
  signerName?: string;
  trustBundle: string;
}
