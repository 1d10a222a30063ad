// Typed verbs over a transport. Knows HTTP and JSON, no kind by name.

import type { ApiRequest, ApiResponse, SharedEvent, Transport } from "#machinery/api-request.ts";
import { sharedObjectsHeader } from "#machinery/api-request.ts";
import type { KubeList, KubeObject } from "#machinery/meta.ts";
import { ApiError, failure, type Status } from "#machinery/status.ts";
import { collectBody, readLines } from "./body.ts";

/** A resource as a client addresses it. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
  /** Items are PartialObjectMetadata: a fraction of the bytes, where nothing else is looked at. */
  readonly metadataOnly?: boolean;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly allowBookmarks?: boolean;
  readonly timeoutSeconds?: number;
  readonly metadataOnly?: boolean;
  readonly signal: AbortSignal;
}

const metadataViews = {
  list: { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" },
  watch: { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" },
} as const;

export type PatchType = "json" | "merge" | "strategic" | "apply";

const patchMediaTypes: Record<PatchType, string> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface Client {
  readonly transport: Transport;
  get<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string,
    name: string,
    subresource?: string,
  ): Promise<T>;
  list<T extends KubeObject>(ref: ResourceRef, options?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(ref: ResourceRef, namespace: string, object: T): Promise<T>;
  /** POST to a subresource: binding, eviction, token. */
  createSub<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string,
    name: string,
    subresource: string,
    object: KubeObject,
  ): Promise<T>;
  update<T extends KubeObject>(ref: ResourceRef, object: T, subresource?: string): Promise<T>;
  patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string,
    name: string,
    type: PatchType,
    patch: unknown,
    subresource?: string,
  ): Promise<T>;
  delete(ref: ResourceRef, namespace: string, name: string, options?: DeleteOptions): Promise<KubeObject>;
  /** Events in batches, in order. Ends when the server ends it; throws ApiError (410 Expired …) or the network's error. */
  watch(ref: ResourceRef, options: WatchOptions): AsyncIterable<readonly SharedEvent[]>;
  /** Any request; throws ApiError for a status of 400 and above. The answer is parsed JSON. */
  json<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T>;
  /** Any request, the answer as it came, errors included. */
  raw(request: Partial<ApiRequest> & { method: string; path: string }): Promise<ApiResponse>;
}

/** `/api/v1/namespaces/default/pods/x/status` */
export function resourcePath(
  ref: ResourceRef,
  namespace?: string,
  name?: string,
  subresource?: string,
): string {
  let path = ref.group === "" ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  if (ref.namespaced && namespace) path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${ref.resource}`;
  if (name !== undefined) path += `/${encodeURIComponent(name)}`;
  if (subresource !== undefined) path += `/${subresource}`;
  return path;
}

function queryOf(parameters: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters))
    if (value !== undefined) query.set(key, String(value));
  return query.toString();
}

/** The error that an answer of 400 and above stands for. */
export function errorFromAnswer(status: number, text: string): ApiError {
  try {
    const body = JSON.parse(text) as Status;
    if (body.kind === "Status") return new ApiError(body);
  } catch {
    // Not JSON: a proxy or a plain-text endpoint answered. Its text is the message.
  }
  return failure(status, "", text.trim() === "" ? `the server answered ${status}` : text.trim());
}

export function createClient(transport: Transport, options: { userAgent?: string } = {}): Client {
  const common: Record<string, string> = {
    accept: "application/json",
    "user-agent": options.userAgent ?? "leme",
    [sharedObjectsHeader]: "true",
  };

  async function raw(request: Partial<ApiRequest> & { method: string; path: string }): Promise<ApiResponse> {
    return transport.request({ query: "", ...request, headers: { ...common, ...request.headers } });
  }

  async function call<T>(
    method: string,
    path: string,
    query = "",
    body?: unknown,
    contentType = "application/json",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const response = await raw({
      method,
      path,
      query,
      headers,
      ...(body === undefined
        ? {}
        : { body: Buffer.from(JSON.stringify(body)), headers: { ...headers, "content-type": contentType } }),
    });
    if (response.body.kind === "object" && response.status < 400) return response.body.object as T;
    const text = (await collectBody(response.body)).toString();
    if (response.status >= 400) throw errorFromAnswer(response.status, text);
    return (text === "" ? {} : JSON.parse(text)) as T;
  }

  async function* watch(ref: ResourceRef, options: WatchOptions): AsyncGenerator<readonly SharedEvent[]> {
    const { namespace, signal, allowBookmarks = true, metadataOnly = false, ...rest } = options;
    const query = queryOf({ watch: true, allowWatchBookmarks: allowBookmarks, ...rest });
    const headers = metadataOnly ? metadataViews.watch : {};
    const response = await raw({ method: "GET", path: resourcePath(ref, namespace), query, headers, signal });
    if (response.status >= 400)
      throw errorFromAnswer(response.status, (await collectBody(response.body)).toString());
    const batches =
      response.body.kind === "events" ? response.body.events : parseEvents(readLines(response.body));
    for await (const batch of batches) {
      const bad = batch.find((event) => event.type === "ERROR");
      if (bad !== undefined) throw new ApiError(bad.object as unknown as Status);
      yield batch;
    }
  }

  return {
    transport,
    raw,
    watch,
    json: (method, path, body, contentType) => {
      const at = path.indexOf("?");
      return at < 0
        ? call(method, path, "", body, contentType)
        : call(method, path.slice(0, at), path.slice(at + 1), body, contentType);
    },
    get: (ref, namespace, name, sub) => call("GET", resourcePath(ref, namespace, name, sub)),
    list: (ref, { namespace, metadataOnly = false, ...rest } = {}) =>
      call(
        "GET",
        resourcePath(ref, namespace),
        queryOf(rest),
        undefined,
        undefined,
        metadataOnly ? metadataViews.list : {},
      ),
    create: (ref, namespace, object) => call("POST", resourcePath(ref, namespace), "", object),
    createSub: (ref, namespace, name, sub, object) =>
      call("POST", resourcePath(ref, namespace, name, sub), "", object),
    update: (ref, object, sub) =>
      call(
        "PUT",
        resourcePath(ref, object.metadata?.namespace, object.metadata?.name ?? "", sub),
        "",
        object,
      ),
    patch: (ref, namespace, name, type, patch, sub) =>
      call("PATCH", resourcePath(ref, namespace, name, sub), "", patch, patchMediaTypes[type]),
    delete: (ref, namespace, name, options) =>
      call(
        "DELETE",
        resourcePath(ref, namespace, name),
        "",
        options === undefined ? undefined : { kind: "DeleteOptions", apiVersion: "v1", ...options },
      ),
  };
}

async function* parseEvents(lines: AsyncIterable<readonly string[]>): AsyncGenerator<readonly SharedEvent[]> {
  for await (const batch of lines) yield batch.map((line) => JSON.parse(line) as SharedEvent);
}
