// What the planners know about one pod: what the runtime shows, what this kubelet remembers,
// and the actions that it can take. All of it is data.

import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export type ReadonlyPod = DeepReadonly<Pod>;
export type ReadonlyContainer = DeepReadonly<NonNullable<Pod["spec"]>["containers"][number]>;

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Empty for host-network pods and before the network is up. */
  readonly ips: readonly string[];
}

export interface ObservedContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  /** How many containers of this name came before: the restart count. */
  readonly attempt: number;
  readonly state: "created" | "running" | "exited" | "unknown";
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** As the spec named it when this container was made. */
  readonly image: string;
  /** What the runtime resolved it to. */
  readonly imageRef: string;
  /** containerHash() of the spec that it was made from. */
  readonly hash: string;
}

/** Newest first, both. */
export interface ObservedPod {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly ObservedContainer[];
}

export const nothingObserved: ObservedPod = { sandboxes: [], containers: [] };

/** Why a container is not running, as `state.waiting` says it. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** Restarts of one container: how long the last pause was, and when it was granted. */
export interface CrashBackoff {
  readonly delayMs: number;
  readonly grantedAtMs: number;
}

/** The end of a pod that this node decided (deadline, eviction), not its containers. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

/** What probes found out about one container. Absent: no result yet. */
export interface ProbeResults {
  readonly startup?: boolean;
  readonly readiness?: boolean;
  readonly liveness?: boolean;
}

/** What the kubelet remembers of a pod beyond what the runtime shows. Lost with the process; nothing depends on it for long. */
export interface PodMemory {
  readonly backoff: ReadonlyMap<string, CrashBackoff>;
  /** By container name: why the last attempt to start it failed. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** By container name: do not try to start it before this time. */
  readonly retryAtMs: ReadonlyMap<string, number>;
  /** Containers whose image is being pulled. */
  readonly pulling: ReadonlySet<string>;
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeResults>;
  /** By container id: the postStart hook. Absent: there is none, or it ran under an earlier kubelet. */
  readonly postStart: ReadonlyMap<string, "running" | "done" | "failed">;
  readonly failure: PodFailure | undefined;
  /** The pod's object is gone from the API. */
  readonly removed: boolean;
  /** Do not try to make a sandbox before this time. */
  readonly sandboxRetryAtMs: number;
}

export const emptyMemory: PodMemory = {
  backoff: new Map(),
  waiting: new Map(),
  retryAtMs: new Map(),
  pulling: new Set(),
  probes: new Map(),
  postStart: new Map(),
  failure: undefined,
  removed: false,
  sandboxRetryAtMs: 0,
};

export type ContainerKind = "init" | "sidecar" | "app" | "ephemeral";

export type PodAction =
  | { readonly type: "createSandbox"; readonly attempt: number }
  | { readonly type: "stopSandbox"; readonly id: string; readonly changed: boolean }
  | { readonly type: "removeSandbox"; readonly id: string }
  | {
      readonly type: "startContainer";
      readonly name: string;
      readonly kind: ContainerKind;
      readonly attempt: number;
      /** What the container's backoff becomes once it is started. */
      readonly backoff: CrashBackoff | undefined;
    }
  | {
      readonly type: "killContainer";
      readonly id: string;
      readonly name: string;
      readonly message: string;
      readonly graceSeconds: number;
    }
  | { readonly type: "removeContainer"; readonly id: string }
  /** Nothing of the pod is left in the runtime: release the rest and confirm its deletion. */
  | { readonly type: "finish" };

export interface PodPlan {
  readonly actions: readonly PodAction[];
  /** By container name: reasons that the plan itself gives for waiting. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** Plan again at this time, if nothing happens before. */
  readonly wakeAtMs: number | undefined;
  /** The pod has just been ended by this node. */
  readonly failure: PodFailure | undefined;
  /** All its containers have ended for good, or are being ended. */
  readonly terminating: boolean;
  /** Terminating, and no container is alive any more. */
  readonly terminated: boolean;
}
