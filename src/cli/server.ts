// `leme server`: the control plane in the foreground. Flags that upstream's components have keep their names.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Command } from "commander";
import type { LogLevel } from "#base/log.ts";
import type { SchedulerConfiguration, SchedulerOptions } from "#scheduler/index.ts";
import { parseDuration, parseNumber } from "./flag-values.ts";
import { addControllerFlags, controllerOptions } from "./controller-flags.ts";
import { addHollowFlags, hollowOptions, type HollowFlags } from "./hollow.ts";

interface ServerFlags extends HollowFlags {
  dataDir: string;
  securePort: string;
  bindAddress: string;
  advertiseAddress?: string;
  writeKubeconfig?: string;
  clusterName: string;
  clusterCidr: string;
  serviceClusterIpRange: string;
  serviceNodePortRange: string;
  clusterDns?: string;
  loadBalancerRange?: string;
  authorizationMode: string;
  enableAdmissionPlugins?: string;
  disableAdmissionPlugins?: string;
  tokenAuthFile?: string;
  clientCaFile?: string;
  featureGates?: string;
  runtimeConfig?: string;
  etcdServers?: string;
  controllers: string;
  leaderElect?: boolean;
  enableBootstrapTokenAuth?: boolean;
  defaultNotReadyTolerationSeconds: string;
  defaultUnreachableTolerationSeconds: string;
  tlsSanIp?: string[];
  hollowNodes?: string;
  schedulerConfig?: string;
  logLevel: string;
}

const list = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);

function parseRange(text: string, flag: string): { from: number; to: number } {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null || Number(match[1]) > Number(match[2]))
    throw new Error(`--${flag} takes a range such as 30000-32767, not ${JSON.stringify(text)}`);
  return { from: Number(match[1]), to: Number(match[2]) };
}

const modes = ["RBAC", "Node", "AlwaysAllow", "AlwaysDeny"] as const;

function parseModes(text: string): (typeof modes)[number][] {
  return list(text).map((mode) => {
    const known = modes.find((one) => one === mode);
    if (known === undefined)
      throw new Error(`--authorization-mode: ${JSON.stringify(mode)} is not one of ${modes.join(", ")}`);
    return known;
  });
}

function parseAdmission(flags: ServerFlags, known: readonly string[]): Set<string> {
  const chosen = new Set(known);
  const check = (name: string, flag: string): string => {
    if (!known.includes(name))
      throw new Error(`--${flag}: ${JSON.stringify(name)} is not built in; there are ${known.join(", ")}`);
    return name;
  };
  for (const name of list(flags.enableAdmissionPlugins)) chosen.add(check(name, "enable-admission-plugins"));
  for (const name of list(flags.disableAdmissionPlugins))
    chosen.delete(check(name, "disable-admission-plugins"));
  return chosen;
}

/** `Name=true,Other=false`: what is on of the features that are off unless asked for. */
function parseFeatures<Gate extends string>(text: string | undefined, known: readonly Gate[]): Set<Gate> {
  const on = new Set<Gate>();
  for (const item of list(text)) {
    const [name = "", value = ""] = item.split("=");
    const gate = known.find((one) => one === name);
    if (gate === undefined) throw new Error(`--feature-gates: unrecognized feature gate: ${name}`);
    if (value !== "true" && value !== "false")
      throw new Error(`--feature-gates: ${JSON.stringify(item)} is not ${name}=true or ${name}=false`);
    if (value === "true") on.add(gate);
    else on.delete(gate);
  }
  return on;
}

/** `GROUP/VERSION=true`, `api/beta=true`: the beta versions that are served. The last word counts. */
function parseVersions(text: string | undefined, known: readonly string[]): Set<string> {
  const on = new Set<string>();
  for (const item of list(text)) {
    const [name = "", value = "true"] = item.split("=");
    if (value !== "true" && value !== "false")
      throw new Error(`--runtime-config: ${JSON.stringify(item)} is not ${name}=true or ${name}=false`);
    const all = name === "api/beta" || name === "api/all";
    if (!all && !known.includes(name))
      throw new Error(
        `--runtime-config: ${JSON.stringify(name)} cannot be switched; there are api/beta, ${known.join(", ")}`,
      );
    if (name === "api/all" && value === "false")
      throw new Error("--runtime-config: stable versions cannot be switched off");
    for (const version of all ? known : [name])
      if (value === "true") on.add(version);
      else on.delete(version);
  }
  return on;
}

