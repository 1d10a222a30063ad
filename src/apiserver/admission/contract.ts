// Admission: what may change or refuse a write after it is authorized and decoded.

import type { Caller } from "#machinery/api-request.ts";
import type { StructSchema } from "#machinery/schema/schema.ts";
import type { GroupVersionKind, GroupVersionResource, KubeObject } from "#machinery/meta.ts";

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly caller: Caller;
  readonly dryRun: boolean;
  /** The draft (mutable in the mutating phase); undefined for DELETE. */
  readonly object: KubeObject | undefined;
  /** The stored object; undefined for CREATE. */
  readonly old: KubeObject | undefined;
  /** Of the object. */
  readonly schema: StructSchema | undefined;
  /** Mutating phase: the draft becomes this object. Throws where it is none of the kind. */
  replace(object: unknown): Promise<void> | void;
  /** What was really asked for, where this is the request in another version. */
  readonly asked?: { readonly resource: GroupVersionResource; readonly kind: GroupVersionKind };
  /** The other versions of the resource, for who knows only one of them. */
  equivalents(): readonly EquivalentVersion[];
  /** Adds a sentence to the `Warning` headers of the answer. */
  warn(message: string): void;
}

/** A resource in another version than the one that was asked for. */
export interface EquivalentVersion {
  readonly resource: GroupVersionResource;
  /** The request as it is now, in this version. */
  view(): Promise<AdmissionRequest>;
}

/** Reads of the server's own objects, from its caches: what plug-ins decide by. Frozen; do not change. */
export interface AdmissionReads {
  get<T extends KubeObject>(
    group: string,
    resource: string,
    namespace: string,
    name: string,
  ): Promise<T | undefined>;
  /** Whether there is any of a resource: asked on every write, and nearly always answered with no. */
  has(group: string, resource: string): boolean;
  /** All of a resource: in one namespace, or everywhere where none is named. Nothing where it is not served. */
  list<T extends KubeObject>(group: string, resource: string, namespace: string): Promise<readonly T[]>;
  /** Stores changed objects together, if each is still as it was listed; says whether they were. */
  replaceAll(group: string, resource: string, objects: readonly KubeObject[]): Promise<boolean>;
  /** The resource of a kind that is served. */
  resourceOf(
    apiVersion: string,
    kind: string,
  ): { readonly group: string; readonly resource: string; readonly namespaced: boolean } | undefined;
  /** Where a Service is reached from here. Throws where it is not. */
  addressOf(namespace: string, name: string, port: number): { readonly host: string; readonly port: number };
}

/** A plug-in refuses by throwing an ApiError (usually 403). */
export interface AdmissionPlugin {
  /** The name in --enable-admission-plugins. */
  readonly name: string;
  /** `group/resource` of what it looks at, where that is not everything: of all else it is not asked. */
  readonly resources?: ReadonlySet<string>;
  /** Whether it is asked about connections (exec, attach, portforward, proxy), too. */
  readonly connects?: boolean;
  mutate?(request: AdmissionRequest): Promise<void> | void;
  validate?(request: AdmissionRequest): Promise<void> | void;
}
