// Made by scripts/gen/generate.ts from facts.json: the messages of imagepolicy.k8s.io/v1alpha1.

import type { ObjectMeta } from "./meta-v1.ts";

export interface ImageReview {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  spec?: ImageReviewSpec;
  status?: ImageReviewStatus;
}

export interface ImageReviewContainerSpec {
  image?: string;
}

export interface ImageReviewSpec {
  containers?: ImageReviewContainerSpec[];
  annotations?: Record<string, string>;
  namespace?: string;
}

export interface ImageReviewStatus {
  allowed?: boolean;
  reason?: string;
  auditAnnotations?: Record<string, string>;
}
