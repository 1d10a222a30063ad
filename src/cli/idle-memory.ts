// Gives memory back to the system when a burst of work is over. V8 collects when it allocates: a server that has become
// idle would keep what its busiest minute needed.

import { performance } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const lookEveryMs = 10_000;
/** The share of the last look's time in which the event loop may have worked. */
const idleShare = 0.05;
/** Less than this is not worth a collection. */
const worthBytes = 32 * 1024 * 1024;

type Collect = (options: { type: "major"; execution: "async" }) => Promise<void>;

const heldBytes = (): number => {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
};

/** Until the returned function is called. Keeps no process alive. */
export function giveBackWhenIdle(): () => void {
  let least = Infinity;
  let before = performance.eventLoopUtilization();
  let collect: Collect | undefined;
  const look = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const held = heldBytes();
    least = Math.min(least, held);
    if (utilization > idleShare || held - least < worthBytes) return;
    if (collect === undefined) {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as Collect;
    }
    void collect({ type: "major", execution: "async" }).then(() => (least = heldBytes()));
  };
  const timer = setInterval(look, lookEveryMs).unref();
  return () => clearInterval(timer);
}
