// Keeps spec.replicas pods alive.
// Watches: replicationcontrollers, pods (by owner; orphans by selector).  Owns: pods.
// Writes: pods (create, delete, owner references), replicationcontrollers/status.

import { ReplicationControllers } from "#client/refs.ts";
import type { ReplicationController } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { selectorFromMap } from "#machinery/selectors.ts";
import { defineController } from "#reconcile/controller.ts";
import { replicaLoop, type ReplicaKind } from "./replicas.ts";

export const replicationControllerKind: ReplicaKind<DeepReadonly<ReplicationController>> = {
  ref: ReplicationControllers,
  selectorOf: ({ spec }) => selectorFromMap(spec?.selector),
  countsTerminating: false,
};

export const replicationController = defineController({
  name: "replication-controller",
  ...replicaLoop<ReplicationController>(replicationControllerKind),
});
