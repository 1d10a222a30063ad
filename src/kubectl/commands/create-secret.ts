// `kubectl create secret TYPE NAME`: generic from literals, files, folders or env files; logins of registries; TLS pairs.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Secrets } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { CommandError, type Command, type Context } from "../command.ts";
import { dataFlags, readData } from "../targets/data-sources.ts";
import { createFlags, createObject, nameOf } from "./create-object.ts";

function run(context: Context, args: readonly string[]): Promise<void> {
  const name = nameOf(args);
  const entries = [...readData(context)].map(([key, value]) => [key, value.toString("base64")]);
  const type = context.flags.string("type");
  const object = {
    kind: "Secret",
    apiVersion: "v1",
    metadata: { name },
    ...(entries.length === 0 ? {} : { data: Object.fromEntries(entries) as object }),
    ...(type === "" ? {} : { type }),
  };
  return createObject(context, Secrets, object as KubeObject, "failed to create secret");
}

const generic: Command = {
  name: "generic",
  use: "generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
  short: "Create a secret from files, folders or literal values",
  examples: "# From literal values\nkubectl create secret generic my-secret --from-literal=key1=supersecret",
  flags: [
    ...createFlags,
    ...dataFlags,
    { name: "type", type: "string", default: "''", usage: "The secret's type" },
  ],
  run,
};

const appendHash = dataFlags.filter(({ name }) => name === "append-hash");

function checkHash({ flags }: Context): void {
  if (flags.bool("append-hash")) throw new CommandError("--append-hash is not built yet");
}

const registryKey = ".dockerconfigjson";

/** What a registry is told, as clients of registries keep it. */
function registryLogin({ flags }: Context): string {
  const [server, username, password, email] = ["server", "username", "password", "email"].map((name) =>
    flags.string(`docker-${name}`),
  ) as [string, string, string, string];
  if (username === "" || password === "" || server === "")
    throw new CommandError(
      "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
    );
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({
    auths: { [server]: { username, password, ...(email === "" ? {} : { email }), auth } },
  });
}

function runRegistry(context: Context, args: readonly string[]): Promise<void> {
  const name = nameOf(args);
  checkHash(context);
  const [file] = context.flags.list("from-file");
  const path = file?.startsWith(`${registryKey}=`) === true ? file.slice(registryKey.length + 1) : file;
  const content =
    path === undefined ? Buffer.from(registryLogin(context)) : readFileSync(resolve(context.io.cwd, path));
  return createTyped(context, name, "kubernetes.io/dockerconfigjson", [[registryKey, content]]);
}

function readNamed(context: Context, flag: string): Buffer {
  const path = context.flags.string(flag);
  try {
    return readFileSync(resolve(context.io.cwd, path));
  } catch {
    throw new CommandError(`Cannot read file ${path}, open ${path}: no such file or directory`);
  }
}

async function runTls(context: Context, args: readonly string[]): Promise<void> {
  const name = nameOf(args);
  checkHash(context);
  if (context.flags.string("key") === "" || context.flags.string("cert") === "")
    throw new CommandError("key and cert must be specified");
  const [certificate, key] = [readNamed(context, "cert"), readNamed(context, "key")];
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  if (!certificate.includes("-----BEGIN"))
    throw new CommandError("tls: failed to find any PEM data in certificate input");
  if (!key.includes("-----BEGIN")) throw new CommandError("tls: failed to find any PEM data in key input");
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new CommandError("tls: private key does not match public key");
  return createTyped(context, name, "kubernetes.io/tls", [
    ["tls.crt", certificate],
    ["tls.key", key],
  ]);
}

function createTyped(
  context: Context,
  name: string,
  type: string,
  entries: readonly (readonly [string, Buffer])[],
): Promise<void> {
  const data = Object.fromEntries(entries.map(([key, value]) => [key, value.toString("base64")]));
  const object = { kind: "Secret", apiVersion: "v1", metadata: { name }, data, type };
  return createObject(context, Secrets, object as KubeObject, "failed to create secret");
}

const registry: Command = {
  name: "docker-registry",
  use: "docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]",
  short: "Create a secret for a container registry",
  examples:
    "# To pull from a registry\nkubectl create secret docker-registry my-secret --docker-server=registry.example.com --docker-username=me --docker-password=secret",
  flags: [
    ...createFlags,
    ...appendHash,
    { name: "docker-email", type: "string", default: "''", usage: "Mail address at the registry" },
    { name: "docker-password", type: "string", default: "''", usage: "Password at the registry" },
    {
      name: "docker-server",
      type: "string",
      default: "'https://index.docker.io/v1/'",
      usage: "Address of the registry",
    },
    { name: "docker-username", type: "string", default: "''", usage: "User at the registry" },
    { name: "from-file", type: "list", default: "[]", usage: "File that holds all of it already" },
  ],
  run: runRegistry,
};

const tls: Command = {
  name: "tls",
  use: "tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]",
  short: "Create a TLS secret",
  examples:
    "# A certificate and its key\nkubectl create secret tls tls-secret --cert=path/to/tls.crt --key=path/to/tls.key",
  flags: [
    ...createFlags,
    ...appendHash,
    { name: "cert", type: "string", default: "''", usage: "File with the certificate, PEM" },
    { name: "key", type: "string", default: "''", usage: "File with its private key, PEM" },
  ],
  run: runTls,
};

export const createSecret: Command = {
  name: "secret",
  use: "secret (docker-registry | generic | tls)",
  short: "Create a secret using a specified subcommand",
  subcommands: [registry, generic, tls],
};
