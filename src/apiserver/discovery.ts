// Discovery, classic and aggregated: which groups, versions and resources there are.

import type { ApiResponse } from "#machinery/api-request.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { apiVersionOf } from "#machinery/meta.ts";
import { createHash } from "node:crypto";
import { bytesAnswer, formFor, jsonAnswer, objectAnswer } from "./answer.ts";
import type { RequestContext } from "./context.ts";
import { parseAccept } from "./negotiate.ts";
import type { Registry } from "./registry.ts";

export interface Discovery {
  serve(path: string, context: RequestContext): Promise<ApiResponse | undefined>;
}

interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: readonly string[];
  shortNames?: readonly string[];
  categories?: readonly string[];
  storageVersionHash?: string;
}

const scaleKind = { group: "autoscaling", version: "v1", kind: "Scale" };

/** Every subresource of a kind with its verbs and the kind that it speaks. */
export function subresourcesOf(
  definition: ResourceDefinition,
): { name: string; verbs: readonly string[]; kind: { group: string; version: string; kind: string } }[] {
  const own = { group: definition.group, version: definition.version, kind: definition.kind };
  return [
    ...(definition.status === undefined
      ? []
      : [{ name: "status", verbs: ["get", "patch", "update"], kind: own }]),
    ...Object.keys(definition.parts).map((name) => ({ name, verbs: ["get", "patch", "update"], kind: own })),
    ...(definition.scale === undefined
      ? []
      : [{ name: "scale", verbs: ["get", "patch", "update"], kind: scaleKind }]),
    ...Object.entries(definition.subresources).map(([name, { verbs, kind }]) => ({ name, verbs, kind })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a kind that is on its way out still answers, as far as clients are told. */
const lastVerbs: ReadonlySet<string> = new Set(["delete", "deletecollection", "get", "list", "watch"]);

const verbsOf = ({ verbs, terminating }: ResourceDefinition): string[] =>
  verbs.filter((verb) => !terminating || lastVerbs.has(verb)).sort();

function storageHash({ storage, kind }: ResourceDefinition): string {
  return (
    createHash("sha256").update(`${storage.group}/${storage.version}/${kind}`).digest("base64").slice(0, 11) +
    "="
  );
}

function classicResources(definitions: readonly ResourceDefinition[]): ApiResource[] {
  return [...definitions]
    .sort((a, b) => (a.resource < b.resource ? -1 : 1))
    .flatMap((definition) => [
      {
        name: definition.resource,
        singularName: definition.singular,
        namespaced: definition.namespaced,
        kind: definition.kind,
        verbs: verbsOf(definition),
        ...(definition.shortNames.length === 0 ? {} : { shortNames: definition.shortNames }),
        ...(definition.categories.length === 0 ? {} : { categories: definition.categories }),
        storageVersionHash: storageHash(definition),
      },
      ...subresourcesOf(definition).map(({ name, verbs, kind }) => ({
        name: `${definition.resource}/${name}`,
        singularName: "",
        namespaced: definition.namespaced,
        ...(kind.group === definition.group && kind.version === definition.version
          ? {}
          : { group: kind.group, version: kind.version }),
        kind: kind.kind,
        verbs,
      })),
    ]);
}

function aggregatedGroup(registry: Registry, name: string, versions: readonly string[]): object {
  return {
    metadata: name === "" ? { creationTimestamp: null } : { name, creationTimestamp: null },
    versions: versions.map((version) => ({
      version,
      resources: registry.definitions
        .filter((one) => one.group === name && one.version === version)
        .sort((a, b) => (a.resource < b.resource ? -1 : 1))
        .map((definition) => ({
          resource: definition.resource,
          responseKind: { group: definition.group, version: definition.version, kind: definition.kind },
          scope: definition.namespaced ? "Namespaced" : "Cluster",
          singularResource: definition.singular,
          verbs: verbsOf(definition),
          ...(definition.shortNames.length === 0 ? {} : { shortNames: definition.shortNames }),
          ...(definition.categories.length === 0 ? {} : { categories: definition.categories }),
          ...(subresourcesOf(definition).length === 0
            ? {}
            : {
                subresources: subresourcesOf(definition).map(({ name: subresource, verbs, kind }) => ({
                  subresource,
                  responseKind: kind,
                  verbs,
                })),
              }),
        })),
      freshness: "Current",
    })),
  };
}

function groupOf(name: string, versions: readonly string[]): object {
  const all = versions.map((version) => ({ groupVersion: apiVersionOf({ group: name, version }), version }));
  return { name, versions: all, preferredVersion: all[0] };
}

/** The aggregated media type that the caller prefers, if it asks for one before plain JSON. */
function aggregatedType(context: RequestContext): string | undefined {
  for (const { type, parameters } of parseAccept(context.request.headers["accept"] ?? "")) {
    if (type !== "application/json") continue;
    if (parameters["as"] === undefined) return undefined;
    if (parameters["g"] !== "apidiscovery.k8s.io" || parameters["as"] !== "APIGroupDiscoveryList") continue;
    if (parameters["v"] === "v2" || parameters["v"] === "v2beta1") return parameters["v"];
  }
  return undefined;
}

export function createDiscovery(registry: Registry): Discovery {
  const namedGroups = (): Registry["groups"] => registry.groups.filter(({ name }) => name !== "");

  function aggregated(groups: Registry["groups"], version: string, context: RequestContext): ApiResponse {
    const body = Buffer.from(
      JSON.stringify({
        kind: "APIGroupDiscoveryList",
        apiVersion: `apidiscovery.k8s.io/${version}`,
        metadata: {},
        items: groups.map(({ name, versions }) => aggregatedGroup(registry, name, versions)),
      }),
    );
    const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
    const headers = { etag, vary: "Accept", "cache-control": "public" };
    if (context.request.headers["if-none-match"] === etag)
      return { status: 304, headers, body: { kind: "empty" } };
    return bytesAnswer(
      200,
      `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      [body],
      headers,
    );
  }

  return {
    serve(path, context) {
      const send = (object: object): Promise<ApiResponse> => plainAnswer(context, object);
      const answer = (): ApiResponse | Promise<ApiResponse> | undefined => {
        const parts = path.split("/").slice(1);
        if (path === "/api") {
          const version = aggregatedType(context);
          if (version !== undefined)
            return aggregated(
              registry.groups.filter(({ name }) => name === ""),
              version,
              context,
            );
          const host = context.request.headers["host"] ?? context.request.headers[":authority"] ?? "";
          return send({
            kind: "APIVersions",
            versions: ["v1"],
            serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: host }],
          });
        }
        if (path === "/apis") {
          const version = aggregatedType(context);
          if (version !== undefined) return aggregated(namedGroups(), version, context);
          return send({
            kind: "APIGroupList",
            apiVersion: "v1",
            groups: namedGroups().map(({ name, versions }) => groupOf(name, versions)),
          });
        }
        if (parts[0] === "api" && parts.length === 2) return resourceList(context, "", parts[1] as string);
        if (parts[0] !== "apis")
          return path === "/" || path === "" ? jsonAnswer(200, { paths: rootPaths(registry) }) : undefined;
        const group = namedGroups().find(({ name }) => name === parts[1]);
        if (group === undefined) return undefined;
        if (parts.length === 2)
          return send({
            kind: "APIGroup",
            apiVersion: "v1",
            ...groupOf(group.name, group.versions),
          });
        return parts.length === 3 ? resourceList(context, group.name, parts[2] as string) : undefined;
      };
      return Promise.resolve(answer());
    },
  };

  function resourceList(
    context: RequestContext,
    group: string,
    version: string,
  ): Promise<ApiResponse> | undefined {
    const definitions = registry.definitions.filter((one) => one.group === group && one.version === version);
    if (definitions.length === 0) return undefined;
    return plainAnswer(context, {
      kind: "APIResourceList",
      ...(group === "" ? {} : { apiVersion: "v1" }),
      groupVersion: apiVersionOf({ group, version }),
      resources: classicResources(definitions),
    });
  }
}

/** Classic discovery in the encoding that was asked for. In JSON the oldest of it names no version of its own. */
function plainAnswer(context: RequestContext, object: object): Promise<ApiResponse> {
  const form = formFor(context, { protobuf: true, views: false });
  return objectAnswer(200, form.encoding === "protobuf" ? { apiVersion: "v1", ...object } : object, form);
}

function rootPaths(registry: Registry): string[] {
  const groups = registry.groups.flatMap(({ name, versions }) =>
    name === ""
      ? ["/api", ...versions.map((version) => `/api/${version}`)]
      : [`/apis/${name}`, ...versions.map((version) => `/apis/${name}/${version}`)],
  );
  return [
    ...groups,
    "/apis",
    "/healthz",
    "/livez",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/readyz",
    "/version",
  ].sort();
}
