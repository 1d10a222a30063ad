// The subcommands of `kubectl config` that change files.

import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { JsonObject } from "#machinery/json-object.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import { defaultFile, type Change } from "../config/change.ts";
import { setProperty, unsetProperty } from "../config/property.ts";
import { entriesOf, type Section } from "../config/shape.ts";
import { writeChanges } from "../config/write.ts";
import type { FlagSpec } from "../flags.ts";
import { commandHelp } from "../help.ts";

/** Exactly `count` words, or the command's help and what was wrong. */
function exactly(context: Context, args: readonly string[], count: number): void {
  if (args.length === count) return;
  context.print(commandHelp(context.command, context.commandPath, []));
  throw new CommandError(`Unexpected args: [${args.join(" ")}]`);
}

async function find(context: Context, section: Section, name: string): Promise<JsonObject | undefined> {
  const { merged } = await context.config();
  return entriesOf(merged, section).find((entry) => entry.name === name)?.value;
}

async function write(context: Context, ...changes: readonly Change[]): Promise<void> {
  await writeChanges(changes, await context.config());
}

const text = (name: string, usage: string): FlagSpec => ({ name, type: "string", default: "''", usage });

/** A file that an entry names: it must be there, and goes in whole where it is to be embedded. */
function fileField(context: Context, field: string, path: string, embed: boolean): JsonObject {
  const full = resolve(context.io.cwd, path);
  if (!embed) return { [field]: full, [`${field}-data`]: undefined };
  try {
    statSync(full);
  } catch {
    throw new CommandError(`could not stat ${field} file ${path}: stat ${path}: no such file or directory`);
  }
  return { [`${field}-data`]: readFileSync(full).toString("base64"), [field]: undefined };
}

export const useContext: Command = {
  name: "use-context",
  aliases: ["use"],
  use: "use-context CONTEXT_NAME",
  short: "Make another context the current one",
  examples: `kubectl config use-context work`,
  async run(context, args) {
    exactly(context, args, 1);
    const [name = ""] = args;
    if ((await find(context, "contexts", name)) === undefined)
      throw new CommandError(`no context exists with the name: ${JSON.stringify(name)}`);
    await write(context, { kind: "current-context", value: name });
    context.print(`Switched to context "${name}".\n`);
  },
};

export const setContext: Command = {
  name: "set-context",
  use: "set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]",
  short: "Write a context: a cluster, a user and a namespace",
  long: "Write a context. What is not given stays as it was.",
  examples: `# The namespace of the current context
kubectl config set-context --current --namespace=shop`,
  flags: [{ name: "current", type: "bool", default: "false", usage: "The current context" }],
  async run(context, args) {
    const { flags } = context;
    const current = flags.bool("current");
    if (args.length > 1) exactly(context, args, 1);
    if (current && args.length > 0)
      throw new CommandError("you cannot specify both a context name and --current");
    if (!current && (args[0] ?? "") === "")
      throw new CommandError("you must specify a non-empty context name or --current");
    const name = current ? ((await context.config()).merged["current-context"] ?? "") : (args[0] as string);
    if (name === "") throw new CommandError("no current context is set");
    const old = await find(context, "contexts", name);
    const value: JsonObject = { ...old };
    for (const field of ["cluster", "user", "namespace"])
      if (flags.changed(field)) value[field] = flags.string(field);
    await write(context, { kind: "entry", section: "contexts", name, value });
    context.print(`Context "${name}" ${old === undefined ? "created" : "modified"}.\n`);
  },
};

