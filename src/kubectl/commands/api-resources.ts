// `kubectl api-resources`: the resources that the server serves, as a table or as names.

import { apiVersionOf, groupResource } from "#machinery/meta.ts";
import { CommandError, UsageError, type Command, type Context } from "../command.ts";
import type { Resource } from "../discovery.ts";
import { alignCells } from "../printers/tab-writer.ts";

const formats = ["", "wide", "name", "json", "yaml", "kyaml"];

/** The list as an object of the API. */
async function printList(found: readonly Resource[], output: string): Promise<string> {
  const list = {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: "",
    resources: found.map((resource) => ({
      name: resource.resource,
      singularName: resource.singular,
      namespaced: resource.namespaced,
      ...(resource.group === "" ? {} : { group: resource.group }),
      version: resource.version,
      kind: resource.kind,
      verbs: resource.verbs,
      ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
      ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    })),
  };
  if (output === "json") return (await import("../printers/typed-json.ts")).printTypedJson(list);
  if (output === "kyaml") return (await import("../printers/kyaml.ts")).printKyaml(list, { typed: true });
  return (await import("#machinery/codec/yaml-print.ts")).printYaml(list);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function selected(resources: readonly Resource[], { flags }: Context): Resource[] {
  const verbs = flags.list("verbs");
  const categories = flags.list("categories");
  return resources.filter(
    (resource) =>
      resource.verbs.length > 0 &&
      (!flags.changed("api-group") || resource.group === flags.string("api-group")) &&
      (!flags.changed("namespaced") || resource.namespaced === flags.bool("namespaced")) &&
      verbs.every((verb) => resource.verbs.includes(verb)) &&
      categories.every((category) => resource.categories.includes(category)),
  );
}

function sorted(resources: Resource[], by: string): Resource[] {
  if (by === "kind") return resources.sort((a, b) => compare(a.kind, b.kind));
  if (by === "name") return resources.sort((a, b) => compare(a.resource, b.resource));
  return resources.sort((a, b) => compare(a.group, b.group) || compare(a.resource, b.resource));
}

async function run(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const output = flags.string("output");
  const by = flags.string("sort-by");
  if (args.length > 0) throw new UsageError(`unexpected arguments: [${args.join(" ")}]`);
  if (!formats.includes(output))
    throw new CommandError(
      `unable to match a printer suitable for the output format ${JSON.stringify(output)}, allowed formats are: json,kyaml,name,wide,yaml`,
    );
  if (!["", "name", "kind"].includes(by)) throw new CommandError(`--sort-by accepts only name or kind`);
  const { groupVersions } = await context.discovery({ fresh: !flags.bool("cached") });
  const preferred = groupVersions.filter(({ rank }) => rank === 0).flatMap(({ resources }) => resources);
  const found = sorted(selected(preferred, context), by);
  if (output === "name") {
    for (const name of found.map(groupResource)) context.print(`${name}\n`);
    return;
  }
  if (output !== "" && output !== "wide") return context.print(await printList(found, output));
  const wide = output === "wide";
  const rows = found.map((resource) => [
    resource.resource,
    resource.shortNames.join(","),
    apiVersionOf(resource),
    String(resource.namespaced),
    resource.kind,
    ...(wide ? [resource.verbs.join(","), resource.categories.join(",")] : []),
  ]);
  const header = [
    "NAME",
    "SHORTNAMES",
    "APIVERSION",
    "NAMESPACED",
    "KIND",
    ...(wide ? ["VERBS", "CATEGORIES"] : []),
  ];
  context.print(alignCells(flags.bool("no-headers") ? rows : [header, ...rows]));
}

export const apiResources: Command = {
  name: "api-resources",
  use: "api-resources [flags]",
  short: "Print the resources that the server serves",
  examples: `# Everything
kubectl api-resources

# With verbs and categories
kubectl api-resources -o wide

# What lives in namespaces, and what does not
kubectl api-resources --namespaced=true
kubectl api-resources --namespaced=false

# The resources of one group
kubectl api-resources --api-group=rbac.authorization.k8s.io`,
  flags: [
    { name: "api-group", type: "string", default: "''", usage: "Only the resources of this group" },
    {
      name: "cached",
      type: "bool",
      default: "false",
      usage: "Use what was remembered of the server, where there is something",
    },
    { name: "categories", type: "list", default: "[]", usage: "Only resources in all of these categories" },
    {
      name: "namespaced",
      type: "bool",
      default: "true",
      usage: "Only resources that live in namespaces, or (false) that do not; left out: both",
    },
    { name: "no-headers", type: "bool", default: "false", usage: "Leave the header line out" },
    {
      name: "output",
      shorthand: "o",
      type: "string",
      default: "''",
      usage: "Output format. One of: (json, yaml, kyaml, name, wide).",
    },
    {
      name: "show-managed-fields",
      type: "bool",
      default: "false",
      usage: "As of other commands; nothing here has any",
    },
    { name: "sort-by", type: "string", default: "''", usage: "Sort by this field: 'name' or 'kind'." },
    { name: "verbs", type: "list", default: "[]", usage: "Only resources that know all of these verbs" },
  ],
  run,
};
