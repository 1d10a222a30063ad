// What the runtime and the kernel say was used, as the forms that are served count it.

import { readFileSync } from "node:fs";
import type { ContainerStats } from "#cri/messages.ts";
import { containerNameLabel, podNameLabel, podNamespaceLabel } from "../plan/sandbox-config.ts";
import type { MachineFacts } from "../plan/node-status.ts";
import type { ContainerUsage, MachineUsage } from "./resource-metrics.ts";

const nsPerMs = 1e6;

/** `startedAtMs` by the container's id. */
export function usageOfContainer(
  { attributes, cpu, memory }: ContainerStats,
  startedAtMs: ReadonlyMap<string, number>,
): ContainerUsage {
  const { id, labels } = attributes;
  return {
    namespace: labels[podNamespaceLabel] ?? "",
    pod: labels[podNameLabel] ?? "",
    container: labels[containerNameLabel] ?? "",
    startedAtMs: startedAtMs.get(id),
    cpu:
      cpu === null
        ? undefined
        : { atMs: cpu.timestamp / nsPerMs, seconds: (cpu.usageCoreNanoSeconds?.value ?? 0) / 1e9 },
    memory:
      memory === null
        ? undefined
        : { atMs: memory.timestamp / nsPerMs, bytes: memory.workingSetBytes?.value ?? 0 },
  };
}

/** Ticks of /proc/stat, which are hundredths of a second. */
const ticksPerSecond = 100;

/** A local node shares its machine, so this is the machine's load. */
export function usageOfMachine(facts: MachineFacts, nowMs: number): MachineUsage {
  const ticks = (/^cpu\s+(.*)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? "")
    .split(/\s+/)
    .map(Number);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  // Those of guests are in their hosts' already.
  const busy = ticks.slice(0, 8).reduce((sum, tick) => sum + tick, 0) - idle;
  return {
    atMs: nowMs,
    cpuSeconds: busy / ticksPerSecond,
    memoryBytes: facts.memoryBytes - facts.memoryAvailableBytes,
  };
}
