// What a command gets to work with, each part made when it is first asked for: kubeconfig, access, client, discovery.

import { resolve } from "node:path";
import { createHttp1Transport, serverUrl } from "#client/http1-transport.ts";
import { createClient, type Client } from "#client/client.ts";
import { accessOf, type ClusterEntry, type ServerAccess, type UserEntry } from "#client/kubeconfig.ts";
import type { Transport } from "#machinery/api-request.ts";
import { CommandError, type Command, type Context, type Io, type Namespace } from "./command.ts";
import { loadConfig, type LoadedConfig } from "./config-files.ts";
import type { DiscoveryOptions } from "./discovery.ts";
import { WholeError } from "./failure.ts";
import { openDiscovery } from "./discovery-cache.ts";
import type { ParsedArguments, ParsedFlags } from "./flags.ts";
import { parseGoDuration } from "./go-duration.ts";
import { clientVersion, userAgent } from "./version.ts";
import { WarningPrinter } from "./warnings.ts";

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};

/** The argument of the first call counts. */
const onceArgument = <A, T>(make: (argument?: A) => Promise<T>): ((argument?: A) => Promise<T>) => {
  let made: Promise<T> | undefined;
  return (argument) => (made ??= make(argument));
};

export interface SessionParts {
  readonly io: Io;
  readonly parsed: ParsedArguments;
  /** The flags of every command, without those that this command has for itself. */
  readonly globals: ParsedFlags;
  readonly command: Command;
  readonly commandPath: string;
  /** Instead of the network: tests pass a control plane's own. */
  readonly transport?: Transport;
}

export interface Session extends Context {
  readonly warnings: WarningPrinter;
  close(): Promise<void>;
}

export function createSession(parts: SessionParts): Session {
  const { io, parsed, command, commandPath } = parts;
  const { globals } = parts;
  const warnings = new WarningPrinter(io);
  let transport: Transport | undefined;
  const config = once(() =>
    loadConfig({ flag: globals.string("kubeconfig"), env: io.env, home: io.home, cwd: io.cwd }),
  );
  const place = once(async () => placeOf(await config(), globals));
  const access = once(async () => accessFor(await place(), globals, io.cwd));
  const client = once(async (): Promise<Client> => {
    transport = warnings.listen(
      parts.transport ??
        createHttp1Transport(await access(), {
          headers: identityHeaders(globals, (await place()).user),
          timeoutMs: requestTimeout(globals),
        }),
    );
    const made = createClient(transport, { userAgent });
    if (globals.bool("match-server-version")) await checkServerVersion(made);
    return made;
  });
  const session: Session = {
    io,
    flags: parsed.flags,
    command,
    commandPath,
    argsLengthAtDash: parsed.argsLengthAtDash,
    warnings,
    config,
    access,
    credentials: once(async () => {
      const { token } = await access();
      return {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...identityHeaders(globals, (await place()).user),
      };
    }),
    client,
    discovery: onceArgument(async (options: DiscoveryOptions = {}) =>
      openDiscovery(await client(), {
        dir: parts.transport === undefined ? globals.string("cache-dir") : undefined,
        server: parts.transport === undefined ? serverUrl((await access()).server).host : "",
        now: io.now(),
        options,
        log: (line) => io.stderr.write(line),
      }),
    ),
    namespace: once(async (): Promise<Namespace> => {
      const given = globals.string("namespace");
      if (given !== "") return { name: given, explicit: true };
      return { name: (await place()).namespace, explicit: false };
    }),
    print: (text) => io.stdout.write(text),
    printError: (text) => io.stderr.write(text),
    async close() {
      await transport?.close();
    },
  };
  return session;
}

async function checkServerVersion(client: Client): Promise<void> {
  const { gitVersion } = await client.json<{ gitVersion?: string }>("GET", "/version");
  if (gitVersion !== clientVersion.gitVersion)
    throw new CommandError(
      `server version (${gitVersion ?? ""}) differs from client version (${clientVersion.gitVersion})`,
    );
}

/** The entries of the kubeconfig that count, after the flags that replace them. */
interface Place {
  readonly namespace: string;
  readonly clusterName: string;
  readonly userName: string;
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
}

