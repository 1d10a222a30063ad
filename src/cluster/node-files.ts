// The files that a node's container runtime reads: containerd's configuration for its version, the CNI network,
// the registry mirror. Pure: plan and machine facts in, paths and contents out.

import type { Machine } from "#host/machine.ts";
import type { NodePlan } from "./plan.ts";

export interface PlannedFile {
  readonly path: string;
  readonly content: string;
}

export type RuntimeFacts = Pick<
  Machine,
  "apparmor" | "capSysResource" | "containerdVersion" | "runcPath" | "cniBinDir" | "uplink"
>;

export const pauseImage = "registry.k8s.io/pause:3.9";
/** exec, attach and port-forward of every node; reached from the host over the bridge. */
export const streamPort = 10010;

type TomlValue = string | number | boolean;
type TomlTable = readonly [header: string, entries: Readonly<Record<string, TomlValue>>];

function toml(top: Readonly<Record<string, TomlValue>>, tables: readonly TomlTable[]): string {
  const entries = (table: Readonly<Record<string, TomlValue>>): string[] =>
    Object.entries(table).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const parts = tables.map(([header, table]) => [`[${header}]`, ...entries(table)].join("\n"));
  return `${[entries(top).join("\n"), ...parts].join("\n\n")}\n`;
}

const plugin = (id: string, ...path: string[]): string =>
  [`plugins.${JSON.stringify(id)}`, ...path].join(".");

/** Configuration version 2 is for 1.6 and 1.7; 2.0 split the CRI plugin and has version 3. */
export function containerdConfig(node: NodePlan, facts: RuntimeFacts): string {
  const version = facts.containerdVersion ?? "";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 1 || (major === 1 && minor < 6))
    throw new Error(`containerd ${version || "(none)"} is not supported: 1.6 or newer is needed`);
  const top = {
    version: major >= 2 ? 3 : 2,
    root: `${node.stateDir}/containerd`,
    state: `${node.runDir}/containerd`,
    // Lowering one's own score needs CAP_SYS_RESOURCE.
    oom_score: facts.capSysResource ? -999 : 0,
  };
  const shared: TomlTable[] = [
    ["grpc", { address: node.containerd.socket }],
    ["debug", { level: "warn" }],
    [plugin("io.containerd.internal.v1.opt"), { path: `${node.stateDir}/containerd/opt` }],
  ];
  // NRI's socket path is not per node, and nothing here uses it.
  if (major >= 2 || minor >= 7) shared.push([plugin("io.containerd.nri.v1.nri"), { disable: true }]);
  return toml(top, [...shared, ...(major >= 2 ? criVersion3(node, facts) : criVersion2(node, facts))]);
}

function runtimeOptions(facts: RuntimeFacts): Record<string, TomlValue> {
  return {
    disable_apparmor: !facts.apparmor,
    tolerate_missing_hugetlb_controller: true,
    disable_hugetlb_controller: true,
    restrict_oom_score_adj: !facts.capSysResource,
    netns_mounts_under_state_dir: true,
  };
}

const streamOptions = (node: NodePlan): Record<string, TomlValue> => ({
  stream_server_address: node.address,
  stream_server_port: String(streamPort),
});

const runcOptions = (facts: RuntimeFacts): Record<string, TomlValue> => ({
  BinaryName: facts.runcPath ?? "runc",
  SystemdCgroup: false,
});

const cniOptions = (node: NodePlan, facts: RuntimeFacts): Record<string, TomlValue> => ({
  bin_dir: facts.cniBinDir ?? "/opt/cni/bin",
  conf_dir: node.cniConfDir,
});

function criVersion2(node: NodePlan, facts: RuntimeFacts): TomlTable[] {
  const at = (...path: string[]): string => plugin("io.containerd.grpc.v1.cri", ...path);
  return [
    [at(), { sandbox_image: pauseImage, ...streamOptions(node), ...runtimeOptions(facts) }],
    [at("containerd"), { snapshotter: "overlayfs", default_runtime_name: "runc" }],
    [at("containerd", "runtimes", "runc"), { runtime_type: "io.containerd.runc.v2" }],
    [at("containerd", "runtimes", "runc", "options"), runcOptions(facts)],
    [at("cni"), cniOptions(node, facts)],
    [at("registry"), { config_path: node.certsDir }],
  ];
}

function criVersion3(node: NodePlan, facts: RuntimeFacts): TomlTable[] {
  const images = (...path: string[]): string => plugin("io.containerd.cri.v1.images", ...path);
  const runtime = (...path: string[]): string => plugin("io.containerd.cri.v1.runtime", ...path);
  return [
    [plugin("io.containerd.grpc.v1.cri"), streamOptions(node)],
    [images(), { snapshotter: "overlayfs" }],
    [images("pinned_images"), { sandbox: pauseImage }],
    [images("registry"), { config_path: node.certsDir }],
    [runtime(), runtimeOptions(facts)],
    [runtime("cni"), cniOptions(node, facts)],
    [runtime("containerd"), { default_runtime_name: "runc" }],
    [runtime("containerd", "runtimes", "runc"), { runtime_type: "io.containerd.runc.v2" }],
    [runtime("containerd", "runtimes", "runc", "options"), runcOptions(facts)],
  ];
}

/** Bridge + host-local + portmap; addresses are leased per node, traffic keeps its source. */
export function cniNetwork(node: NodePlan): string {
  const network = {
    cniVersion: "0.4.0",
    name: "podnet",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        isDefaultGateway: true,
        hairpinMode: true,
        ipMasq: false,
        mtu: node.mtu,
        ipam: {
          type: "host-local",
          dataDir: `${node.stateDir}/cni-leases`,
          ranges: [[{ subnet: node.podCidr }]],
        },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
  return `${JSON.stringify(network, null, 2)}\n`;
}

/**
 * One mirror for every registry name: the one on the bridge. What it does not have is asked of the registry that the
 * image names, if there is a way out; otherwise `only` makes the mirror's answer the last word.
 */
export function mirrorHosts(registry: string, only: boolean): string {
  return [
    ...(only ? [`server = "http://${registry}"`, ""] : []),
    `[host."http://${registry}"]`,
    `  capabilities = ["pull", "resolve"]`,
    "",
  ].join("\n");
}

export function nodeRuntimeFiles(node: NodePlan, facts: RuntimeFacts): PlannedFile[] {
  return [
    { path: node.containerd.config, content: containerdConfig(node, facts) },
    { path: `${node.cniConfDir}/10-podnet.conflist`, content: cniNetwork(node) },
    { path: `${node.certsDir}/_default/hosts.toml`, content: mirrorHosts(node.registry, !facts.uplink) },
    { path: `${node.certsDir}/${node.registry}/hosts.toml`, content: mirrorHosts(node.registry, true) },
  ];
}
