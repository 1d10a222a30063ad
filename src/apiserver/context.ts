// What every part of the server works with.

import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { ClusterSettings, ResourceDefinition } from "#machinery/define-resource.ts";
import type { ApiRequest, Caller } from "#machinery/api-request.ts";
import type { FieldError } from "#machinery/field-error.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Store } from "#store/store.ts";
import type { AdmissionPlugin } from "./admission/contract.ts";
import type { Authorizer } from "./auth/contract.ts";
import type { Caches } from "./caches.ts";
import type { Claims } from "./claims.ts";
import type { FieldValidation } from "./decode-body.ts";
import type { Leases } from "./leases.ts";
import type { Registry } from "./registry.ts";
import type { Review } from "./reviews.ts";
import type { RequestInfo } from "./request-info.ts";

/** Features that this release has, and that are off unless asked for. */
export const featureGates = ["CBORServingAndStorage"] as const;
export type FeatureGate = (typeof featureGates)[number];

/** CBOR is one of the encodings that are offered and read. */
export const servesCbor = ({ server }: { readonly server: ServerContext }): boolean =>
  server.features.has("CBORServingAndStorage");

export type MoreChecks = (next: KubeObject, old: KubeObject | undefined) => Promise<readonly FieldError[]>;

/** Objects of a namespace and of a name, "" for any. */
export type ComputedObjects = (namespace: string, name: string) => Promise<readonly KubeObject[]>;

export interface ServerContext {
  readonly store: Store;
  readonly caches: Caches;
  readonly claims: Claims;
  readonly registry: Registry;
  readonly admission: readonly AdmissionPlugin[];
  readonly authorizer: Authorizer;
  readonly settings: ClusterSettings;
  readonly leases: Leases;
  /** What is served beyond the defaults of this release. */
  readonly features: ReadonlySet<FeatureGate>;
  /** Resources that are computed when asked for instead of stored, by `group/resource`. */
  readonly computed: ReadonlyMap<string, ComputedObjects>;
  /** What else may be wrong with an object, where only code that is loaded for it can tell; by `group/resource`. */
  readonly checks: ReadonlyMap<string, MoreChecks>;
  /** Kinds that are questions: answered when they are created, and never stored; by `group/resource`. */
  readonly reviews: ReadonlyMap<string, Review>;
  /** How often a watch is told how far it is, though nothing came. */
  readonly bookmarkEveryMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** One request on its way through the pipeline. */
export interface RequestContext {
  readonly server: ServerContext;
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly caller: Caller;
  /** Adds a `Warning` header to the answer. */
  warn(message: string): void;
}

/** A request for a resource that is served. */
export interface ResourceContext extends RequestContext {
  readonly definition: ResourceDefinition;
}

/** The options that writes have in common, checked. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** The body may be CBOR. */
  readonly cbor: boolean;
}
