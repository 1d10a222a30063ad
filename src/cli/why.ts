// `leme why`: why does it not run? In a few plain lines, with the next step.

import type { Command } from "commander";
import { localEnvironment } from "./environment.ts";

interface Flags {
  namespace?: string;
  kubeconfig?: string;
  context?: string;
}

async function run(words: string[], flags: Flags): Promise<void> {
  const [
    { createClient },
    { createHttpsTransport },
    { loadAccess },
    { gather, targetOf },
    { explain, tell },
  ] = await Promise.all([
    import("#client/client.ts"),
    import("#client/https-transport.ts"),
    import("#client/kubeconfig.ts"),
    import("#why/gather.ts"),
    import("#why/workload.ts"),
  ]);
  const { ref, name } = targetOf(words);
  const access = await loadAccess(
    flags.kubeconfig ?? localEnvironment(process.env).kubeconfig,
    flags.context,
  );
  const transport = createHttpsTransport(access);
  try {
    const evidence = await gather(createClient(transport), ref, flags.namespace ?? "default", name);
    process.stdout.write(tell(evidence, explain(evidence)));
  } finally {
    await transport.close();
  }
}

export function registerWhyCommand(program: Command): void {
  program
    .command("why")
    .description("why does a pod, a workload or a Service not do what it should?")
    .argument(
      "<what...>",
      "KIND/NAME: pod, deployment, replicaset, statefulset, daemonset, job, cronjob, service, …",
    )
    .option("-n, --namespace <name>", "its namespace (default: default)")
    .option("--kubeconfig <file>", "how to reach the API server (default: $KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "a context of that kubeconfig")
    .addHelpText(
      "after",
      "\nExamples:\n  leme why pod/web-5d59d67564-x7k2p\n  leme why deploy/web -n shop\n  leme why svc/web\n",
    )
    .action(run);
}
