// A kind is data: everything that the generic API server needs to serve a resource is in one definition.
// Built-in kinds write one per file in src/resources; a CustomResourceDefinition compiles to the same.

import type { Caller } from "./api-request.ts";
import type { FieldError } from "./field-error.ts";
import type { GroupVersionKind, KubeObject } from "./meta.ts";
import { schemaFor, type StructSchema } from "./schema/schema.ts";

export type Verb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch";

export const allVerbs: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

/** A Table column. `priority` 0 shows always, 1 only with `-o wide`. `type`/`format` as in metav1.TableColumnDefinition. */
export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly description: string;
  readonly priority?: number;
  /** The cell of one row. `nowMs` is for ages. */
  readonly cell: (object: T, nowMs: number) => string | number | boolean | null;
}

/** What a strategy may know beyond the objects: time and randomness come in, so that it stays pure. */
export interface StrategyContext {
  readonly nowMs: number;
  /** Cluster settings that some kinds need, e.g. the service address ranges. */
  readonly settings: ClusterSettings;
  /** Who asks, where an object is created. */
  readonly caller?: Caller;
}

export interface ClusterSettings {
  readonly serviceClusterIpRanges: readonly string[];
  readonly serviceNodePortRange: { readonly from: number; readonly to: number };
}

/**
 * A value that at most one object in the cluster may hold at a time (a cluster IP, a node port).
 * The server writes claims in the object's own transaction: `pool/value` is the key that must be absent.
 */
export interface Claim {
  readonly pool: string;
  readonly value: string;
}

/** Looks at the claims as they are now, so that `allocate` can choose free values. */
export interface ClaimView {
  taken(pool: string, value: string): boolean;
  /** Uniform integer in [0, bound). */
  random(bound: number): number;
}

/** How writes to one subresource that is stored in the object (`status`) behave. */
export interface StatusStrategy<T extends KubeObject> {
  /** Takes from `next` only what this subresource may change; the rest stays as in `old`. Mutates `next`. */
  readonly prepareForUpdate?: (next: T, old: T, context: StrategyContext) => void;
  readonly validateUpdate?: (next: T, old: T) => FieldError[];
}

/** Where autoscaling/v1 Scale reads and writes. Paths are dotted JSON paths. */
export interface ScaleMapping {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  /** Where the object says nothing of its replicas, there is no Scale to read: no default is known. */
  readonly mustExist?: boolean;
  /** Gives `status.selector` of the Scale as a string. */
  readonly selector: (object: KubeObject) => string;
}

/**
 * How objects of one version become what is stored, and back. A kind that is served in two versions has one stored
 * form: the definition of the other version has this. What is stored may also be of an older schema of the same version.
 * Built-in kinds convert by pure functions (`converting`); only who asks somebody else (a webhook) answers later.
 * Metadata comes along; `apiVersion` and `kind` of the outcome are set by the server; managed fields are not there.
 */
export interface Conversion {
  fromStorage(stored: readonly KubeObject[]): readonly KubeObject[] | Promise<readonly KubeObject[]>;
  toStorage(object: KubeObject): KubeObject | Promise<KubeObject>;
}

/** A conversion by two pure functions. They get what they must not change, and may share it. */
export function converting<T extends KubeObject, S extends KubeObject>(functions: {
  readonly fromStorage: (stored: S) => T;
  readonly toStorage: (object: T) => S;
}): Conversion {
  return {
    fromStorage: (stored) => stored.map((one) => functions.fromStorage(one as S)),
    toStorage: (object) => functions.toStorage(object as T),
  };
}

/** What the header of a stored value says of its schema: built-in kinds have one, written as this. */
export const builtinEpoch = 1;

