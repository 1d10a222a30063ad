// `/stats/summary`: CPU and memory of the node and of each container, in the kubelet's documented form.

import type { ContainerStats } from "#cri/messages.ts";
import type { NodeContext } from "../node-context.ts";
import { machineFacts } from "../machine-facts.ts";
import {
  containerNameLabel,
  nodeLabel,
  podNameLabel,
  podNamespaceLabel,
  podUidLabel,
} from "../plan/sandbox-config.ts";
import { usageOfMachine } from "./container-usage.ts";

const time = (nanoseconds: number): string => `${new Date(nanoseconds / 1e6).toISOString().slice(0, 19)}Z`;

interface Sample {
  readonly atNs: number;
  readonly totalNs: number;
}

/** Rates need two looks: the last one of each container is remembered. */
export class StatsCollector {
  readonly #context: NodeContext;
  readonly #last = new Map<string, Sample>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  async summary(dataDir: string): Promise<object> {
    const { runtime, nodeName } = this.#context;
    const stats = await runtime.listContainerStats({ labels: { [nodeLabel]: nodeName } });
    const pods = new Map<string, { podRef: object; containers: object[] }>();
    const present = new Set<string>();
    for (const stat of stats) {
      const labels = stat.attributes.labels;
      present.add(stat.attributes.id);
      const uid = labels[podUidLabel] ?? "";
      let pod = pods.get(uid);
      if (pod === undefined) {
        pod = {
          podRef: { name: labels[podNameLabel] ?? "", namespace: labels[podNamespaceLabel] ?? "", uid },
          containers: [],
        };
        pods.set(uid, pod);
      }
      pod.containers.push(this.#container(stat, labels[containerNameLabel] ?? ""));
    }
    for (const id of this.#last.keys()) if (id !== "" && !present.has(id)) this.#last.delete(id);
    return { node: this.#node(dataDir), pods: [...pods.values()] };
  }

  #rate(id: string, atNs: number, totalNs: number): number | undefined {
    const before = this.#last.get(id);
    if (before === undefined || atNs > before.atNs) this.#last.set(id, { atNs, totalNs });
    if (before === undefined || atNs <= before.atNs) return undefined;
    return Math.max(0, Math.round(((totalNs - before.totalNs) / (atNs - before.atNs)) * 1e9));
  }

  #container({ attributes, cpu, memory, writableLayer }: ContainerStats, name: string): object {
    const total = cpu?.usageCoreNanoSeconds?.value ?? 0;
    const rate = cpu === null ? undefined : this.#rate(attributes.id, cpu.timestamp, total);
    return {
      name,
      ...(cpu === null
        ? {}
        : {
            cpu: {
              time: time(cpu.timestamp),
              ...(rate === undefined ? {} : { usageNanoCores: rate }),
              usageCoreNanoSeconds: total,
            },
          }),
      ...(memory === null
        ? {}
        : {
            memory: {
              time: time(memory.timestamp),
              usageBytes: memory.usageBytes?.value ?? memory.workingSetBytes?.value ?? 0,
              workingSetBytes: memory.workingSetBytes?.value ?? 0,
              rssBytes: memory.rssBytes?.value ?? 0,
            },
          }),
      ...(writableLayer === null
        ? {}
        : {
            rootfs: {
              time: time(writableLayer.timestamp),
              usedBytes: writableLayer.usedBytes?.value ?? 0,
              inodesUsed: writableLayer.inodesUsed?.value ?? 0,
            },
          }),
    };
  }

  #node(dataDir: string): object {
    const { nodeName, clock } = this.#context;
    const machine = machineFacts(dataDir);
    const { atMs, cpuSeconds, memoryBytes } = usageOfMachine(machine, clock.now());
    const atNs = atMs * 1e6;
    const totalNs = Math.round(cpuSeconds * 1e9);
    const rate = this.#rate("", atNs, totalNs);
    return {
      nodeName,
      cpu: {
        time: time(atNs),
        ...(rate === undefined ? {} : { usageNanoCores: rate }),
        usageCoreNanoSeconds: totalNs,
      },
      memory: {
        time: time(atNs),
        availableBytes: machine.memoryAvailableBytes,
        workingSetBytes: memoryBytes,
        usageBytes: memoryBytes,
      },
      fs: {
        time: time(atNs),
        capacityBytes: machine.diskBytes,
        availableBytes: machine.diskFreeBytes,
        usedBytes: machine.diskBytes - machine.diskFreeBytes,
      },
    };
  }
}
