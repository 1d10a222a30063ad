// Made by scripts/gen/generate.ts from facts.json: the messages of authentication.k8s.io/v1alpha1.

import type { UserInfo } from "./authentication-v1.ts";
import type { ObjectMeta } from "./meta-v1.ts";

export interface SelfSubjectReview {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  status?: SelfSubjectReviewStatus;
}

export interface SelfSubjectReviewStatus {
  userInfo?: UserInfo;
}
