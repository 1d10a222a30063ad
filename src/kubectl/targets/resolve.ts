// The words and files of a command line → the requests they stand for: a list of a type, or one object each.

import type { KubeObject } from "#machinery/meta.ts";
import { CommandError, type Context } from "../command.ts";
import type { Discovery, DiscoveryOptions, Resource } from "../discovery.ts";
import { describeRequest, isNetworkFailure } from "../network-failure.ts";
import { readArguments, type Named } from "./arguments.ts";

export interface Target {
  readonly resource: Resource;
  readonly namespace: string;
  /** Missing: all of the type, or what the selectors pick. */
  readonly name?: string;
  /** The file that names it. */
  readonly source?: string;
}

export interface Resolved {
  readonly targets: readonly Target[];
  /** Documents of files that stand for nothing. */
  readonly errors: readonly unknown[];
  /** One object was asked for. */
  readonly single: boolean;
}

export interface ResolveOptions {
  /** Types alone mean everything of them, without --all or a selector. */
  readonly bareTypes: boolean;
  readonly all: boolean;
}

export const nothingNamed =
  "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/** A word may mean many things: kubectl asks this often before it gives up on a server. */
export const forWords: DiscoveryOptions = { attempts: 5 };

const flagText = ({ flags }: Context, name: string): string => (flags.has(name) ? flags.string(name) : "");

export async function resolveTargets(
  context: Context,
  args: readonly string[],
  { bareTypes, all }: ResolveOptions = { bareTypes: true, all: false },
): Promise<Resolved> {
  const { flags } = context;
  if (flagText(context, "kustomize") !== "") throw new CommandError("kustomizations are not built yet");
  if (flags.has("filename") && flags.list("filename").length > 0) {
    if (args.length > 0)
      throw new CommandError(
        "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
      );
    return fileTargets(context);
  }
  const named = readArguments(args);
  const everywhere = flags.has("all-namespaces") && flags.bool("all-namespaces");
  const selecting = all || flagText(context, "selector") !== "" || flagText(context, "field-selector") !== "";
  if (named.kind === "nothing") throw new CommandError(nothingNamed);
  if (selecting && named.kind !== "types")
    throw new CommandError("name cannot be provided when a selector is specified");
  const found = await namedTargets(context, named);
  if (named.kind === "types") {
    if (flagText(context, "subresource") !== "")
      throw new CommandError("subresource cannot be used when bulk resources are specified");
    if (!bareTypes && !selecting)
      throw new CommandError("resource(s) were provided, but no name was specified");
  } else if (everywhere && found.some(({ resource }) => resource.namespaced))
    throw new CommandError("a resource cannot be retrieved by name across all namespaces");
  const { name: namespace } = await context.namespace();
  const targets = found.map(({ resource, name }) => ({
    resource,
    namespace: !resource.namespaced || everywhere ? "" : namespace,
    ...(name === undefined ? {} : { name }),
  }));
  return { targets, errors: [], single: named.kind !== "types" && targets.length === 1 };
}

interface Found {
  readonly resource: Resource;
  readonly name?: string;
}

async function namedTargets(context: Context, named: Named): Promise<Found[]> {
  switch (named.kind) {
    case "nothing":
      return [];
    case "types":
      return (await resourcesOf(context, named.types)).map((resource) => ({ resource }));
    case "names": {
      const resources = await resourcesOf(context, named.types);
      return resources.flatMap((resource) => named.names.map((name) => ({ resource, name })));
    }
    case "pairs": {
      const found: Found[] = [];
      for (const { type, name } of named.pairs)
        found.push({ resource: await resourceOf(context, type), name });
      return found;
    }
  }
}

async function resourceOf(context: Context, word: string): Promise<Resource> {
  const found = await (await context.discovery(forWords)).find(word);
  if (found !== undefined) return found;
  const [name = ""] = word.split(".");
  throw new CommandError(`the server doesn't have a resource type ${JSON.stringify(name)}`);
}

/** Types, with categories such as `all` taken apart. */
async function resourcesOf(context: Context, words: readonly string[]): Promise<Resource[]> {
  const discovery = await context.discovery(forWords);
  const found: Resource[] = [];
  for (const word of words) {
    const category = discovery.category(word);
    if (category.length > 0) found.push(...category);
    else found.push(await resourceOf(context, word));
  }
  return found;
}

async function fileTargets(context: Context): Promise<Resolved> {
  const { flags } = context;
  // Reading YAML is a lot of code, which most commands do without.
  const { readManifests } = await import("./manifests.ts");
  const results = await readManifests(context.io, {
    files: flags.list("filename"),
    recursive: flags.has("recursive") && flags.bool("recursive"),
  });
  const targets: Target[] = [];
  const errors: unknown[] = [];
  for (const result of results) {
    if ("error" in result) {
      errors.push(result.error);
      continue;
    }
    try {
      targets.push(await targetOfObject(context, result.object, result.source));
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      errors.push(thrown);
    }
  }
  return { targets, errors, single: results.length === 1 };
}

async function discoveryFor(context: Context, source: string): Promise<Discovery> {
  try {
    return await context.discovery();
  } catch (thrown) {
    if (!isNetworkFailure(thrown)) throw thrown;
    const what = describeRequest(thrown, "/api?timeout=32s");
    throw new CommandError(`unable to recognize ${JSON.stringify(source)}: ${what}`);
  }
}

/** Where an object from a file belongs: its resource, and the namespace that it and the command line agree on. */
export async function targetOfObject(
  context: Context,
  object: KubeObject,
  source: string,
): Promise<Target & { readonly name: string }> {
  const { kind = "", apiVersion = "", metadata } = object;
  const resource = await (await discoveryFor(context, source)).findKind(apiVersion, kind);
  const [name, own] = [metadata?.name ?? "", metadata?.namespace ?? ""];
  if (resource === undefined)
    throw new CommandError(
      `resource mapping not found for name: ${JSON.stringify(name)} namespace: ${JSON.stringify(own)} from ${JSON.stringify(source)}: no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}\nensure CRDs are installed first`,
    );
  const wanted = await context.namespace();
  if (resource.namespaced && wanted.explicit && own !== "" && own !== wanted.name)
    throw new CommandError(
      `the namespace from the provided object ${JSON.stringify(own)} does not match the namespace ${JSON.stringify(wanted.name)}. You must pass '--namespace=${own}' to perform this operation.`,
    );
  return { resource, namespace: resource.namespaced ? own || wanted.name : "", name, source };
}
