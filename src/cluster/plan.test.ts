import assert from "node:assert/strict";
import { test } from "node:test";
import { loadBalancerRange, nodeCommand, serverCommand } from "./commands.ts";
import {
  cniNetwork,
  containerdConfig,
  mirrorHosts,
  nodeRuntimeFiles,
  type RuntimeFacts,
} from "./node-files.ts";
import { clusterNameProblem, linkName, planCluster, subnetsOfSlot, type NodePlan } from "./plan.ts";
import { chooseSubnets } from "./record.ts";
import { addressAt, overlaps, subnetOf } from "./subnets.ts";

const plan = planCluster({ name: "leme", nodes: 3, subnets: subnetsOfSlot(0) });
const first = plan.nodes[0] as NodePlan;

test("a cluster of three: names and addresses", () => {
  assert.deepEqual(
    plan.nodes.map(({ name, address, podCidr, hostLink }) => [name, address, podCidr, hostLink]),
    [
      ["leme-node-1", "10.200.0.11", "10.244.1.0/24", "lmleme-1"],
      ["leme-node-2", "10.200.0.12", "10.244.2.0/24", "lmleme-2"],
      ["leme-node-3", "10.200.0.13", "10.244.3.0/24", "lmleme-3"],
    ],
  );
  assert.equal(plan.bridge, "lm-leme");
  assert.equal(plan.apiServer, "https://10.200.0.1:6443");
  assert.equal(plan.clusterDns, "10.96.0.10");
  assert.equal(plan.registry, "10.200.0.1:5000");
  assert.equal(loadBalancerRange(plan), "10.200.0.128-10.200.0.254");
});

test("unix socket paths fit, and no two nodes or clusters share a name, path, link or address", () => {
  const long = "a".repeat(40);
  const clusters = [
    plan,
    planCluster({ name: long, nodes: 100, subnets: subnetsOfSlot(1) }),
    planCluster({ name: `${long.slice(1)}b`, nodes: 100, subnets: subnetsOfSlot(2) }),
  ];
  const nodes = clusters.flatMap((cluster) => cluster.nodes);
  for (const pick of ["name", "address", "podCidr", "hostLink", "stateDir", "runDir", "cgroup"] as const)
    assert.equal(new Set(nodes.map((node) => node[pick])).size, nodes.length, pick);
  assert.equal(new Set(clusters.map((cluster) => cluster.bridge)).size, clusters.length);
  for (const node of nodes) {
    assert.ok(node.hostLink.length <= 15, node.hostLink);
    assert.ok(Buffer.byteLength(node.containerd.socket) <= 107, node.containerd.socket);
  }
});

test("names and sizes that are refused", () => {
  for (const name of ["", "Leme", "a_b", "-a", "a-", "a".repeat(41), "../x", "a b"])
    assert.ok(clusterNameProblem(name) !== undefined, name);
  for (const nodes of [0, -1, 1.5, 101, Number.NaN])
    assert.throws(() => planCluster({ name: "x", nodes, subnets: subnetsOfSlot(0) }), /number of nodes/);
});

test("link names", () => {
  assert.equal(linkName("lm-", "abcdefghijkl"), "lm-abcdefghijkl");
  assert.equal(linkName("lm-", "abcdefghijklm").length, 15);
  assert.notEqual(linkName("lm-", "abcdefghijklm1"), linkName("lm-", "abcdefghijklm2"));
});

test("subnet arithmetic", () => {
  assert.equal(addressAt("10.200.0.0/24", 255), "10.200.0.255");
  assert.throws(() => addressAt("10.200.0.0/24", 256));
  assert.equal(subnetOf("10.244.0.0/16", 24, 255), "10.244.255.0/24");
  assert.throws(() => subnetOf("10.244.0.0/16", 24, 256));
  assert.equal(subnetOf("10.198.7.0/24", 24, 1), "10.198.7.0/24");
  const cases: readonly [string, string, boolean][] = [
    ["10.0.0.0/8", "10.96.0.0/16", true],
    ["10.96.0.0/16", "10.97.0.0/16", false],
    ["0.0.0.0/0", "192.0.2.1", true],
    ["10.96.0.10", "10.96.0.0/16", true],
  ];
  for (const [a, b, expected] of cases) assert.equal(overlaps(a, b), expected, `${a} ${b}`);
});