export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural, lower case: the path segment. */
  readonly resource: string;
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  /**
   * Stored under this group and resource, as this version; definitions of several versions of one resource share it.
   * Which of them discovery prefers: the one that comes first in the list of what is served.
   */
  readonly storage: {
    readonly group: string;
    readonly resource: string;
    readonly version: string;
    /** Written into the header of stored values; by default `builtinEpoch`. */
    readonly epoch?: number;
  };
  /** Values with this number in their header are objects of this version as it is now: their bytes pass through. */
  readonly epoch: number;
  /** For values of another epoch. Needed where `storage` names another version. */
  readonly conversion: Conversion | undefined;

  /** Why this is not a usable name (each a sentence), or nothing. */
  readonly validateName: (name: string, prefix: boolean) => string[];
  /** The schema of one object, for a kind that is not built in. */
  readonly schema: StructSchema | undefined;
  /** Fills in documented defaults. Mutates the draft. Runs on decode and on read of older epochs; idempotent. */
  readonly applyDefaults: (draft: T) => void;
  /** Clears what a creator may not set and sets what the server owns (status reset …). Mutates the draft. */
  readonly prepareForCreate: (draft: T, context: StrategyContext) => void;
  /** The same for update: keeps status and immutable server-owned fields from `old`. Mutates the draft. */
  readonly prepareForUpdate: (draft: T, old: T, context: StrategyContext) => void;
  /** All errors of a new object, metadata aside (the server validates metadata for every kind). */
  readonly validate: (object: T) => FieldError[];
  /** All errors of a change, metadata aside. Usually validate(next) plus immutability. */
  readonly validateUpdate: (next: T, old: T) => FieldError[];
  /** What raises `metadata.generation`: a change of `spec`; of all but metadata and what is the status's; or nothing. */
  readonly generation: "spec" | "content" | "none";
  /** Sentences for the `Warning` header about this object. */
  readonly warnings: (object: T, old: T | undefined) => string[];
  /**
   * Old spellings that are accepted with a warning and rewritten before strict decoding (e.g. `spec.publicIPs`).
   * Gets the raw parsed JSON, may change it, returns the warnings.
   */
  readonly rewriteLegacy: ((raw: Record<string, unknown>) => string[]) | undefined;

  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>;
  readonly columns: readonly Column<T>[];

  readonly status: StatusStrategy<T> | undefined;
  /**
   * Further parts of the stored object that have an endpoint of their own, by its name: written like a status, by a
   * strategy that takes from the new object only what that endpoint may change.
   */
  readonly parts: Readonly<Record<string, Required<StatusStrategy<T>>>>;
  /**
   * Fields that a write to the object ("") or to a subresource never changes, as dotted paths: nobody comes to own
   * them by such a write. By default the object keeps its status, and the status keeps the spec.
   */
  readonly resetFields: Readonly<Record<string, readonly string[]>>;
  readonly scale: ScaleMapping | undefined;
  /** Further subresources by name with their verbs and the kind they speak; apiserver/subresources serves them. */
  readonly subresources: Readonly<
    Record<
      string,
      { readonly verbs: readonly string[]; readonly kind: { group: string; version: string; kind: string } }
    >
  >;

  /**
   * Seconds of graceful deletion for this object: 0 deletes now, undefined = the kind has none.
   * `requested` is DeleteOptions.gracePeriodSeconds.
   */
  readonly gracePeriod: ((object: T, requested: number | undefined) => number) | undefined;
  /** Finalizers that stand outside metadata (Namespace has them in its spec): while there are any, the object stays. */
  readonly specFinalizers: ((object: T) => readonly string[]) | undefined;
  /** What becomes of an object that is marked for deletion but stays for a while. Mutates the draft. */
  readonly prepareForDelete: ((draft: T, context: StrategyContext) => void) | undefined;
  /** Default propagation when DeleteOptions says nothing. */
  readonly defaultPropagation: "Background" | "Orphan";
  /** Told to who deletes one and leaves it to the default what becomes of its dependents. */
  readonly deletionWarning: string | undefined;
  /** A deletion is answered with the object as it last was, instead of a Status. */
  readonly returnsDeleted: boolean;
  /** Unique values that this object holds. */
  readonly claims: ((object: T) => Claim[]) | undefined;
  /** Chooses free values for what the object leaves open. Mutates the draft; returns errors when none is free or allowed. */
  readonly allocate:
    ((draft: T, old: T | undefined, view: ClaimView, context: StrategyContext) => FieldError[]) | undefined;
  /** An update of an absent object creates it (PUT as create). */
  readonly allowCreateOnUpdate: boolean;
  /** An update must name a resourceVersion. */
  readonly requireResourceVersion: boolean;
  /**
   * The schema (OpenAPI v3) of one object, for a kind that is not built in: built-in kinds have theirs from the fact
   * table. The fields that every object has are put in for it, and what OpenAPI v2 cannot say is left out there.
   */
  readonly openApiSchema: (() => Record<string, unknown>) | undefined;
  /** The kind is on its way out: nothing new comes, what is there may still be read, let go and deleted. */
  readonly terminating: boolean;
  /** Told to everyone who uses this version: `v1 ComponentStatus is deprecated in v1.19+`. */
  readonly deprecation: string | undefined;
  /** Objects vanish this long after their last write (events). */
  readonly timeToLiveSeconds: number | undefined;
}

/** The schema of a kind, built in or not. */
export const schemaOf = (
  kind: GroupVersionKind & { readonly schema?: StructSchema | undefined },
): StructSchema | undefined => kind.schema ?? schemaFor(kind.group, kind.version, kind.kind);

type Given<T extends KubeObject> = Partial<ResourceDefinition<T>> &
  Pick<
    ResourceDefinition<T>,
    "group" | "version" | "kind" | "resource" | "namespaced" | "validateName" | "columns"
  >;

/** No stored value has it. */
const otherEpoch = 0;

/** Completes a definition with what most kinds share. */
export function defineResource<T extends KubeObject>(given: Given<T>): ResourceDefinition<T> {
  const validate = given.validate ?? (() => []);
  const { storage = given } = given;
  const isStored = storage.group === given.group && storage.version === given.version;
  return {
    singular: given.kind.toLowerCase(),
    listKind: `${given.kind}List`,
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    storage: { group: given.group, resource: given.resource, version: given.version },
    epoch: isStored ? builtinEpoch : otherEpoch,
    conversion: undefined,
    schema: undefined,
    applyDefaults: () => undefined,
    prepareForCreate: () => undefined,
    prepareForUpdate: () => undefined,
    validateUpdate: (next) => validate(next),
    generation: "none",
    warnings: () => [],
    rewriteLegacy: undefined,
    selectableFields: {},
    status: undefined,
    parts: {},
    resetFields: given.status === undefined ? {} : { "": ["status"], status: ["spec"] },
    scale: undefined,
    subresources: {},
    gracePeriod: undefined,
    specFinalizers: undefined,
    prepareForDelete: undefined,
    defaultPropagation: "Background",
    deletionWarning: undefined,
    returnsDeleted: false,
    claims: undefined,
    allocate: undefined,
    allowCreateOnUpdate: false,
    requireResourceVersion: false,
    openApiSchema: undefined,
    terminating: false,
    deprecation: undefined,
    timeToLiveSeconds: undefined,
    ...given,
    validate,
  };
}