export const setCluster: Command = {
  name: "set-cluster",
  use: "set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]",
  short: "Write a cluster: its address, and whom to trust",
  long: "Write a cluster. What is not given stays as it was.",
  examples: `kubectl config set-cluster work --server=https://10.0.0.1:6443 --certificate-authority=ca.crt --embed-certs`,
  flags: [
    { name: "embed-certs", type: "bool", default: "false", usage: "Write what the file holds, not its name" },
    text("proxy-url", "Proxy to this cluster"),
  ],
  async run(context, args) {
    const { flags } = context;
    exactly(context, args, 1);
    const [name = ""] = args;
    const authority = flags.string("certificate-authority");
    if (authority !== "" && flags.bool("insecure-skip-tls-verify"))
      throw new CommandError("you cannot specify a certificate authority and insecure mode at the same time");
    if (flags.bool("embed-certs") && authority === "")
      throw new CommandError("you must specify a --certificate-authority to embed");
    const value: JsonObject = { ...(await find(context, "clusters", name)) };
    for (const field of ["server", "tls-server-name", "proxy-url"])
      if (flags.changed(field)) value[field] = flags.string(field).replace(/\/+$/, "");
    if (flags.changed("insecure-skip-tls-verify")) {
      value["insecure-skip-tls-verify"] = flags.bool("insecure-skip-tls-verify");
      if (flags.bool("insecure-skip-tls-verify")) {
        delete value["certificate-authority"];
        delete value["certificate-authority-data"];
      }
    }
    if (flags.changed("certificate-authority")) {
      Object.assign(value, fileField(context, "certificate-authority", authority, flags.bool("embed-certs")));
      delete value["insecure-skip-tls-verify"];
    }
    await write(context, { kind: "entry", section: "clusters", name, value });
    context.print(`Cluster "${name}" set.\n`);
  },
};

/** A credential plug-in's part of a user, from the flags; what is not given stays. */
function execOf(context: Context, old: unknown): JsonObject {
  const { flags } = context;
  const exec: JsonObject = { ...(old as JsonObject | undefined) };
  if (flags.changed("exec-command")) exec["command"] = flags.string("exec-command");
  if (flags.changed("exec-api-version")) exec["apiVersion"] = flags.string("exec-api-version");
  if (flags.changed("exec-interactive-mode")) exec["interactiveMode"] = flags.string("exec-interactive-mode");
  if (flags.changed("exec-provide-cluster-info"))
    exec["provideClusterInfo"] = flags.bool("exec-provide-cluster-info");
  if (flags.changed("exec-arg")) exec["args"] = [...flags.list("exec-arg")];
  const env = new Map(
    ((exec["env"] as { name: string; value: string }[] | null | undefined) ?? []).map((one) => [
      one.name,
      one.value,
    ]),
  );
  for (const pair of flags.list("exec-env")) {
    const at = pair.indexOf("=");
    if (at > 0) env.set(pair.slice(0, at), pair.slice(at + 1));
    else if (pair.endsWith("-")) env.delete(pair.slice(0, -1));
    else
      throw new CommandError(
        `error: invalid exec-env ${JSON.stringify(pair)}: expected key=value or key- to remove it`,
      );
  }
  if (flags.changed("exec-env")) exec["env"] = [...env].map(([name, value]) => ({ name, value }));
  return exec;
}

function credentials(context: Context, old: JsonObject | undefined): JsonObject {
  const { flags } = context;
  const value: JsonObject = { ...old };
  const embed = flags.bool("embed-certs");
  for (const field of ["client-certificate", "client-key"])
    if (flags.changed(field)) Object.assign(value, fileField(context, field, flags.string(field), embed));
  if (flags.changed("token")) {
    value["token"] = flags.string("token");
    delete value["username"];
    delete value["password"];
  }
  if (flags.changed("username") || flags.changed("password")) {
    for (const field of ["username", "password"])
      if (flags.changed(field)) value[field] = flags.string(field);
    delete value["token"];
    delete value["tokenFile"];
  }
  if (setCredentials.flags?.some(({ name }) => name.startsWith("exec-") && flags.changed(name)))
    value["exec"] = execOf(context, value["exec"]);
  return value;
}

export const setCredentials: Command = {
  name: "set-credentials",
  use: "set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--exec-command=exec_command]",
  short: "Write a user: certificate, token, password or credential plug-in",
  long: "Write a user. What is not given stays as it was; token and password replace each other.",
  examples: `kubectl config set-credentials ana --client-certificate=ana.crt --client-key=ana.key --embed-certs

kubectl config set-credentials robot --token=abc`,
  flags: [
    {
      name: "embed-certs",
      type: "bool",
      default: "false",
      usage: "Write what the files hold, not their names",
    },
    text("exec-api-version", "API version of the credential plug-in"),
    { name: "exec-arg", type: "list", default: "[]", usage: "Arguments of the credential plug-in" },
    text("exec-command", "The credential plug-in"),
    {
      name: "exec-env",
      type: "array",
      default: "[]",
      usage: "key=value for the credential plug-in; key- removes one",
    },
    text("exec-interactive-mode", "Whether the credential plug-in may ask: Never, IfAvailable, Always"),
    {
      name: "exec-provide-cluster-info",
      type: "bool",
      default: "false",
      usage: "Tell the credential plug-in which cluster it is for",
    },
  ],
  async run(context, args) {
    const { flags } = context;
    exactly(context, args, 1);
    const [name = ""] = args;
    const basic = flags.string("username") !== "" || flags.string("password") !== "";
    if (flags.string("token") !== "" && basic)
      throw new CommandError(
        "you cannot specify more than one authentication method at the same time: --token, --username/--password",
      );
    const certificates = flags.string("client-certificate") !== "" || flags.string("client-key") !== "";
    if (flags.bool("embed-certs") && !certificates)
      throw new CommandError("you must specify a --client-certificate or --client-key to embed");
    const value = credentials(context, await find(context, "users", name));
    await write(context, { kind: "entry", section: "users", name, value });
    context.print(`User "${name}" set.\n`);
  },
};

