// The requests that the words of a command line stand for, and their answers: lists of types, objects by name,
// objects that files name. Answers are tables or plain objects, as asked.

import { collectBody } from "#client/body.ts";
import { errorFromAnswer, resourcePath } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { CommandError, type Context } from "../command.ts";
import type { Resource } from "../discovery.ts";
import { readArguments } from "./arguments.ts";
import { readManifests } from "./manifests.ts";

/** One request to come: a list of a type, or one object. */
export interface Target {
  readonly resource: Resource;
  readonly namespace: string;
  /** Missing: all of the type. */
  readonly name?: string;
}

export interface Targets {
  readonly targets: readonly Target[];
  /** Why some words stand for nothing: told after everything else. */
  readonly errors: readonly unknown[];
  /** One object was asked for, by its name. */
  readonly single: boolean;
}

export const noSuchType = (word: string): CommandError =>
  new CommandError(`the server doesn't have a resource type ${JSON.stringify(word)}`);

async function resourceOf(context: Context, word: string): Promise<Resource> {
  const found = await (await context.discovery()).find(word);
  if (found === undefined) throw noSuchType(word);
  return found;
}

/** Types, with categories such as `all` taken apart. */
async function resourcesOf(context: Context, words: readonly string[]): Promise<Resource[]> {
  const discovery = await context.discovery();
  const found: Resource[] = [];
  for (const word of words) {
    const category = discovery.category(word);
    if (category.length > 0) found.push(...category);
    else found.push(await resourceOf(context, word));
  }
  return found;
}

export async function readTargets(context: Context, args: readonly string[]): Promise<Targets> {
  const { flags } = context;
  const files = flags.list("filename");
  const namespace = await context.namespace();
  const all = flags.has("all-namespaces") && flags.bool("all-namespaces");
  const of = (resource: Resource): string => (!resource.namespaced || all ? "" : namespace.name);
  if (files.length > 0) return fileTargets(context, files);
  const named = readArguments(args);
  const selecting =
    flags.string("selector") !== "" || (flags.has("field-selector") && flags.string("field-selector") !== "");
  if (selecting && (named.kind === "names" || named.kind === "pairs"))
    throw new CommandError("name cannot be provided when a selector is specified");
  switch (named.kind) {
    case "nothing":
      return { targets: [], errors: [], single: false };
    case "types": {
      const resources = await resourcesOf(context, named.types);
      return {
        targets: resources.map((resource) => ({ resource, namespace: of(resource) })),
        errors: [],
        single: false,
      };
    }
    case "names": {
      const resources = await resourcesOf(context, named.types);
      const targets = resources.flatMap((resource) =>
        named.names.map((name) => ({ resource, namespace: of(resource), name })),
      );
      if (all && resources.some((resource) => resource.namespaced))
        throw new CommandError("a resource cannot be retrieved by name across all namespaces");
      return { targets, errors: [], single: targets.length === 1 };
    }
    case "pairs": {
      const targets: Target[] = [];
      for (const { type, name } of named.pairs) {
        const resource = await resourceOf(context, type);
        if (all && resource.namespaced)
          throw new CommandError("a resource cannot be retrieved by name across all namespaces");
        targets.push({ resource, namespace: of(resource), name });
      }
      return { targets, errors: [], single: targets.length === 1 };
    }
  }
}

async function fileTargets(context: Context, files: readonly string[]): Promise<Targets> {
  const results = await readManifests(context.io, { files, recursive: context.flags.bool("recursive") });
  const targets: Target[] = [];
  const errors: unknown[] = [];
  for (const result of results) {
    if ("error" in result) {
      errors.push(result.error);
      continue;
    }
    try {
      targets.push(await targetOfObject(context, result.manifest.object, result.manifest.source));
    } catch (thrown) {
      errors.push(thrown);
    }
  }
  return { targets, errors, single: results.length === 1 };
}

/** Where an object from a file belongs: its resource, and the namespace that it and the command line agree on. */
export async function targetOfObject(
  context: Context,
  object: KubeObject,
  source: string,
): Promise<Target & { name: string }> {
  const { kind = "", apiVersion = "", metadata } = object;
  const resource = await (await context.discovery()).findKind(apiVersion, kind);
  if (resource === undefined)
    throw new CommandError(
      `resource mapping not found for name: ${JSON.stringify(metadata?.name ?? "")} namespace: ${JSON.stringify(metadata?.namespace ?? "")} from ${JSON.stringify(source)}: no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}\nensure CRDs are installed first`,
    );
  const wanted = await context.namespace();
  const own = metadata?.namespace ?? "";
  if (resource.namespaced && wanted.explicit && own !== "" && own !== wanted.name)
    throw new CommandError(
      `the namespace from the provided object ${JSON.stringify(own)} does not match the namespace ${JSON.stringify(wanted.name)}. You must pass '--namespace=${own}' to perform this operation.`,
    );
  return {
    resource,
    namespace: resource.namespaced ? own || wanted.name : "",
    name: metadata?.name ?? "",
  };
}

export interface FetchOptions {
  readonly accept: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Pieces of long lists; 0 for all at once. */
  readonly chunkSize: number;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly subresource: string;
}

interface ListLike extends KubeObject {
  items?: unknown[];
  rows?: unknown[];
}

/** The answer of one target; a list that comes in pieces is put together. */
export async function fetchTarget(
  context: Context,
  target: Target,
  options: FetchOptions,
): Promise<KubeObject> {
  const { resource, namespace, name } = target;
  const path = resourcePath(resource, namespace, name, options.subresource || undefined);
  if (name !== undefined) return fetchJson(context, path, new URLSearchParams(options.query), options.accept);
  const query = new URLSearchParams(options.query);
  if (options.fieldSelector !== "") query.set("fieldSelector", options.fieldSelector);
  if (options.labelSelector !== "") query.set("labelSelector", options.labelSelector);
  if (options.chunkSize > 0) query.set("limit", String(options.chunkSize));
  const whole: ListLike = await fetchJson(context, path, query, options.accept);
  for (let token = continueOf(whole); token !== "";) {
    query.set("continue", token);
    const piece: ListLike = await fetchJson(context, path, query, options.accept);
    for (const field of ["items", "rows"] as const)
      if (piece[field] !== undefined) whole[field] = [...(whole[field] ?? []), ...piece[field]];
    token = continueOf(piece);
  }
  return whole;
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
