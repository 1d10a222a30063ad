// Made by scripts/gen/generate.ts from facts.json: the messages of coordination.k8s.io/v1alpha2.

import type { ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface LeaseCandidate {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  spec?: LeaseCandidateSpec;
}

export interface LeaseCandidateList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: LeaseCandidate[];
}

export interface LeaseCandidateSpec {
  leaseName: string;
  pingTime?: string;
  renewTime?: string;
  binaryVersion: string;
  emulationVersion?: string;
  strategy?: string;
}