export const set: Command = {
  name: "set",
  use: "set PROPERTY_NAME PROPERTY_VALUE",
  short: "Write one value of a kubeconfig file",
  long: "Write one value. Its name is dotted: clusters.NAME.server, contexts.NAME.namespace, users.NAME.token, current-context.",
  examples: `kubectl config set clusters.work.server https://10.0.0.1:6443`,
  flags: [
    {
      name: "set-raw-bytes",
      type: "bool",
      default: "false",
      alone: "true",
      usage: "The value of a *-data field is the text itself, not base64",
    },
  ],
  async run(context, args) {
    exactly(context, args, 2);
    const [property = "", value = ""] = args;
    const { merged } = await context.config();
    await write(context, setProperty(merged, property, value, context.flags.bool("set-raw-bytes")));
    context.print(`Property "${property}" set.\n`);
  },
};

export const unset: Command = {
  name: "unset",
  use: "unset PROPERTY_NAME",
  short: "Remove one value from a kubeconfig file",
  examples: `kubectl config unset contexts.work.namespace`,
  async run(context, args) {
    exactly(context, args, 1);
    const [property = ""] = args;
    const change = unsetProperty((await context.config()).merged, property);
    if (change !== undefined) await write(context, change);
    context.print(`Property "${property}" unset.\n`);
  },
};

export const renameContext: Command = {
  name: "rename-context",
  use: "rename-context CONTEXT_NAME NEW_NAME",
  short: "Give a context another name",
  examples: `kubectl config rename-context work office`,
  async run(context, args) {
    exactly(context, args, 2);
    const [name = "", next = ""] = args;
    const loaded = await context.config();
    const file = defaultFile(loaded);
    const value = await find(context, "contexts", name);
    if (value === undefined)
      throw new CommandError(`cannot rename the context ${JSON.stringify(name)}, it's not in ${file}`);
    if ((await find(context, "contexts", next)) !== undefined)
      throw new CommandError(
        `cannot rename the context ${JSON.stringify(name)}, the context ${JSON.stringify(next)} already exists in ${file}`,
      );
    const changes: Change[] = [
      { kind: "entry", section: "contexts", name },
      { kind: "entry", section: "contexts", name: next, value },
    ];
    if (loaded.merged["current-context"] === name) changes.push({ kind: "current-context", value: next });
    await write(context, ...changes);
    context.print(`Context "${name}" renamed to "${next}".\n`);
  },
};

function deleteEntry(section: Section, word: string): Command {
  return {
    name: `delete-${word}`,
    use: `delete-${word} NAME`,
    short: `Remove a ${word} from the kubeconfig`,
    examples: `kubectl config delete-${word} work`,
    async run(context, args) {
      if (args.length !== 1) {
        context.print(commandHelp(context.command, context.commandPath, []));
        return;
      }
      const [name = ""] = args;
      const loaded = await context.config();
      const file = defaultFile(loaded);
      if ((await find(context, section, name)) === undefined)
        throw new CommandError(`cannot delete ${word} ${name}, not in ${file}`);
      if (section === "contexts" && loaded.merged["current-context"] === name)
        context.printError(
          'warning: this removed your active context, use "kubectl config use-context" to select a different one\n',
        );
      await write(context, { kind: "entry", section, name });
      context.print(`deleted ${word} ${name} from ${file}\n`);
    },
  };
}

export const deleteCluster = deleteEntry("clusters", "cluster");
export const deleteContext = deleteEntry("contexts", "context");
export const deleteUser = deleteEntry("users", "user");
