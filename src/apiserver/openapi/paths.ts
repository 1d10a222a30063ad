// The paths of an OpenAPI document: which operations each resource answers, with their parameters and bodies. Pure.

import type { OpenApiStyle } from "#machinery/schema/openapi.ts";
import type { DocumentKind } from "./document.ts";
import { parametersOf, pathParameter } from "./parameters.ts";

export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

type RefOf = (kind: Gvk) => object | undefined;

const methods: Readonly<Record<string, string>> = {
  get: "get",
  list: "get",
  create: "post",
  update: "put",
  patch: "patch",
  delete: "delete",
  deletecollection: "delete",
};
/** As clients look for them in `x-kubernetes-action`. */
const actions: Readonly<Record<string, string>> = { create: "post", update: "put" };
/** The first word of an operation's id, which client generators make method names of. */
const idVerbs: Readonly<Record<string, string>> = {
  get: "read",
  update: "replace",
  deletecollection: "delete",
};
const verbTexts: Readonly<Record<string, string>> = {
  get: "Reads one object",
  list: "Lists or watches objects",
  create: "Creates an object",
  update: "Replaces an object",
  patch: "Changes parts of an object",
  delete: "Deletes an object",
  deletecollection: "Deletes the selected objects",
  connect: "Connects to an object",
};

const encodings = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const streams = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/apply-patch+yaml",
];
const strategicType = "application/strategic-merge-patch+json";

