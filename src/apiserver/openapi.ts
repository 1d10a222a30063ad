// OpenAPI documents of what is served: built when asked for, and let go again when nobody asks for a while.

import { createHash } from "node:crypto";
import type { ApiResponse } from "#machinery/api-request.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { messageRefFor } from "#machinery/schema/schema.ts";
import { bytesAnswer, jsonAnswer } from "./answer.ts";
import type { RequestContext } from "./context.ts";
import { subresourcesOf } from "./discovery.ts";
import type { Registry } from "./registry.ts";

export interface OpenApi {
  serve(path: string, context: RequestContext): Promise<ApiResponse | undefined>;
}

const keepMs = 60_000;
/** Asked for with an `@` by older clients too, which is no letter of a media type: the answer never has it. */
const v2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const v2ProtobufAsked = /openapi\.spec\.v2[.@]v1\.0\+protobuf/;

type Style = "v2" | "v3";

const verbMethods: Readonly<Record<string, string>> = {
  get: "get",
  list: "get",
  create: "post",
  update: "put",
  patch: "patch",
  delete: "delete",
  deletecollection: "delete",
};

function queryParameter(
  style: Style,
  name: string,
  type: "string" | "boolean" | "integer",
  description: string,
): object {
  return style === "v2"
    ? { uniqueItems: true, type, description, name, in: "query" }
    : { name, in: "query", description, schema: { type, uniqueItems: true } };
}

function parametersOf(style: Style, verb: string): object[] {
  const one = (name: string, type: "string" | "boolean" | "integer", description: string): object =>
    queryParameter(style, name, type, description);
  const pretty = one("pretty", "string", "Accepted for compatibility; answers are compact.");
  const dryRun = one("dryRun", "string", "All: check everything and store nothing.");
  const manager = one("fieldManager", "string", "Name of the actor that makes this change.");
  const validation = one(
    "fieldValidation",
    "string",
    "Ignore, Warn or Strict: what happens to unknown and duplicate fields.",
  );
  const selectors = [
    one("labelSelector", "string", "Only objects whose labels match."),
    one("fieldSelector", "string", "Only objects whose fields match."),
    one("limit", "integer", "The most objects in one answer."),
    one("continue", "string", "Where the answer before ended."),
    one("resourceVersion", "string", "Read at or after this version."),
    one("resourceVersionMatch", "string", "How resourceVersion is meant."),
    one("sendInitialEvents", "boolean", "Begin a watch with the present objects."),
    one("timeoutSeconds", "integer", "End after this long."),
    one("watch", "boolean", "Stream changes."),
    one("allowWatchBookmarks", "boolean", "Send bookmarks."),
  ];
  switch (verb) {
    case "list":
      return [pretty, ...selectors];
    case "create":
    case "update":
      return [pretty, dryRun, manager, validation];
    case "patch":
      return [
        pretty,
        dryRun,
        manager,
        validation,
        one("force", "boolean", "Take over fields of others (apply only)."),
      ];
    case "delete":
    case "deletecollection":
      return [
        pretty,
        dryRun,
        one("gracePeriodSeconds", "integer", "Seconds until the object is removed."),
        one("propagationPolicy", "string", "Orphan, Background or Foreground."),
        one("orphanDependents", "boolean", "Replaced by propagationPolicy."),
      ];
    default:
      return [pretty];
  }
}

interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

type RefOf = (kind: Gvk) => object | undefined;

function operation(style: Style, verb: string, kind: Gvk, refOf: RefOf, listKind: Gvk): object {
  const action = { create: "post", update: "put" }[verb] ?? verb;
  const schema = refOf(verb === "list" ? listKind : kind);
  const media = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
  const answer =
    style === "v2"
      ? { description: "OK", ...(schema === undefined ? {} : { schema }) }
      : {
          description: "OK",
          content: Object.fromEntries(media.map((type) => [type, schema === undefined ? {} : { schema }])),
        };
  const body = verb === "create" || verb === "update" ? schema : undefined;
  const patchTypes = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
  ];
  return {
    operationId: `${verb}${kind.group.split(".")[0] ?? ""}${kind.version}${kind.kind}`,
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group: kind.group, version: kind.version, kind: kind.kind },
    ...(style === "v2" ? { consumes: verb === "patch" ? patchTypes : ["*/*"], produces: media } : {}),
    parameters: [
      ...parametersOf(style, verb),
      ...(style === "v2" && body !== undefined
        ? [{ name: "body", in: "body", required: true, schema: body }]
        : []),
    ],
    ...(style === "v3" && body !== undefined
      ? { requestBody: { required: true, content: { "*/*": { schema: body } } } }
      : {}),
    ...(style === "v3" && verb === "patch"
      ? {
          requestBody: {
            required: true,
            content: Object.fromEntries(patchTypes.map((type) => [type, { schema: { type: "object" } }])),
          },
        }
      : {}),
    responses: {
      "200": answer,
      ...(verb === "create" ? { "201": answer } : {}),
      "401": { description: "Unauthorized" },
    },
  };
}

function pathParameter(style: Style, name: string, description: string): object {
  return style === "v2"
    ? { uniqueItems: true, type: "string", description, name, in: "path", required: true }
    : { name, in: "path", description, required: true, schema: { type: "string", uniqueItems: true } };
}

