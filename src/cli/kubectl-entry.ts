// Entry of the bundled kubectl.

import { kubectlProcess } from "./kubectl.ts";

void kubectlProcess(process.argv.slice(2));
