// The subcommands of `kubectl config` that only look.

import { readFileSync } from "node:fs";
import { CommandError, UsageError, type Command, type Context } from "../command.ts";
import { entriesOf, canonical, type Section } from "../config/shape.ts";
import { flatten, minify, redact } from "../config/view.ts";
import { outputFlags } from "../flag-groups.ts";
import { objectPrinter } from "../printers/objects.ts";
import { alignCells } from "../printers/tab-writer.ts";

async function view(context: Context, args: readonly string[]): Promise<void> {
  if (args.length > 0) throw new UsageError(`unexpected arguments: [${args.join(" ")}]`);
  const { flags } = context;
  const { merged } = await context.config();
  const name = flags.string("context") || (merged["current-context"] ?? "");
  let shown = flags.bool("minify") ? minify(merged, name) : merged;
  if (flags.bool("flatten")) shown = flatten(shown, (path) => readFileSync(path));
  if (!flags.bool("raw")) shown = redact(shown);
  const printer = await objectPrinter(context, { columns: false, typed: true });
  context.print(printer?.(canonical(shown)) ?? "");
}

export const viewConfig: Command = {
  name: "view",
  use: "view [flags]",
  short: "Print the kubeconfig files, merged, without secrets",
  long: "Print what the kubeconfig files say together. Secrets and certificates are left out unless --raw asks for them.",
  examples: `# The merged settings
kubectl config view

# With secrets and certificates, only what the current context uses
kubectl config view --minify --raw

# The names of all contexts
kubectl config view -o jsonpath='{.contexts[*].name}'`,
  flags: [
    { name: "flatten", type: "bool", default: "false", usage: "Put what files hold into the output" },
    { name: "merge", type: "bool", default: "true", usage: "Merge the files that count" },
    { name: "minify", type: "bool", default: "false", usage: "Only what the current context uses" },
    ...outputFlags().map((flag) => (flag.name === "output" ? { ...flag, default: "'yaml'" } : flag)),
    { name: "raw", type: "bool", default: "false", usage: "Show certificates and secrets" },
  ],
  run: view,
};

export const currentContext: Command = {
  name: "current-context",
  use: "current-context",
  short: "Print the name of the current context",
  async run(context) {
    const name = (await context.config()).merged["current-context"] ?? "";
    if (name === "") throw new CommandError("current-context is not set");
    context.print(`${name}\n`);
  },
};

const namesIn = (section: Section) =>
  async function run(context: Context): Promise<void> {
    const { merged } = await context.config();
    const names = entriesOf(merged, section).map(({ name }) => name);
    context.print(["NAME", ...names.toSorted()].map((name) => `${name}\n`).join(""));
  };

export const getClusters: Command = {
  name: "get-clusters",
  use: "get-clusters",
  short: "List the clusters of the kubeconfig",
  run: namesIn("clusters"),
};

export const getUsers: Command = {
  name: "get-users",
  use: "get-users",
  short: "List the users of the kubeconfig",
  run: namesIn("users"),
};

async function contexts(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const output = flags.string("output");
  if (output !== "" && output !== "name")
    throw new CommandError(
      `--output ${output} is not available in kubectl config get-contexts; resetting to default output format`,
    );
  const { merged } = await context.config();
  const all = new Map(entriesOf(merged, "contexts").map(({ name, value }) => [name, value]));
  const wanted = args.length > 0 ? args : [...all.keys()].toSorted();
  const missing = wanted.filter((name) => !all.has(name));
  const found = wanted.filter((name) => all.has(name));
  if (output === "name") context.print(found.map((name) => `${name}\n`).join(""));
  else {
    const rows = found.map((name) => {
      const { cluster = "", user = "", namespace = "" } = all.get(name) as Record<string, string>;
      return [name === merged["current-context"] ? "*" : "", name, cluster, user, namespace];
    });
    const headings = [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]];
    context.print(alignCells([...(flags.bool("no-headers") ? [] : headings), ...rows]));
  }
  if (missing.length > 0)
    throw new CommandError(missing.map((name) => `context ${name} not found`).join("\nerror: "));
}

export const getContexts: Command = {
  name: "get-contexts",
  use: "get-contexts [(-o|--output=)name)]",
  short: "List the contexts of the kubeconfig, or those that are named",
  examples: `# All of them
kubectl config get-contexts

# One
kubectl config get-contexts work`,
  flags: [
    { name: "no-headers", type: "bool", default: "false", usage: "Leave out the headings" },
    { name: "output", shorthand: "o", type: "string", default: "''", usage: "One of: (name)." },
  ],
  run: contexts,
};