function pathsOf(
  definitions: readonly ResourceDefinition[],
  style: Style,
  refOf: RefOf,
): Record<string, object> {
  const paths: Record<string, object> = {};
  const nameParameter = pathParameter(style, "name", "Name of the object.");
  const namespaceParameter = pathParameter(style, "namespace", "Namespace of the object.");
  for (const definition of definitions) {
    const { group, version, kind, listKind, resource, namespaced } = definition;
    const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    const collection = namespaced ? `${base}/namespaces/{namespace}/${resource}` : `${base}/${resource}`;
    const gvk = { group, version, kind };
    const list = { group, version, kind: listKind };
    const place = namespaced ? [namespaceParameter] : [];
    const operations = (verbs: readonly string[]): object =>
      Object.fromEntries(
        verbs
          .filter((verb) => (definition.verbs as readonly string[]).includes(verb))
          .map((verb) => [verbMethods[verb], operation(style, verb, gvk, refOf, list)]),
      );
    paths[collection] = { parameters: place, ...operations(["list", "create", "deletecollection"]) };
    paths[`${collection}/{name}`] = {
      parameters: [nameParameter, ...place],
      ...operations(["get", "update", "patch", "delete"]),
    };
    if (namespaced) paths[`${base}/${resource}`] = { ...operations(["list"]) };
    for (const { name, verbs, kind: subKind } of subresourcesOf(definition)) {
      const served = verbs.filter((verb) => verbMethods[verb] !== undefined);
      const methods = served.map((verb) => [
        verbMethods[verb],
        operation(style, verb, subKind, refOf, subKind),
      ]);
      paths[`${collection}/{name}/${name}`] = {
        parameters: [nameParameter, ...place],
        ...Object.fromEntries(methods),
      };
    }
  }
  return paths;
}

const info = { title: "Kubernetes", version: "v1.36.0" };

export function createOpenApi(
  registry: Registry,
  clock: { after(ms: number, fn: () => void): unknown },
): OpenApi {
  const documents = new Map<string, Promise<Buffer>>();

  /** Documents are large and rarely read: kept for a minute, then made again. */
  function cached(name: string, make: () => Promise<Buffer>): Promise<Buffer> {
    let document = documents.get(name);
    if (document === undefined) {
      document = make();
      documents.set(name, document);
      document.catch(() => documents.delete(name));
      clock.after(keepMs, () => documents.delete(name));
    }
    return document;
  }

  async function build(definitions: readonly ResourceDefinition[], style: Style): Promise<object> {
    const { openApiRef, openApiSchemas } = await import("#machinery/schema/openapi.ts");
    const kinds = definitions.flatMap((one) => [
      one,
      { ...one, kind: one.listKind },
      ...subresourcesOf(one).map(({ kind }) => kind),
    ]);
    const refs = kinds.flatMap(({ group, version, kind }) => messageRefFor(group, version, kind) ?? []);
    const everywhere = ["meta/v1.DeleteOptions", "meta/v1.Status", "meta/v1.WatchEvent"];
    const schemas = openApiSchemas([...new Set([...refs, ...everywhere])], style);
    const paths = pathsOf(definitions, style, (kind) => openApiRef(kind, style));
    return style === "v2"
      ? { swagger: "2.0", info, paths, definitions: schemas }
      : { openapi: "3.0.0", info, paths, components: { schemas } };
  }

  const v3Path = (group: string, version: string): string =>
    group === "" ? `api/${version}` : `apis/${group}/${version}`;
  const v3Document = (group: string, version: string): Promise<Buffer> =>
    cached(v3Path(group, version), async () => {
      const definitions = registry.definitions.filter(
        (one) => one.group === group && one.version === version,
      );
      return Buffer.from(JSON.stringify(await build(definitions, "v3")));
    });

  /** Changes with what is served; cheap, so that the index needs no documents. */
  const hash = createHash("sha256")
    .update(
      JSON.stringify(registry.definitions.map(({ group, version, resource }) => [group, version, resource])),
    )
    .digest("hex")
    .toUpperCase();

  function serveDocument(context: RequestContext, type: string, body: Buffer): ApiResponse {
    const etag = `"${createHash("sha256").update(body).digest("hex").toUpperCase()}"`;
    const headers = { etag, vary: "Accept-Encoding, Accept" };
    if (context.request.headers["if-none-match"] === etag)
      return { status: 304, headers, body: { kind: "empty" } };
    return bytesAnswer(200, type, [body], headers);
  }

  return {
    async serve(path, context) {
      if (path === "/openapi/v2") {
        const json = await cached("v2", async () =>
          Buffer.from(JSON.stringify(await build(registry.definitions, "v2"))),
        );
        if (!v2ProtobufAsked.test(context.request.headers["accept"] ?? ""))
          return serveDocument(context, "application/json", json);
        const { encodeOpenApiV2 } = await import("./openapi-protobuf.ts");
        return serveDocument(
          context,
          v2Protobuf,
          await cached("v2 protobuf", () =>
            Promise.resolve(encodeOpenApiV2(JSON.parse(json.toString()) as object)),
          ),
        );
      }
      if (path === "/openapi/v3") {
        const paths = registry.groups.flatMap(({ name, versions }) =>
          versions.map((version) => v3Path(name, version)),
        );
        return jsonAnswer(200, {
          paths: Object.fromEntries(
            paths.map((one) => [one, { serverRelativeURL: `/openapi/v3/${one}?hash=${hash}` }]),
          ),
        });
      }
      const match = /^\/openapi\/v3\/(?:api\/(\w+)|apis\/([\w.-]+)\/(\w+))$/.exec(path);
      if (match === null) return undefined;
      const group = match[2] ?? "";
      const version = (match[1] ?? match[3]) as string;
      if (!registry.definitions.some((one) => one.group === group && one.version === version))
        return undefined;
      return serveDocument(context, "application/json", await v3Document(group, version));
    },
  };
}
