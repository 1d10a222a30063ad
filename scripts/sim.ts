// `npm run sim`: simulated clusters on a virtual clock, one for each seed; a seed that fails does so again.
//   npm run sim -- --seed 7 --minutes 20 --faults watches,crashes --verbose
//   npm run sim -- --seed 1 --seeds 1000

import { parseArgs } from "node:util";
import { faultNames, simulate, type FaultName } from "#compose/simulation/simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    minutes: { type: "string", default: "5" },
    nodes: { type: "string", default: "4" },
    faults: { type: "string", default: "all" },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(`Simulated clusters on a virtual clock.

  --seed N       the first seed (1)
  --seeds N      how many, one after the other (1)
  --minutes M    of simulated time in which users act and things fail (5)
  --nodes N      hollow nodes (4)
  --faults LIST  all, none, or some of ${faultNames.join(",")}
  --verbose      what happens, as it happens`);
  process.exit(0);
}

function faultsOf(text: string): FaultName[] {
  if (text === "all") return [...faultNames];
  if (text === "none") return [];
  return text.split(",").map((name) => {
    const known = faultNames.find((one) => one === name);
    if (known === undefined)
      throw new Error(`--faults: ${name} is not one of all, none, ${faultNames.join(", ")}`);
    return known;
  });
}

const first = Number(values.seed);
const count = Number(values.seeds);
const faults = faultsOf(values.faults);
const began = performance.now();
let simulatedMs = 0;
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = await simulate({
    seed,
    minutes: Number(values.minutes),
    nodes: Number(values.nodes),
    faults,
    ...(values.verbose ? { report: console.log } : {}),
  });
  simulatedMs += result.simulatedMs;
  if (result.violations.length > 0) {
    failed++;
    console.log(`seed ${seed}:\n  ${result.violations.join("\n  ")}`);
  }
  if (count > 1 && (seed - first + 1) % 50 === 0)
    console.error(`${seed - first + 1} of ${count} seeds, ${failed} failed`);
}
const hours = (simulatedMs / 3_600_000).toFixed(1);
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(`${count} seeds from ${first}: ${failed} failed; ${hours} simulated hours in ${seconds} s`);
process.exitCode = failed > 0 ? 1 : 0;
