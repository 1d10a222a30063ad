// The commands of the local provider: up, down, status, image load, and the processes that up starts.

import { isAbsolute } from "node:path";
import type { Command } from "commander";
import type { LocalCluster } from "#compose/local-cluster.ts";
import { addSystemPath, localEnvironment, ownCommand } from "./environment.ts";

interface LocalFlags {
  clusterName?: string;
  nodes?: string;
  kubeconfig?: string;
  serverFlag?: string[];
  hollowNodes?: string;
  nodeFlag?: string[];
}

/** up found problems that leave the cluster usable; 1 is a failure. */
const exitWithProblems = 2;

async function clusterOf(
  flags: LocalFlags,
  roots?: { stateRoot: string; runRoot: string },
): Promise<LocalCluster> {
  const { localCluster } = await import("#compose/local-cluster.ts");
  addSystemPath(process.env);
  const environment = localEnvironment(process.env);
  return localCluster({
    name: flags.clusterName ?? environment.clusterName,
    leme: ownCommand(),
    kubeconfig: flags.kubeconfig ?? environment.kubeconfig,
    roots,
  });
}

const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

export function registerLocalCommands(program: Command): void {
  const nameFlag = ["--cluster-name <name>", "cluster name (default: $CLUSTER_NAME or leme)"] as const;
  const kubeconfigFlag = [
    "--kubeconfig <file>",
    "kubeconfig to change (default: $KUBECONFIG or ~/.kube/config)",
  ] as const;

  program
    .command("up")
    .description("bring up a local cluster, or what is missing of it")
    .option(...nameFlag)
    .option("--nodes <number>", "number of nodes (default: $NUM_NODES or 3)")
    .option(...kubeconfigFlag)
    .option("--hollow-nodes <number>", "as many nodes more that run nothing, for tests and scale")
    .option("--server-flag <flag>", "one more flag for leme server; may be repeated", collect)
    .option("--node-flag <flag>", "one more flag for leme node; may be repeated", collect)
    .action(runUp);
  program
    .command("down")
    .description("take a local cluster away, with everything in it")
    .option(...nameFlag)
    .option(...kubeconfigFlag)
    .action(async (flags: LocalFlags) => (await clusterOf(flags)).down());
  program
    .command("status")
    .description("what runs of a local cluster, and on what machine")
    .option(...nameFlag)
    .action(async (flags: LocalFlags) => {
      const { lines, healthy } = await (await clusterOf(flags)).status();
      console.log(lines.join("\n"));
      if (!healthy) process.exitCode = 1;
    });
  registerImageCommands(program);
  registerProcesses(program);
}

async function runUp(flags: LocalFlags): Promise<void> {
  const nodes = flags.nodes === undefined ? localEnvironment(process.env).nodes : Number(flags.nodes);
  const cluster = await clusterOf(flags);
  const { plan, alreadyUp, notReady } = await cluster.up(nodes, (line) => console.log(line), {
    server: [
      ...(flags.serverFlag ?? []),
      ...(flags.hollowNodes === undefined ? [] : ["--hollow-nodes", flags.hollowNodes]),
    ],
    node: flags.nodeFlag,
  });
  if (notReady.length > 0) {
    console.log(`Not ready: ${notReady.join(", ")}`);
    process.exitCode = exitWithProblems;
  } else if (alreadyUp) {
    console.log(`The cluster "${plan.name}" is up already: ${plan.nodes.length} nodes ready`);
  } else {
    console.log(`The cluster "${plan.name}" is up: ${plan.nodes.length} nodes ready`);
  }
}

function registerImageCommands(program: Command): void {
  const image = program.command("image").description("images of a local cluster");
  image
    .command("load")
    .description("push images from OCI or Docker archives (or OCI layout folders) to the cluster's registry")
    .argument("<file...>", "archives, or folders with an OCI layout")
    .option("--cluster-name <name>", "cluster name (default: $CLUSTER_NAME or leme)")
    .option("--name <image>", "the image's name, instead of the one in the archive")
    .option("--registry <host:port>", "push there instead of to a cluster's registry")
    .action(async (files: string[], flags: LocalFlags & { name?: string; registry?: string }) => {
      if (flags.name !== undefined && files.length > 1)
        throw new Error("--name names one image: give one file");
      const { loadImages } = await import("#cluster/images/load.ts");
      const registry = flags.registry ?? (await clusterOf(flags)).registry();
      for (const file of files)
        for (const name of await loadImages(file, { registry, as: flags.name }))
          console.log(`Loaded ${name}`);
    });
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const hold = setInterval(() => undefined, 2 ** 30);
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        clearInterval(hold);
        resolve();
      });
  });
}

/** What `up` starts in the background; also usable by hand. */
function registerProcesses(program: Command): void {
  program
    .command("bridge", { hidden: true })
    .description("the host's side of a local cluster: registry and routes")
    .requiredOption("--cluster-name <name>")
    .requiredOption("--state-root <folder>")
    .requiredOption("--run-root <folder>")
    .action(async (flags: { clusterName: string; stateRoot: string; runRoot: string }) => {
      const cluster = await clusterOf({ clusterName: flags.clusterName }, flags);
      const bridge = await cluster.bridge();
      await untilSignal();
      await bridge.stop();
    });
  program
    .command("registry")
    .description("serve an OCI registry from a folder, in the foreground")
    .requiredOption("--dir <folder>", "where blobs and manifests are kept")
    .option("--address <address>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on", "5000")
    .action(async ({ dir, address, port }: { dir: string; address: string; port: string }) => {
      const [{ startRegistry }, { createLogger }] = await Promise.all([
        import("#cluster/registry/server.ts"),
        import("#base/log.ts"),
      ]);
      const folder = isAbsolute(dir) ? dir : `${process.cwd()}/${dir}`;
      const registry = await startRegistry({ dir: folder, address, port: Number(port) }, createLogger());
      await untilSignal();
      await registry.stop();
    });
}
