// The variables that expressions of admission see: `object`, `oldObject`, `request`, `params`, `namespaceObject`,
// `authorizer`. Objects are read as they are; what a request is has a type.
import {
  boolType,
  dynType,
  field,
  intType,
  listOf,
  mapOf,
  objectType,
  stringType,
  timestampType,
  type CelType,
  type FieldDecl,
} from "./cel-type.ts";
import { fromData } from "./data.ts";
import type { Variables } from "./expression.ts";
import {
  authorizerType,
  authorizerValue,
  resourceCheckType,
  resourceCheckValue,
  type Authorize,
} from "./library/authorizer.ts";
import type { Value } from "./value.ts";

const texts = (...names: readonly string[]): FieldDecl[] => names.map((name) => field(name, stringType));
const labels = mapOf(stringType, stringType);

const kindType = objectType("kubernetes.GroupVersionKind", texts("group", "version", "kind"));
const resourceType = objectType("kubernetes.GroupVersionResource", texts("group", "version", "resource"));
const userType = objectType("kubernetes.UserInfo", [
  ...texts("username", "uid"),
  field("groups", listOf(stringType)),
  field("extra", mapOf(stringType, listOf(stringType))),
]);
const requestType = objectType("kubernetes.AdmissionRequest", [
  field("kind", kindType),
  field("resource", resourceType),
  field("subResource", stringType),
  field("requestKind", kindType),
  field("requestResource", resourceType),
  field("requestSubResource", stringType),
  ...texts("name", "namespace", "operation"),
  field("userInfo", userType),
  field("dryRun", boolType),
  field("options", dynType),
]);
const namespaceMetaType = objectType("kubernetes.NamespaceMetadata", [
  ...texts("name", "generateName", "namespace", "resourceVersion"),
  { name: "UID", property: "uid", type: stringType },
  field("labels", labels),
  field("annotations", labels),
  field("generation", intType),
  field("creationTimestamp", timestampType),
  field("deletionTimestamp", timestampType),
  field("deletionGracePeriodSeconds", intType),
  field("finalizers", listOf(stringType)),
]);
const namespaceType = objectType("kubernetes.Namespace", [
  field("metadata", namespaceMetaType),
  field("spec", objectType("kubernetes.NamespaceSpec", [field("finalizers", listOf(stringType))])),
  field("status", objectType("kubernetes.NamespaceStatus", texts("phase"))),
]);

/** Types of what is otherwise read as it comes. */
export interface KnownTypes {
  readonly object?: CelType | undefined;
  readonly params?: CelType | undefined;
}

/** Declared for an expression of admission; `params` where the policy has a kind of them. */
export function admissionVariables(
  hasParams: boolean,
  composed?: CelType,
  known: KnownTypes = {},
): Variables {
  const variables: [string, CelType][] = [
    ["object", known.object ?? dynType],
    ["oldObject", known.object ?? dynType],
    ["request", requestType],
    ["namespaceObject", namespaceType],
    ["authorizer", authorizerType],
    ["authorizer.requestResource", resourceCheckType],
  ];
  if (hasParams) variables.push(["params", known.params ?? dynType]);
  if (composed !== undefined) variables.push(["variables", composed]);
  return new Map(variables);
}

interface GroupVersionKindFacts {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}
interface ResourceFacts {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** What is asked of the server, as `request` shows it. */
export interface RequestFacts {
  readonly kind: GroupVersionKindFacts;
  readonly resource: ResourceFacts;
  readonly subResource: string;
  readonly requestKind: GroupVersionKindFacts;
  readonly requestResource: ResourceFacts;
  readonly requestSubResource: string;
  readonly name: string;
  readonly namespace: string;
  readonly operation: string;
  readonly userInfo: {
    readonly username: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly dryRun: boolean;
  readonly options: object;
}

/** One request of admission. Undefined objects are null in expressions. */
export interface AdmissionFacts {
  readonly object: object | undefined;
  readonly oldObject: object | undefined;
  readonly params: object | undefined;
  readonly namespaceObject: object | undefined;
  readonly request: RequestFacts;
  readonly authorize: Authorize;
}

export function admissionValue(facts: AdmissionFacts, name: string): Value | undefined {
  const { request } = facts;
  switch (name) {
    case "object":
      return fromData(facts.object, dynType);
    case "oldObject":
      return fromData(facts.oldObject, dynType);
    case "params":
      return fromData(facts.params, dynType);
    case "request":
      return fromData(request, requestType);
    case "namespaceObject":
      return fromData(facts.namespaceObject, namespaceType);
    case "authorizer":
      return authorizerValue(facts.authorize);
    case "authorizer.requestResource":
      return resourceCheckValue(facts.authorize, {
        group: request.resource.group,
        resource: request.resource.resource,
        subresource: request.subResource,
        namespace: request.namespace,
        name: request.name,
      });
    default:
      return undefined;
  }
}
