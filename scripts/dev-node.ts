// A private node runtime for development: one network namespace with its own containerd, apart from any cluster.
//   scripts/node scripts/dev-node.ts 7          up (stays until Ctrl-C, then tears down)
//   scripts/node scripts/dev-node.ts 7 --keep   up, prints what to use, exits; run again: nothing changes
//   scripts/node scripts/dev-node.ts 7 --down   tears down
// N is 1..250: names lmdevN, bridge 10.199.N.1/24, node 10.199.N.11, pods 10.198.N.0/24.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { realClock } from "#base/clock.ts";
import { createLogger } from "#base/log.ts";
import { recordedDaemon, startDaemon, stopDaemon } from "#host/daemon.ts";
import { detectMachine } from "#host/machine.ts";
import { ipBatch } from "#host/network.ts";
import { setUpBridge, tearDownBridge } from "#cluster/network.ts";
import { removeNodeRuntime, startNodeRuntime } from "#cluster/node-runtime.ts";
import { pushPauseImage } from "#cluster/images/pause-push.ts";
import { planCluster, registryPort, type NodePlan } from "#cluster/plan.ts";
import { startRegistry } from "#cluster/registry/server.ts";

const number = Number(process.argv[2]);
const mode = process.argv[3];
if (!Number.isInteger(number) || number < 1 || number > 250) {
  console.error("usage: scripts/node scripts/dev-node.ts N [--keep | --down]   (N: 1..250)");
  process.exit(2);
}

const plan = planCluster({
  name: `lmdev${number}`,
  nodes: 1,
  subnets: {
    nodes: `10.199.${number}.0/24`,
    pods: `10.198.${number}.0/24`,
    services: "10.96.0.0/16",
    loadBalancers: `10.199.${number}.128/25`,
  },
});
const node = plan.nodes[0] as NodePlan;

const registryRecord = join(plan.runDir, "registry.pid");

async function serveRegistry(): Promise<void> {
  await startRegistry(
    { dir: plan.registryDir, address: plan.hostAddress, port: registryPort },
    createLogger(),
  );
  await pushPauseImage(plan.registry);
}

async function startRegistryDaemon(): Promise<void> {
  if (recordedDaemon(registryRecord) === undefined) {
    const command = [process.execPath, import.meta.filename, String(number), "--registry"];
    await startDaemon({ command, logFile: join(plan.logDir, "registry.log"), recordFile: registryRecord });
  }
}

async function down(): Promise<void> {
  await stopDaemon(registryRecord, 1000, realClock);
  await removeNodeRuntime(node, { clock: realClock });
  await tearDownBridge(plan);
  for (const dir of [plan.stateDir, plan.runDir]) rmSync(dir, { recursive: true, force: true });
  console.log(`lmdev${number} is gone`);
}

if (mode === "--down") {
  await down();
} else if (mode === "--registry") {
  await serveRegistry();
} else {
  await setUpBridge(plan);
  await startRegistryDaemon();
  await startNodeRuntime(node, [], { ...(await detectMachine()), uplink: false }, { clock: realClock });
  await ipBatch([`route replace ${node.podCidr} via ${node.address}`]);
  console.log(`node            ${node.name}
enter           nsenter --net=/run/netns/${node.netns} …
containerd      ${node.containerd.socket}   (log ${node.containerd.log})
node address    ${node.address}, host ${node.gateway}, pods ${node.podCidr} (the host has the route)
stream server   http://${node.address}:10010
kubelet folder  ${node.kubeletDir}
pod cgroups     /${node.cgroup}
mirror          http://${node.registry} for every image name (push: skopeo copy --dest-tls-verify=false … docker://${node.registry}/library/x:tag)
ctr             ctr -a ${node.containerd.socket} -n k8s.io …`);
  if (mode !== "--keep") {
    const hold = setInterval(() => undefined, 1 << 30);
    const end = (): void => {
      clearInterval(hold);
      void down();
    };
    process.once("SIGINT", end);
    process.once("SIGTERM", end);
    console.log("Ctrl-C tears it down.");
  }
}
