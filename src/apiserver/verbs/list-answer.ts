// A list in the form that was negotiated: the bytes that the cache has, wherever the form allows; otherwise made object
// by object, each parsed for this answer only.

import type { ApiResponse } from "#machinery/api-request.ts";
import { encodeMessage, encodeProtobufList } from "#machinery/codec/protobuf.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { apiVersionOf, type KubeList, type KubeObject } from "#machinery/meta.ts";
import { messageRefFor } from "#machinery/schema/schema.ts";
import { bytesAnswer, objectAnswer } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import { inTurns } from "../in-turns.ts";
import type { OutputForm } from "../negotiate.ts";
import type { CachedObject } from "../stored-object.ts";
import { metadataOnly, partialMetadata, sharedMetadata, table, tableRow } from "../table.ts";
import { ListSource } from "./list-source.ts";
import { includeObject, viewRefused, wantsShared, type Page } from "./read.ts";

const comma = Buffer.from(",");
const end = Buffer.from("]}");
const nothing = Buffer.from("null");
const brace = Buffer.from("}");
const openBrace = Buffer.from("{");
const commaBrace = Buffer.from(",{");

interface ListMetadata {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** The answer is the cached bytes of the objects, one after the other. */
export const isStrungTogether = (context: ResourceContext, { as, encoding }: OutputForm): boolean =>
  as === "object" && encoding === "json" && !wantsShared(context);

/** A list of these objects in the negotiated form. */
export async function listAnswer(
  context: ResourceContext,
  page: Page,
  form: OutputForm,
): Promise<ApiResponse> {
  const { definition } = context;
  const metadata: ListMetadata = {
    resourceVersion: String(page.revision),
    ...(page.continueFrom === undefined ? {} : { continue: page.continueFrom }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  switch (form.as) {
    case "PartialObjectMetadata":
      throw viewRefused(`${form.as}, but the requested object is a list`, definition, definition.listKind);
    case "PartialObjectMetadataList":
      return metadataAnswer(context, page.objects, metadata, form);
    case "Table":
      return tableAnswer(context, page.objects, metadata, form);
    case "object":
      return page.source === undefined
        ? objectsAnswer(context, page.objects, metadata, form)
        : sourceAnswer(definition, page.source, metadata, form);
  }
}

function sourceAnswer(
  definition: ResourceDefinition,
  objects: Iterable<CachedObject>,
  metadata: ListMetadata,
  form: OutputForm,
): ApiResponse {
  const source = new ListSource(listHead(definition, metadata), objects, itemsAreBare(definition));
  return { status: 200, headers: { "content-type": form.contentType }, body: { kind: "source", source } };
}

async function objectsAnswer(
  context: ResourceContext,
  objects: readonly CachedObject[],
  metadata: ListMetadata,
  form: OutputForm,
): Promise<ApiResponse> {
  const { definition } = context;
  const { group, version, kind, listKind } = definition;
  const apiVersion = apiVersionOf(definition);
  if (form.encoding === "json") {
    if (!wantsShared(context))
      return bytesAnswer(200, form.contentType, jsonList(definition, metadata, objects));
    const shared: KubeList = {
      kind: listKind,
      apiVersion,
      metadata,
      items: objects.map(({ object }) => object),
    };
    return { status: 200, headers: {}, body: { kind: "object", object: shared as KubeObject } };
  }
  const ref = messageRefFor(group, version, kind);
  if (form.encoding === "protobuf" && ref !== undefined)
    return protobufAnswer(context, [listKind, apiVersion], metadata, objects, form, (object) =>
      encodeMessage(ref, object.once(true)),
    );
  const bare = itemsAreBare(definition);
  const items: object[] = [];
  await inTurns(objects, context.server.clock, (cached) => {
    const whole = cached.once(true);
    const { kind: _k, apiVersion: _v, ...item } = whole;
    items.push(bare ? item : whole);
  });
  const list = { kind: listKind, apiVersion, metadata, items };
  return form.encoding === "yaml" ? yamlAnswer(context, list, form) : objectAnswer(200, list, form);
}

/** Item by item, as the whole would be printed: its keys come in order, and `items` is the second. */
async function yamlAnswer(
  { server }: ResourceContext,
  { apiVersion, items, ...rest }: { kind: string; apiVersion: string; metadata: object; items: object[] },
  form: OutputForm,
): Promise<ApiResponse> {
  const { printYaml } = await import("#machinery/codec/yaml.ts");
  const none = printYaml({ apiVersion, items: [] });
  const chunks = [Buffer.from(items.length === 0 ? none : none.replace(/ \[\]\n$/, "\n"))];
  const head = "items:\n".length;
  await inTurns(
    items,
    server.clock,
    (item) => void chunks.push(Buffer.from(printYaml({ items: [item] }).slice(head))),
  );
  return bytesAnswer(200, form.contentType, [...chunks, Buffer.from(printYaml(rest))]);
}

/** In a list of a built-in kind the items do not say again what they are; those of custom kinds do. */
const itemsAreBare = ({ openApiSchema }: ResourceDefinition): boolean => openApiSchema === undefined;

async function protobufAnswer(
  { server }: ResourceContext,
  [kind, apiVersion]: readonly [kind: string, apiVersion: string],
  metadata: ListMetadata,
  objects: readonly CachedObject[],
  form: OutputForm,
  encode: (object: CachedObject) => Buffer,
): Promise<ApiResponse> {
  const items: Buffer[] = [];
  await inTurns(objects, server.clock, (object) => void items.push(encode(object)));
  return bytesAnswer(200, form.contentType, [encodeProtobufList(apiVersion, kind, metadata, items)]);
}

async function metadataAnswer(
  context: ResourceContext,
  objects: readonly CachedObject[],
  metadata: ListMetadata,
  form: OutputForm,
): Promise<ApiResponse> {
  const head = { kind: "PartialObjectMetadataList", apiVersion: form.viewVersion, metadata };
  if (wantsShared(context)) {
    const items = objects.map((object) => sharedMetadata(object, form.viewVersion));
    return { status: 200, headers: {}, body: { kind: "object", object: { ...head, items } as KubeObject } };
  }
  const { clock } = context.server;
  if (form.encoding === "json") {
    const chunks: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)];
    await inTurns(objects, clock, (object, at) => {
      if (at > 0) chunks.push(comma);
      chunks.push(metadataOnly(object, form.viewVersion));
    });
    return bytesAnswer(200, form.contentType, [...chunks, end]);
  }
  const partial = (object: CachedObject): KubeObject => partialMetadata(object.once(true), form.viewVersion);
  if (form.encoding === "protobuf")
    return protobufAnswer(context, [head.kind, head.apiVersion], metadata, objects, form, (object) =>
      encodeMessage("meta/v1.PartialObjectMetadata", partial(object)),
    );
  return objectAnswer(200, { ...head, items: objects.map(partial) }, form);
}

async function tableAnswer(
  context: ResourceContext,
  objects: readonly CachedObject[],
  metadata: ListMetadata,
  form: OutputForm,
): Promise<ApiResponse> {
  const { definition, server, query } = context;
  const { viewVersion: apiVersion } = form;
  const include = includeObject(query);
  const nowMs = server.clock.now();
  if (form.encoding !== "json") {
    const rows = objects.map((object) => tableRow(definition, object.once(true), include, nowMs, apiVersion));
    return objectAnswer(200, table(definition, rows, metadata, { apiVersion }), form);
  }
  const empty = JSON.stringify(table(definition, [], metadata, { apiVersion }));
  const chunks: Buffer[] = [Buffer.from(empty.slice(0, -"]}".length))];
  await inTurns(objects, server.clock, (object, at) => {
    const { cells } = tableRow(definition, object.once(false), "None", nowMs);
    const shown =
      include === "None" ? nothing : include === "Object" ? object.bytes : metadataOnly(object, apiVersion);
    chunks.push(Buffer.from(`${at > 0 ? "," : ""}{"cells":${JSON.stringify(cells)},"object":`), shown, brace);
  });
  return bytesAnswer(200, form.contentType, [...chunks, end]);
}

function listHead(definition: ResourceDefinition, metadata: ListMetadata): Buffer {
  const head = { kind: definition.listKind, apiVersion: apiVersionOf(definition), metadata };
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
}

/** The list as the cached bytes of its items, strung together. */
function jsonList(
  definition: ResourceDefinition,
  metadata: ListMetadata,
  objects: readonly CachedObject[],
): Buffer[] {
  const chunks: Buffer[] = [listHead(definition, metadata)];
  const bare = itemsAreBare(definition);
  objects.forEach((object, at) => {
    if (bare) chunks.push(at > 0 ? commaBrace : openBrace, object.fields);
    else if (at > 0) chunks.push(comma, object.bytes);
    else chunks.push(object.bytes);
  });
  chunks.push(end);
  return chunks;
}