test("subnets of a second cluster, and of a machine that uses the first ones", () => {
  assert.deepEqual(chooseSubnets([], [{ dst: "default" }, { dst: "192.0.2.0/24" }]), subnetsOfSlot(0));
  assert.deepEqual(chooseSubnets([subnetsOfSlot(0)], []), subnetsOfSlot(1));
  assert.deepEqual(
    chooseSubnets([subnetsOfSlot(1)], [{ dst: "10.244.3.0/24", dev: "vpn0" }]),
    subnetsOfSlot(2),
  );
  // A broad route, as of a VPN, is only shadowed.
  assert.deepEqual(chooseSubnets([], [{ dst: "10.0.0.0/8", dev: "vpn0" }]), subnetsOfSlot(0));
  const all = Array.from({ length: 8 }, (_, slot) => subnetsOfSlot(slot));
  assert.throws(() => chooseSubnets(all, []), /another cluster/);
});

const facts: RuntimeFacts = {
  apparmor: false,
  capSysResource: false,
  containerdVersion: "1.6.20",
  runcPath: "/usr/sbin/runc",
  cniBinDir: "/usr/lib/cni",
  uplink: true,
};

test("containerd's configuration by version", () => {
  const cases: readonly [string, RegExp[], RegExp[]][] = [
    ["1.6.20", [/^version = 2$/m, /sandbox_image = "registry\.k8s\.io\/pause:3\.9"/], [/nri/, /cri\.v1/]],
    [
      "1.7.24",
      [/^version = 2$/m, /\[plugins\."io\.containerd\.nri\.v1\.nri"\]\ndisable = true/],
      [/cri\.v1/],
    ],
    [
      "2.1.9",
      [/^version = 3$/m, /pinned_images\]\nsandbox = "registry/, /cri\.v1\.runtime"\.cni\]/],
      [/sandbox_image/],
    ],
  ];
  for (const [containerdVersion, present, absent] of cases) {
    const text = containerdConfig(first, { ...facts, containerdVersion });
    for (const pattern of [
      ...present,
      /restrict_oom_score_adj = true/,
      /stream_server_address = "10\.200\.0\.11"/,
    ])
      assert.match(text, pattern, containerdVersion);
    for (const pattern of absent) assert.doesNotMatch(text, pattern, containerdVersion);
  }
  for (const containerdVersion of ["1.5.9", undefined])
    assert.throws(() => containerdConfig(first, { ...facts, containerdVersion }), /1\.6 or newer/);
});

test("what a machine allows goes into the configuration", () => {
  const free = containerdConfig(first, { ...facts, apparmor: true, capSysResource: true });
  assert.match(free, /^oom_score = -999$/m);
  assert.match(free, /disable_apparmor = false/);
  assert.match(free, /restrict_oom_score_adj = false/);
  assert.match(containerdConfig(first, facts), /^oom_score = 0$/m);
});

test("the node's network and mirror", () => {
  const network = JSON.parse(cniNetwork(first)) as {
    plugins: { ipam?: { dataDir: string; ranges: unknown } }[];
  };
  assert.deepEqual(network.plugins[0]?.ipam?.ranges, [[{ subnet: "10.244.1.0/24" }]]);
  assert.ok(network.plugins[0]?.ipam?.dataDir.startsWith(first.stateDir));
  assert.equal(
    mirrorHosts("10.200.0.1:5000", true),
    `server = "http://10.200.0.1:5000"\n\n[host."http://10.200.0.1:5000"]\n  capabilities = ["pull", "resolve"]\n`,
  );
});

test("with a way out the named registry is asked after the mirror", () => {
  const servers = (uplink: boolean): boolean[] =>
    nodeRuntimeFiles(first, { ...facts, uplink })
      .filter((file) => file.path.endsWith("hosts.toml"))
      .map((file) => file.content.startsWith("server = "));
  assert.deepEqual(servers(true), [false, true]);
  assert.deepEqual(servers(false), [true, true]);
});

test("command lines", () => {
  const server = serverCommand(["node", "main.ts"], plan, ["--node-monitor-grace-period=5s"]);
  assert.deepEqual(server.slice(0, 3), ["node", "main.ts", "server"]);
  assert.equal(server.at(-1), "--node-monitor-grace-period=5s");
  const node = nodeCommand(["leme"], plan, first);
  assert.deepEqual(node.slice(0, 5), ["nsenter", "--net=/run/netns/leme-node-1", "--", "leme", "node"]);
  assert.ok(node.includes("--pod-cidr=10.244.1.0/24"));
});
