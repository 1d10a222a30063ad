// `leme …`: which command was asked for. Each command's code is loaded when it runs, so that none pays for another.

import { Command } from "commander";
import { registerLocalCommands } from "./local.ts";
import { registerNodeCommand } from "./node.ts";
import { registerServerCommand } from "./server.ts";

const program = new Command("leme").description("Kubernetes in TypeScript").version("0.1.0");
registerLocalCommands(program);
registerServerCommand(program);
registerNodeCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
