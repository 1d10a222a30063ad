// What is known of an object whose pods do not run: gathered once, explained by pure functions.

import type { Event, Node, PersistentVolumeClaim, Pod, Service } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";

/** An object with the parts that explanations read of any kind. */
export interface Subject extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly suspend?: boolean;
    readonly parallelism?: number;
  };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly succeeded?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

export interface Evidence {
  /** What was asked about. */
  readonly subject: Subject;
  /** Its owners, the nearest first, and for a workload what it owns besides pods. */
  readonly related: readonly Subject[];
  /** Its pods; for a pod itself. */
  readonly pods: readonly Pod[];
  /** About any of these. */
  readonly events: readonly Event[];
  readonly nodes: readonly Node[];
  readonly claims: readonly PersistentVolumeClaim[];
  /** For a Service: it, and the pods of its namespace. */
  readonly service?: { readonly object: Service; readonly candidates: readonly Pod[] };
}

/** Why, and what to do about it. */
export interface Finding {
  /** `pod/web-1` */
  readonly about: string;
  readonly cause: string;
  /** More of it, a line each. */
  readonly details: readonly string[];
  readonly next: string;
}