/** The tenth address of the service range is the cluster's DNS, as everywhere. */
function defaultDns(cidr: string): string {
  const parts = (cidr.split("/")[0] as string).split(".").map(Number);
  parts[3] = (parts[3] as number) + 10;
  return parts.join(".");
}

async function writeAtomically(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Who signs client certificates beside the cluster's own authority. */
async function readAuthorities(path: string | undefined): Promise<string[]> {
  if (path === undefined) return [];
  const { certificatesOf } = await import("#pki/certificates.ts");
  try {
    return certificatesOf(await readFile(path, "utf8"));
  } catch (error) {
    throw new Error(`--client-ca-file: ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Profiles and settings from a KubeSchedulerConfiguration, YAML or JSON. */
async function readSchedulerConfig(path: string): Promise<SchedulerOptions> {
  const [{ parseYaml, YamlError }, { schedulerOptions }, { fieldErrorMessage }] = await Promise.all([
    import("#machinery/codec/yaml.ts"),
    import("#scheduler/index.ts"),
    import("#machinery/field-error.ts"),
  ]);
  const text = await readFile(path, "utf8");
  let config: SchedulerConfiguration;
  try {
    config = (parseYaml(text).value ?? {}) as SchedulerConfiguration;
  } catch (error) {
    if (error instanceof YamlError) throw new Error(`--scheduler-config: ${path}: ${error.message}`);
    throw error;
  }
  const { options, errors } = schedulerOptions(config);
  if (errors.length > 0)
    throw new Error(`--scheduler-config: ${path}:\n  ${errors.map(fieldErrorMessage).join("\n  ")}`);
  return options;
}

async function run(flags: ServerFlags): Promise<void> {
  const [{ admissionPluginNames, startControlPlane }, { createLogger }, { makeKubeConfig }] =
    await Promise.all([
      import("#compose/control-plane.ts"),
      import("#base/log.ts"),
      import("#client/kubeconfig.ts"),
    ]);
  const log = createLogger({ level: flags.logLevel as LogLevel });
  const servers = list(flags.etcdServers);
  const [first, last] = (flags.loadBalancerRange ?? "").split("-");
  const { featureGates } = await import("#apiserver/context.ts");
  const { betaVersions } = await import("#resources/beta-versions.ts");
  const { parseTokenFile } = await import("#apiserver/auth/authenticators.ts");
  const advertiseAddress =
    flags.advertiseAddress ?? (flags.bindAddress === "0.0.0.0" ? "127.0.0.1" : flags.bindAddress);
  const plane = await startControlPlane({
    dataDir: flags.dataDir,
    store:
      servers.length > 0
        ? { engine: "etcd", servers }
        : { engine: "embedded", dir: `${flags.dataDir}/store` },
    bindAddress: flags.bindAddress,
    securePort: parseNumber(flags.securePort, "secure-port"),
    advertiseAddress,
    clusterName: flags.clusterName,
    serviceClusterIpRange: flags.serviceClusterIpRange,
    serviceNodePortRange: parseRange(flags.serviceNodePortRange, "service-node-port-range"),
    clusterDns: flags.clusterDns ?? defaultDns(flags.serviceClusterIpRange),
    authorizationModes: parseModes(flags.authorizationMode),
    admissionPlugins: parseAdmission(flags, admissionPluginNames),
    ...(flags.tokenAuthFile === undefined
      ? {}
      : { tokens: parseTokenFile(await readFile(flags.tokenAuthFile, "utf8"), flags.tokenAuthFile) }),
    clientAuthorities: await readAuthorities(flags.clientCaFile),
    defaultTolerationSeconds: {
      notReady: parseNumber(flags.defaultNotReadyTolerationSeconds, "default-not-ready-toleration-seconds"),
      unreachable: parseNumber(
        flags.defaultUnreachableTolerationSeconds,
        "default-unreachable-toleration-seconds",
      ),
    },
    controllers: list(flags.controllers),
    features: parseFeatures(flags.featureGates, featureGates),
    betaVersions: parseVersions(flags.runtimeConfig, betaVersions),
    leaderElect: flags.leaderElect ?? servers.length > 0,
    controllerOptions: controllerOptions({ ...flags }, parseDuration),
    bootstrapTokens: flags.enableBootstrapTokenAuth === true,
    ...(first && last ? { loadBalancerPool: { first, last } } : {}),
    extraNames: flags.tlsSanIp ?? [],
    ...(flags.schedulerConfig === undefined
      ? {}
      : { scheduler: await readSchedulerConfig(flags.schedulerConfig) }),
    ...(flags.hollowNodes === undefined
      ? {}
      : { hollowNodes: hollowOptions(parseNumber(flags.hollowNodes, "hollow-nodes"), flags) }),
    log,
  });
  const server = `https://${advertiseAddress}:${plane.port}`;
  if (flags.writeKubeconfig !== undefined) {
    const access = {
      server,
      certificateAuthority: plane.pki.authority.certificate,
      clientCertificate: plane.pki.admin.certificate,
      clientKey: plane.pki.admin.key,
    };
    await writeAtomically(
      flags.writeKubeconfig,
      `${JSON.stringify(makeKubeConfig({ name: flags.clusterName, access }), null, 2)}\n`,
    );
  }
  log.info("the API is served", { server });
  const { giveBackWhenIdle } = await import("./idle-memory.ts");
  const keepAll = giveBackWhenIdle();
  try {
    await untilSignal(plane.done);
  } finally {
    keepAll();
    await plane.stop();
  }
}

/** Settles with the first of them: a signal to end, or what it waits for. */
async function untilSignal(done: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const hold = setInterval(() => undefined, 2 ** 30);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  try {
    await Promise.race([promise, done]);
  } finally {
    clearInterval(hold);
  }
}

export function registerServerCommand(program: Command): void {
  const command = program
    .command("server")
    .description("the control plane, in the foreground; needs no root")
    .requiredOption("--data-dir <folder>", "where everything is kept: certificates and the store")
    .option("--secure-port <port>", "port of the API; 0 picks a free one", "6443")
    .option("--bind-address <address>", "address to listen on", "127.0.0.1")
    .option(
      "--advertise-address <address>",
      "address by which nodes and pods reach the API (default: the bind address)",
    )
    .option("--write-kubeconfig <file>", "write an administrator's kubeconfig there")
    .option("--cluster-name <name>", "name of the cluster in that kubeconfig", "leme")
    .option("--cluster-cidr <cidr>", "addresses of pods", "10.244.0.0/16")
    .option("--service-cluster-ip-range <cidr>", "addresses of Services", "10.96.0.0/16")
    .option("--service-node-port-range <from-to>", "ports for NodePort Services", "30000-32767")
    .option(
      "--cluster-dns <address>",
      "address of the cluster's DNS (default: the tenth of the service range)",
    )
    .option("--load-balancer-range <first-last>", "addresses for Services of type LoadBalancer")
    .option(
      "--authorization-mode <modes>",
      "ordered list of RBAC, Node, AlwaysAllow, AlwaysDeny",
      "Node,RBAC",
    )
    .option("--enable-admission-plugins <names>", "admission plug-ins to run beside the default ones")
    .option("--disable-admission-plugins <names>", "default admission plug-ins not to run")
    .option("--token-auth-file <file>", 'static tokens: token,user,uid,"group1,group2"')
    .option("--enable-bootstrap-token-auth", "Secrets with bootstrap tokens let nodes in")
    .option(
      "--client-ca-file <file>",
      "more authorities (PEM) whose client certificates are accepted, beside the cluster's own",
    )
    .option(
      "--feature-gates <gates>",
      "features that are off unless asked for: CBORServingAndStorage=true (serve CBOR)",
    )
    .option(
      "--runtime-config <versions>",
      "beta versions that are off unless asked for: GROUP/VERSION=true, or api/beta=true for all there are",
    )
    .option("--etcd-servers <urls>", "an etcd cluster instead of the embedded store")
    .option("--controllers <names>", "controllers to run: *, names, -name", "*")
    .option(
      "--leader-elect",
      "run controllers and scheduler only while holding their Leases (default with --etcd-servers)",
    )
    .option(
      "--default-not-ready-toleration-seconds <n>",
      "how long pods stay on a node that is not ready",
      "300",
    )
    .option(
      "--default-unreachable-toleration-seconds <n>",
      "how long pods stay on a node that is unreachable",
      "300",
    )
    .option("--tls-san-ip <name...>", "more names or addresses for the serving certificate")
    .option(
      "--scheduler-config <file>",
      "a KubeSchedulerConfiguration: profiles, plug-ins, weights, extenders",
    )
    .option("--hollow-nodes <number>", "nodes that run nothing, in this process: for tests and scale");
  addHollowFlags(addControllerFlags(command))
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .addHelpText(
      "after",
      "\nExamples:\n  leme server --data-dir ./data --write-kubeconfig ./kubeconfig\n  kubectl --kubeconfig ./kubeconfig get namespaces\n",
    )
    .action(run);
}
