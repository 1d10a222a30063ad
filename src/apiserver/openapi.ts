// OpenAPI documents of what is served: built when asked for, and let go again when nobody asks for a while.

import { createHash } from "node:crypto";
import type { ApiResponse } from "#machinery/api-request.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { notAcceptable } from "#machinery/status.ts";
import { bytesAnswer, jsonAnswer } from "./answer.ts";
import type { RequestContext } from "./context.ts";
import { subresourcesOf } from "./discovery.ts";
import { parseAccept } from "./negotiate.ts";
import { createDocumentBuilder } from "./openapi/builder.ts";
import { documentsEpoch, type DocumentKind } from "./openapi/document.ts";
import type { Registry } from "./registry.ts";

export interface OpenApi {
  serve(path: string, context: RequestContext): Promise<ApiResponse | undefined>;
  stop(): void;
}

/** Documents are large and rarely read: kept for this long, then made again. */
const keepMs = 60_000;
/** Asked for with an `@` by older clients too, which is no letter of a media type: the answer never has it. */
const v2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const v2ProtobufAsked = /openapi\.spec\.v2[.@]v1\.0\+protobuf/;
const yearSeconds = 365 * 24 * 3600;

interface Document {
  readonly body: Buffer;
  readonly etag: string;
}

const digest = (content: Buffer | string): string =>
  createHash("sha512").update(content).digest("hex").toUpperCase();

/** A definition without its functions. */
function documentKind(definition: ResourceDefinition): DocumentKind {
  const { group, version, kind, listKind, resource, namespaced, verbs } = definition;
  const subresources = subresourcesOf(definition);
  const schema = definition.openApiSchema?.();
  return { group, version, kind, listKind, resource, namespaced, verbs, subresources, schema };
}

const hashes = new WeakMap<ResourceDefinition, string>();

/** Changes with what a definition brings into a document; cheap, so that the index needs no documents. */
function hashOf(definition: ResourceDefinition): string {
  let hash = hashes.get(definition);
  if (hash === undefined) hashes.set(definition, (hash = digest(JSON.stringify(documentKind(definition)))));
  return hash;
}

const accepts = (context: RequestContext, type: string): boolean => {
  const accept = context.request.headers["accept"] ?? "";
  if (accept === "") return true;
  const patterns = [type, "*/*", `${type.split("/", 1)[0] ?? ""}/*`];
  return parseAccept(accept).some((one) => patterns.includes(one.type));
};

const v3Path = (group: string, version: string): string =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

export function createOpenApi(
  registry: Registry,
  clock: { now(): number; after(ms: number, fn: () => void): unknown },
): OpenApi {
  const builder = createDocumentBuilder(clock);
  const documents = new Map<string, Promise<Document>>();

  /** Under a name that says all that the document is made of. */
  function cached(name: string, make: () => Promise<Buffer>): Promise<Document> {
    let document = documents.get(name);
    if (document === undefined) {
      document = make().then((body) => ({ body, etag: `"${digest(body)}"` }));
      documents.set(name, document);
      document.catch(() => documents.delete(name));
      clock.after(keepMs, () => documents.delete(name));
    }
    return document;
  }

  const definitionsOf = (group: string, version: string): ResourceDefinition[] =>
    registry.definitions.filter((one) => one.group === group && one.version === version);

  const hashOfAll = (definitions: readonly ResourceDefinition[]): string =>
    digest([`${documentsEpoch}`, ...definitions.map(hashOf)].join(" "));

  function serveDocument(
    context: RequestContext,
    type: string,
    { body, etag }: Document,
    more: Record<string, string> = {},
  ): ApiResponse {
    const headers = { etag, vary: "Accept-Encoding, Accept", ...more };
    if (context.request.headers["if-none-match"] === etag)
      return { status: 304, headers, body: { kind: "empty" } };
    return bytesAnswer(200, type, [body], headers);
  }

  async function serveV2(context: RequestContext): Promise<ApiResponse> {
    const { definitions } = registry;
    const protobuf = v2ProtobufAsked.test(context.request.headers["accept"] ?? "");
    if (!protobuf && !accepts(context, "application/json"))
      throw notAcceptable(["application/json", v2Protobuf]);
    const document = await cached(`v2 ${protobuf} ${hashOfAll(definitions)}`, () =>
      builder.build({ style: "v2", kinds: definitions.map(documentKind) }, { protobuf }),
    );
    return serveDocument(context, protobuf ? v2Protobuf : "application/json", document);
  }

  function serveIndex(): ApiResponse {
    const paths = registry.groups.flatMap(({ name, versions }) =>
      versions.map((version): [string, object] => {
        const path = v3Path(name, version);
        const hash = hashOfAll(definitionsOf(name, version));
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
      }),
    );
    return jsonAnswer(200, { paths: Object.fromEntries(paths) });
  }

  /** A document asked for by its hash never changes; by another hash, it has moved. */
  async function serveV3(context: RequestContext, group: string, version: string): Promise<ApiResponse> {
    const definitions = definitionsOf(group, version);
    const hash = hashOfAll(definitions);
    const asked = context.query.get("hash") ?? "";
    if (asked !== "" && asked !== hash) {
      const location = `/openapi/v3/${v3Path(group, version)}?hash=${hash}`;
      return { status: 301, headers: { location }, body: { kind: "empty" } };
    }
    if (!accepts(context, "application/json")) throw notAcceptable(["application/json"]);
    const document = await cached(`v3 ${hash}`, () =>
      builder.build({ style: "v3", kinds: definitions.map(documentKind) }, { protobuf: false }),
    );
    const expires = new Date(clock.now() + yearSeconds * 1000).toUTCString();
    return serveDocument(
      context,
      "application/json",
      document,
      asked === "" ? {} : { "cache-control": "public, immutable", expires },
    );
  }

  return {
    async serve(path, context) {
      if (path === "/openapi/v2") return serveV2(context);
      if (path === "/openapi/v3") return serveIndex();
      const match = /^\/openapi\/v3\/(?:api\/(\w+)|apis\/([\w.-]+)\/(\w+))$/.exec(path);
      if (match === null) return undefined;
      const group = match[2] ?? "";
      const version = (match[1] ?? match[3]) as string;
      return definitionsOf(group, version).length === 0 ? undefined : serveV3(context, group, version);
    },
    stop: () => builder.stop(),
  };
}
