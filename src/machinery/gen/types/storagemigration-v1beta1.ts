// Made by scripts/gen/generate.ts from facts.json: the messages of storagemigration.k8s.io/v1beta1.

import type { Condition, GroupResource, ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface StorageVersionMigration {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  spec?: StorageVersionMigrationSpec;
  status?: StorageVersionMigrationStatus;
}

export interface StorageVersionMigrationList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: StorageVersionMigration[];
}

export interface StorageVersionMigrationSpec {
  resource: GroupResource;
}

export interface StorageVersionMigrationStatus {
  conditions?: Condition[];
  resourceVersion?: string;
}