function placeOf({ merged }: LoadedConfig, flags: ParsedFlags): Place {
  const name = flags.string("context") || merged["current-context"] || "";
  const context = merged.contexts?.find((entry) => entry.name === name)?.context;
  if (context === undefined && name !== "")
    throw new WholeError(`Error in configuration: context was not found for specified context: ${name}`);
  const clusterName = flags.string("cluster") || context?.cluster || "";
  const userName = flags.string("user") || context?.user || "";
  const cluster = merged.clusters?.find((entry) => entry.name === clusterName)?.cluster;
  const user = merged.users?.find((entry) => entry.name === userName)?.user;
  if (cluster === undefined && flags.string("cluster") !== "")
    throw new CommandError(`no server found for cluster ${JSON.stringify(clusterName)}`);
  if (user === undefined && flags.string("user") !== "")
    throw new CommandError(`auth info ${JSON.stringify(userName)} does not exist`);
  return {
    namespace: context?.namespace || "default",
    clusterName,
    userName,
    cluster: overrideCluster(cluster ?? {}, flags),
    user: overrideUser(user ?? {}, flags),
  };
}

function overrideCluster(cluster: ClusterEntry, flags: ParsedFlags): ClusterEntry {
  const out = { ...cluster };
  const given = (name: string): string => flags.string(name);
  if (given("server") !== "") out.server = given("server");
  if (given("tls-server-name") !== "") out["tls-server-name"] = given("tls-server-name");
  if (given("certificate-authority") !== "") {
    out["certificate-authority"] = given("certificate-authority");
    delete out["certificate-authority-data"];
  }
  if (flags.changed("insecure-skip-tls-verify")) {
    out["insecure-skip-tls-verify"] = flags.bool("insecure-skip-tls-verify");
    if (flags.bool("insecure-skip-tls-verify") && given("certificate-authority") === "") {
      delete out["certificate-authority"];
      delete out["certificate-authority-data"];
    }
  }
  return out;
}

function overrideUser(user: UserEntry, flags: ParsedFlags): UserEntry {
  const out = { ...user };
  const given = (name: string): string => flags.string(name);
  if (given("token") !== "") {
    out.token = given("token");
    delete out.tokenFile;
  }
  if (given("client-certificate") !== "") {
    out["client-certificate"] = given("client-certificate");
    delete out["client-certificate-data"];
  }
  if (given("client-key") !== "") {
    out["client-key"] = given("client-key");
    delete out["client-key-data"];
  }
  if (given("username") !== "") out.username = given("username");
  if (given("password") !== "") out.password = given("password");
  return out;
}

async function accessFor(place: Place, flags: ParsedFlags, cwd: string): Promise<ServerAccess> {
  const { namespace, cluster, user } = place;
  if (flags.bool("insecure-skip-tls-verify") && flags.string("certificate-authority") !== "")
    throw new CommandError("specifying a root certificates file with the insecure flag is not allowed");
  if ("exec" in user || "auth-provider" in user)
    throw new CommandError(
      `user ${JSON.stringify(place.userName)}: credentials from other programs are not built yet: use a certificate or a token`,
    );
  try {
    return await accessOf({ name: "", namespace, cluster, user }, cwd);
  } catch (thrown) {
    const { code, path } = thrown as NodeJS.ErrnoException;
    if (code !== "ENOENT" || path === undefined) throw thrown;
    throw unreadable(path, place, cwd);
  }
}

/** Which of the files that the entries name cannot be read. */
function unreadable(
  path: string,
  { cluster, clusterName, user, userName }: Place,
  cwd: string,
): CommandError {
  const named: [string | undefined, string, string][] = [
    [cluster["certificate-authority"], "certificate-authority", clusterName],
    [user["client-certificate"], "client-cert", userName],
    [user["client-key"], "client-key", userName],
  ];
  for (const [given, what, entry] of named)
    if (given !== undefined && resolve(cwd, given) === path)
      return new CommandError(
        `unable to read ${what} ${given} for ${entry} due to open ${given}: no such file or directory`,
      );
  return new CommandError(`unable to read ${path}: no such file or directory`);
}

function requestTimeout(flags: ParsedFlags): number {
  const text = flags.string("request-timeout");
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const { ms, error } = parseGoDuration(text);
  if (error !== undefined)
    throw new CommandError(
      `Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)`,
    );
  return ms;
}

/** Whom to act as, and basic authentication. */
function identityHeaders(flags: ParsedFlags, user: UserEntry): Record<string, string | readonly string[]> {
  const headers: Record<string, string | readonly string[]> = {};
  if (flags.string("as") !== "") headers["impersonate-user"] = flags.string("as");
  if (flags.string("as-uid") !== "") headers["impersonate-uid"] = flags.string("as-uid");
  const groups = flags.list("as-group");
  if (groups.length > 0) headers["impersonate-group"] = groups;
  for (const extra of flags.list("as-user-extra")) {
    const at = extra.indexOf("=");
    const key = `impersonate-extra-${encodeURIComponent(extra.slice(0, at).toLowerCase())}`;
    headers[key] = [...((headers[key] as string[] | undefined) ?? []), extra.slice(at + 1)];
  }
  if (user.username)
    headers["authorization"] =
      `Basic ${Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64")}`;
  return headers;
}
