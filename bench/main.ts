// `npm run bench`: what Leme costs, beside a floor or a peer that is measured in the same run.
//   --only NAME   one part: start, requests, connections, lists, big-list, watchers, kubectl, scheduler, scale,
//                 big-cluster, up (which needs root: real nodes)
// Every part stops what it started, and ends by itself.

import { parseArgs } from "node:util";
import { table, type Row } from "./stats.ts";

interface Part {
  readonly name: string;
  readonly needsRoot?: boolean;
  run(progress: (text: string) => void): Promise<Row[]>;
}

const parts: readonly Part[] = [
  { name: "start", run: async (progress) => (await import("./start.ts")).startRows(progress) },
  { name: "requests", run: async (progress) => (await import("./requests.ts")).requestRows(progress) },
  {
    name: "connections",
    run: async (progress) => (await import("./connections.ts")).connectionRows(progress),
  },
  { name: "lists", run: async (progress) => (await import("./lists.ts")).listRows(progress) },
  { name: "big-list", run: async (progress) => (await import("./big-list.ts")).bigListRows(progress) },
  { name: "watchers", run: async (progress) => (await import("./watchers.ts")).watcherRows(progress) },
  { name: "kubectl", run: async (progress) => (await import("./kubectl.ts")).kubectlRows(progress) },
  { name: "scheduler", run: async (progress) => (await import("./scheduler.ts")).schedulerRows(progress) },
  { name: "scale", run: async (progress) => (await import("./scale.ts")).scaleRows(progress) },
  { name: "big-cluster", run: async (progress) => (await import("./scale.ts")).bigClusterRows(progress) },
  {
    name: "up",
    needsRoot: true,
    run: async (progress) => (await import("./cluster.ts")).clusterRows(progress),
  },
];

const { values } = parseArgs({ options: { only: { type: "string" } } });
const chosen = parts.filter(({ name }) => values.only === undefined || values.only === name);
if (chosen.length === 0) {
  console.error(`--only takes one of ${parts.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const rows: Row[] = [];
for (const { name, needsRoot = false, run } of chosen) {
  if (needsRoot && process.getuid?.() !== 0) {
    console.error(`${name}: left out, it needs root`);
    continue;
  }
  console.error(`${name} …`);
  rows.push(...(await run((text) => console.error(`  ${text}`))));
}
console.log(table(rows));
