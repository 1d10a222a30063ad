// Asks the server for a target: one object, or a list that may come in pieces. Answers are tables or plain objects.

import { collectBody } from "#client/body.ts";
import { errorFromAnswer, resourcePath } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError, isApiError } from "#machinery/status.ts";
import { Namespaces } from "#client/refs.ts";
import type { Context } from "../command.ts";
import { itemsWithKinds } from "../printers/list-items.ts";
import type { Target } from "./resolve.ts";

export interface FetchOptions {
  readonly accept?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Pieces of long lists; 0 for all at once. */
  readonly chunkSize?: number;
}

interface ListLike extends KubeObject {
  items?: unknown[];
  rows?: unknown[];
}

const flagText = ({ flags }: Context, name: string): string => (flags.has(name) ? flags.string(name) : "");
const defaultChunkSize = 500;

export async function fetchTarget(
  context: Context,
  target: Target,
  { accept = "application/json", query: asked = {}, chunkSize = defaultChunkSize }: FetchOptions = {},
): Promise<KubeObject> {
  const { resource, namespace, name } = target;
  const query = new URLSearchParams(asked);
  const subresource = flagText(context, "subresource") || undefined;
  if (name !== undefined) {
    const path = resourcePath(resource, namespace, name, subresource);
    try {
      return await fetchJson(context, path, query, accept);
    } catch (thrown) {
      throw await notFoundBecause(context, thrown, namespace);
    }
  }
  const fieldSelector = flagText(context, "field-selector");
  const labelSelector = flagText(context, "selector");
  if (fieldSelector !== "") query.set("fieldSelector", fieldSelector);
  if (labelSelector !== "") query.set("labelSelector", labelSelector);
  if (chunkSize !== 0) query.set("limit", String(chunkSize));
  const path = resourcePath(resource, namespace);
  try {
    const whole: ListLike = await fetchJson(context, path, query, accept);
    for (let token = continueOf(whole); token !== "";) {
      query.set("continue", token);
      const piece: ListLike = await fetchJson(context, path, query, accept);
      for (const field of ["items", "rows"] as const)
        if (piece[field] !== undefined) whole[field] = [...(whole[field] ?? []), ...piece[field]];
      token = continueOf(piece);
    }
    return whole;
  } catch (thrown) {
    throw listFailure(thrown, target, labelSelector, fieldSelector);
  }
}

/** The items of a list. */
export async function fetchItems(
  context: Context,
  target: Target,
  options?: FetchOptions,
): Promise<KubeObject[]> {
  return itemsWithKinds(await fetchTarget(context, target, options));
}

/** One target per object: types stand for what is there of them. */
export async function expandTarget(context: Context, target: Target): Promise<Target[]> {
  if (target.name !== undefined) return [target];
  return (await fetchItems(context, target)).map(({ metadata }) => ({
    ...target,
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
  }));
}

/** What is missing is rather the namespace, where that is not there at all. */
async function notFoundBecause(context: Context, thrown: unknown, namespace: string): Promise<unknown> {
  if (!isApiError(thrown, "NotFound") || namespace === "" || namespace === "default") return thrown;
  try {
    const path = resourcePath(Namespaces, "", namespace);
    await fetchJson(context, path, new URLSearchParams(), "application/json");
    return thrown;
  } catch (other) {
    return isApiError(other, "NotFound") ? other : thrown;
  }
}

/** Says which list could not be had. */
function listFailure(thrown: unknown, { resource }: Target, labels: string, fields: string): unknown {
  if (!(thrown instanceof ApiError) || (thrown.code !== 400 && thrown.code !== 404)) return thrown;
  const which = JSON.stringify(`${resource.group}/${resource.version}, Resource=${resource.resource}`);
  const what =
    labels === "" && fields === ""
      ? `Unable to list ${which}`
      : `Unable to find ${which} that match label selector ${JSON.stringify(labels)}, field selector ${JSON.stringify(fields)}`;
  return new ApiError({ ...thrown.status, message: `${what}: ${thrown.message}` });
}

const continueOf = (list: KubeObject): string =>
  (list.metadata as { continue?: string } | undefined)?.continue ?? "";

async function fetchJson<T extends KubeObject>(
  context: Context,
  path: string,
  query: URLSearchParams,
  accept: string,
): Promise<T> {
  const client = await context.client();
  const answer = await client.raw({ method: "GET", path, query: query.toString(), headers: { accept } });
  const text = (await collectBody(answer.body)).toString();
  if (answer.status >= 400) throw errorFromAnswer(answer.status, text);
  return JSON.parse(text) as T;
}
