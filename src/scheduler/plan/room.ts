// Amounts of resources: what a node has, what its pods ask for, what a pod asks for. The three that every node has are
// plain numbers, because they are compared for each pod and node; all others are looked up by name.

import type { Amounts } from "#resources/core/pod/requests.ts";

/** CPU in thousandths, everything else in whole units. */
export interface Room {
  readonly cpu: number;
  readonly memory: number;
  readonly storage: number;
  /** Hugepages and extended resources; undefined when there are none. */
  readonly others: ReadonlyMap<string, number> | undefined;
}

export interface MutableRoom extends Room {
  cpu: number;
  memory: number;
  storage: number;
  others: Map<string, number> | undefined;
}

const plain = new Set(["cpu", "memory", "ephemeral-storage", "pods"]);

export function roomOf(amounts: Amounts): Room {
  const others = Object.entries(amounts).filter(([name, amount]) => !plain.has(name) && amount !== 0);
  return {
    cpu: amounts["cpu"] ?? 0,
    memory: amounts["memory"] ?? 0,
    storage: amounts["ephemeral-storage"] ?? 0,
    others: others.length === 0 ? undefined : new Map(others),
  };
}

export const noRoom: Room = { cpu: 0, memory: 0, storage: 0, others: undefined };

export const emptyRoom = (): MutableRoom => ({ cpu: 0, memory: 0, storage: 0, others: undefined });

export function addRoom(to: MutableRoom, { cpu, memory, storage, others }: Room, sign: 1 | -1): void {
  to.cpu += sign * cpu;
  to.memory += sign * memory;
  to.storage += sign * storage;
  if (others === undefined) return;
  const held = (to.others ??= new Map());
  for (const [name, amount] of others) {
    const sum = (held.get(name) ?? 0) + sign * amount;
    if (sum === 0) held.delete(name);
    else held.set(name, sum);
  }
}

/** One resource by its name. */
export function amountIn({ cpu, memory, storage, others }: Room, name: string): number {
  if (name === "cpu") return cpu;
  if (name === "memory") return memory;
  if (name === "ephemeral-storage") return storage;
  return others?.get(name) ?? 0;
}