/** `rbac.authorization.k8s.io` → `rbacAuthorization`, `stable.example.com` → `comExampleStable` */
export function groupWord(group: string): string {
  if (group === "") return "core";
  const parts = group.endsWith(".k8s.io") ? group.slice(0, -".k8s.io".length).split(".") : [];
  const words = parts.length > 0 || !group.includes(".") ? parts : group.split(".").reverse();
  const named = words.length === 0 ? [group] : words;
  return named.map((word, at) => (at === 0 ? word : capital(word))).join("");
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

interface Place {
  readonly style: OpenApiStyle;
  readonly resource: DocumentKind;
  readonly refOf: RefOf;
  readonly subresource: string;
  /** Of all namespaces together. */
  readonly everywhere: boolean;
}

function operationId({ resource, subresource, everywhere }: Place, verb: string): string {
  const { group, version, kind, namespaced } = resource;
  const scope = namespaced && !everywhere ? "Namespaced" : "";
  const collection = verb === "deletecollection" ? "Collection" : "";
  const end = everywhere ? "ForAllNamespaces" : subresource.split("/").map(capital).join("");
  return `${idVerbs[verb] ?? verb}${capital(groupWord(group))}${capital(version)}${collection}${scope}${kind}${end}`;
}

/** Streams and proxies are no objects: their kind holds the options of the request. */
export const isOptions = ({ kind }: Gvk): boolean => kind.endsWith("Options");

function answers({ style, refOf }: Place, verb: string, kind: Gvk, connects: boolean): object {
  const schema = connects ? { type: "string" } : refOf(kind);
  const types = connects ? ["*/*"] : verb === "list" ? [...encodings, ...streams] : encodings;
  const answer = (description: string): object =>
    style === "v2"
      ? { description, ...(schema === undefined ? {} : { schema }) }
      : {
          description,
          content: Object.fromEntries(types.map((type) => [type, schema === undefined ? {} : { schema }])),
        };
  return {
    "200": answer("OK"),
    ...(["create", "update", "patch"].includes(verb) && !connects ? { "201": answer("Created") } : {}),
    ...(verb === "create" || verb === "delete" ? { "202": answer("Accepted") } : {}),
    "401": { description: "Unauthorized" },
  };
}

interface Body {
  readonly schema: object;
  readonly required: boolean;
  readonly types: readonly string[];
}

function bodyOf({ refOf, resource }: Place, verb: string, kind: Gvk, connects: boolean): Body | undefined {
  if (connects) return undefined;
  if (verb === "patch") {
    const schema = refOf({ group: "meta.k8s.io", version: "v1", kind: "Patch" }) ?? { type: "object" };
    // Strategic merge patches need what only built-in kinds say of their lists.
    const types = resource.schema === undefined ? [...patchTypes, strategicType] : patchTypes;
    return { schema, required: true, types };
  }
  if (verb === "delete" || verb === "deletecollection") {
    const schema = refOf({ group: "", version: "v1", kind: "DeleteOptions" });
    return schema === undefined ? undefined : { schema, required: false, types: ["*/*"] };
  }
  const schema = verb === "create" || verb === "update" ? refOf(kind) : undefined;
  return schema === undefined ? undefined : { schema, required: true, types: ["*/*"] };
}

const statusKind: Gvk = { group: "", version: "v1", kind: "Status" };

function operation(place: Place, verb: string, kind: Gvk, answerKind: Gvk): object {
  const { style, resource, subresource } = place;
  const connects = subresource !== "" && isOptions(kind);
  const removes = verb === "deletecollection" || verb === "delete";
  const body = bodyOf(place, verb, kind, connects);
  const parameters: object[] = connects ? [] : parametersOf(style, verb);
  if (style === "v2" && body !== undefined)
    parameters.push({
      name: "body",
      in: "body",
      ...(body.required ? { required: true } : {}),
      schema: body.schema,
    });
  const what = subresource === "" ? kind.kind : `${subresource} of ${resource.kind}`;
  const content = (schema: object): object =>
    Object.fromEntries((body?.types ?? []).map((type) => [type, { schema }]));
  return {
    description: `${verbTexts[connects ? "connect" : verb] ?? verb}: ${what}.`,
    operationId: operationId(place, connects ? `connect${capital(methods[verb] ?? verb)}` : verb),
    tags: [`${groupWord(resource.group)}_${resource.version}`],
    ...(style === "v2"
      ? {
          schemes: ["https"],
          consumes: body?.types ?? ["*/*"],
          produces: verb === "list" ? [...encodings, ...streams] : encodings,
        }
      : {}),
    parameters,
    ...(style === "v3" && body !== undefined
      ? { requestBody: { ...(body.required ? { required: true } : {}), content: content(body.schema) } }
      : {}),
    responses: answers(place, verb, removes ? statusKind : answerKind, connects),
    "x-kubernetes-action": connects ? "connect" : (actions[verb] ?? verb),
    "x-kubernetes-group-version-kind": { group: kind.group, version: kind.version, kind: kind.kind },
  };
}

/** The operations of some verbs, by HTTP method. */
const operations = (place: Place, verbs: readonly string[], kind: Gvk, listKind: Gvk): object =>
  Object.fromEntries(
    verbs
      .filter((verb) => methods[verb] !== undefined)
      .map((verb) => [
        methods[verb] as string,
        operation(place, verb, kind, verb === "list" ? listKind : kind),
      ]),
  );

function resourcePaths(resource: DocumentKind, style: OpenApiStyle, refOf: RefOf): [string, object][] {
  const { group, version, kind, listKind, namespaced, verbs } = resource;
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = namespaced
    ? `${base}/namespaces/{namespace}/${resource.resource}`
    : `${base}/${resource.resource}`;
  const own: Gvk = { group, version, kind };
  const list: Gvk = { group, version, kind: listKind };
  const namespace = namespaced ? [pathParameter(style, "namespace", "Namespace of the object.")] : [];
  const named = [pathParameter(style, "name", `Name of the ${kind}.`), ...namespace];
  const place: Place = { style, resource, refOf, subresource: "", everywhere: false };
  const served = (wanted: readonly string[]): string[] => wanted.filter((verb) => verbs.includes(verb));
  const paths: [string, object][] = [];
  const add = (path: string, parameters: readonly object[], item: object): void => {
    if (Object.keys(item).length === 0) return;
    paths.push([path, { ...item, ...(parameters.length > 0 ? { parameters } : {}) }]);
  };
  add(collection, namespace, operations(place, served(["list", "create", "deletecollection"]), own, list));
  add(
    `${collection}/{name}`,
    named,
    operations(place, served(["get", "update", "patch", "delete"]), own, own),
  );
  if (namespaced)
    add(
      `${base}/${resource.resource}`,
      [],
      operations({ ...place, everywhere: true }, served(["list"]), own, list),
    );
  for (const { name, verbs: subVerbs, kind: subKind } of resource.subresources)
    add(
      `${collection}/{name}/${name}`,
      named,
      operations({ ...place, subresource: name }, subVerbs, subKind, subKind),
    );
  return paths;
}

export function pathsOf(
  resources: readonly DocumentKind[],
  style: OpenApiStyle,
  refOf: RefOf,
): Record<string, object> {
  const paths = resources.flatMap((resource) => resourcePaths(resource, style, refOf));
  return Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
