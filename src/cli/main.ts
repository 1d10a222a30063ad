// `leme …`: which command was asked for. Each command's code is loaded when it runs, so that none pays for another.

import { Command } from "commander";
import { registerHollowCommand } from "./hollow.ts";
import { registerLocalCommands } from "./local.ts";
import { registerNodeCommand } from "./node.ts";
import { registerServerCommand } from "./server.ts";
import { registerWhyCommand } from "./why.ts";

if (process.argv[2] === "kubectl") {
  const { kubectlProcess } = await import("./kubectl.ts");
  await kubectlProcess(process.argv.slice(3));
}

const program = new Command("leme").description("Kubernetes in TypeScript").version("0.1.0");
registerLocalCommands(program);
registerServerCommand(program);
registerNodeCommand(program);
registerHollowCommand(program);
registerWhyCommand(program);
program.command("kubectl").description("our kubectl, as `bin/kubectl`: every word after it is kubectl's own");

try {
  await program.parseAsync();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
