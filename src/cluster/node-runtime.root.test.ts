// A whole node runtime on this machine: namespace, containerd, registry, a pod through CRI; then nothing is left.

import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { connectRuntime } from "#cri/client.ts";
import { detectCgroups } from "#host/cgroups.ts";
import { allPids, commandLine } from "#host/identity.ts";
import { detectMachine } from "#host/machine.ts";
import { listMounts } from "#host/mounts.ts";
import { ipBatch, listLinks } from "#host/network.ts";
import { run, runOk } from "#host/run.ts";
import { pushPauseImage } from "./images/pause-push.ts";
import { setUpBridge, tearDownBridge } from "./network.ts";
import { pauseImage, streamPort } from "./node-files.ts";
import { removeNodeRuntime, startNodeRuntime } from "./node-runtime.ts";
import { planCluster, registryPort, type NodePlan } from "./plan.ts";
import { prerequisiteProblems } from "./prereqs.ts";
import { startRegistry } from "./registry/server.ts";

// No egress is opened for this node, so its registry is the only one.
const machine = { ...(await detectMachine()), uplink: false };
const problems = prerequisiteProblems(machine, process.getuid?.() ?? -1, process.platform);
const skip = problems.length > 0 && problems.join("; ");
const plan = planCluster({
  name: "lmtest1",
  nodes: 1,
  subnets: {
    nodes: "10.199.251.0/24",
    pods: "10.198.251.0/24",
    services: "10.96.0.0/16",
    loadBalancers: "10.199.251.128/25",
  },
});
const node = plan.nodes[0] as NodePlan;
const deps = { clock: realClock };

async function removeAll(): Promise<void> {
  await removeNodeRuntime(node, deps);
  await tearDownBridge(plan);
  for (const folder of [plan.stateDir, plan.runDir]) rmSync(folder, { recursive: true, force: true });
}

after(async () => {
  if (skip === false) await removeAll();
});

const sandboxOf = (name: string) => ({
  metadata: { name, namespace: "default", uid: `uid-${name}`, attempt: 0 },
  hostname: name,
  logDirectory: `${node.kubeletDir}/logs/${name}`,
  linux: { cgroupParent: `/${node.cgroup}/pod${name}` },
});

/** Everything of this machine that could be ours, by the names that only this test uses. */
async function leftovers(ids: readonly string[]): Promise<string[]> {
  const ours = (text: string): boolean => text.includes("lmtest1") || ids.some((id) => text.includes(id));
  const entries = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const cgroups = detectCgroups().roots.flatMap((root) => entries(root).map((entry) => join(root, entry)));
  const shared = [
    "/run/containerd/runc/k8s.io",
    "/run/containerd/s",
    "/var/lib/cni/results",
    "/run/netns",
  ].flatMap((folder) => entries(folder).map((entry) => join(folder, entry)));
  return [
    ...listMounts().map((mount) => `mount ${mount.target}`),
    ...(await listLinks()).map((link) => `link ${link.ifname}`),
    ...allPids()
      .filter((pid) => pid !== process.pid)
      .map((pid) => `process ${pid} ${commandLine(pid).join(" ")}`),
    ...cgroups,
    ...shared,
    ...entries("/var/lib/leme"),
    ...entries("/run/leme"),
    (await run(["nft", "list", "tables"])).stdout,
  ].filter(ours);
}

/** What a pod may do to the host and its node: pull, but neither push nor reach the unauthenticated streams. */
async function checkWalls(): Promise<void> {
  const namespaces = listMounts().filter(
    (mount) => mount.type === "nsfs" && mount.target.startsWith(node.runDir),
  );
  const pod = namespaces[0]?.target;
  assert.ok(pod !== undefined);
  const probe = async (url: string, method: string): Promise<string> => {
    const script = `fetch("${url}", { method: "${method}", signal: AbortSignal.timeout(2000) }).then(
      (answer) => console.log(answer.status), (error) => console.log(error.name)).then(() => process.exit())`;
    return (await runOk(["nsenter", `--net=${pod}`, process.execPath, "-e", script])).trim();
  };
  assert.equal(await probe(`http://${plan.registry}/v2/`, "GET"), "200");
  assert.equal(await probe(`http://${plan.registry}/v2/x/blobs/uploads/`, "POST"), "403");
  assert.equal(await probe(`http://${node.address}:${streamPort}/`, "GET"), "TimeoutError");
}

test(
  "a node runtime comes up twice without change, runs pods, and goes without a trace",
  { skip },
  async () => {
    await removeAll();
    await setUpBridge(plan);
    const registry = await startRegistry(
      { dir: plan.registryDir, address: plan.hostAddress, port: registryPort },
      silentLogger,
    );
    const ids: string[] = [];
    try {
      await pushPauseImage(plan.registry);
      const first = await startNodeRuntime(node, plan.nodes, machine, deps);
      assert.equal(first.started, true);
      const again = await startNodeRuntime(node, plan.nodes, machine, deps);
      assert.deepEqual(again, { containerd: first.containerd, started: false });

      const runtime = connectRuntime(node.containerd.socket);
      try {
        // The pull of the sandbox image goes through the mirror; its address is from the node's pod subnet.
        for (const name of ["one", "two"]) ids.push(await runtime.runPodSandbox(sandboxOf(name)));
        const status = await runtime.podSandboxStatus(ids[0] as string);
        assert.equal(status.state, "SANDBOX_READY");
        assert.match(JSON.stringify(status), /"10\.198\.251\.\d+"/);
        await ipBatch([`route replace ${node.podCidr} via ${node.address}`]);
        await checkWalls();
        assert.ok(ids.length === 2 && (await leftovers(ids)).length > 10);
      } finally {
        runtime.close();
      }
    } finally {
      await registry.stop();
      // With pods running: nobody stopped them first.
      await removeAll();
    }
    assert.deepEqual(await leftovers(ids), []);
  },
);

test("an image that nobody pushed is not found, at once", { skip }, async () => {
  await setUpBridge(plan);
  const registry = await startRegistry(
    { dir: plan.registryDir, address: plan.hostAddress, port: registryPort },
    silentLogger,
  );
  try {
    await pushPauseImage(plan.registry);
    await startNodeRuntime(node, plan.nodes, machine, deps);
    const runtime = connectRuntime(node.containerd.socket);
    try {
      await assert.rejects(runtime.pullImage("nobody/nothing:v1", undefined, sandboxOf("x")), /not found/);
      assert.ok((await runtime.pullImage(pauseImage, undefined, sandboxOf("x"))).length > 0);
    } finally {
      runtime.close();
    }
  } finally {
    await registry.stop();
    await removeAll();
  }
});
