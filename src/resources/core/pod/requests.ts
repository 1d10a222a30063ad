// What a pod asks of a node: containers together, or its hungriest init step if that is more, plus overhead.
// CPU in thousandths, everything else in whole units.

import { quantityMilli, quantityValue } from "#machinery/quantity.ts";
import type { Container, PodSpec, ResourceRequirements } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

/** By resource name; absent is zero. */
export type Amounts = Readonly<Record<string, number>>;

type Mutable = Record<string, number>;
type Spec = DeepReadonly<PodSpec>;
type ReadContainer = DeepReadonly<Container>;

export function amountOf(resource: string, quantity: string | number): number {
  return resource === "cpu" ? quantityMilli(quantity) : quantityValue(quantity);
}

export function amountsOf(list: DeepReadonly<Record<string, string>> | undefined): Amounts {
  const amounts: Mutable = Object.create(null) as Mutable;
  for (const [resource, quantity] of Object.entries(list ?? {}))
    amounts[resource] = amountOf(resource, quantity);
  return amounts;
}

function add(to: Mutable, more: Amounts): void {
  for (const [resource, amount] of Object.entries(more)) to[resource] = (to[resource] ?? 0) + amount;
}

function raise(to: Mutable, at: Amounts): void {
  for (const [resource, amount] of Object.entries(at)) to[resource] = Math.max(to[resource] ?? 0, amount);
}

export type AmountsOfContainer = (container: ReadContainer) => Amounts;

const requested: AmountsOfContainer = (container) => amountsOf(container.resources?.requests);

/** `of` tells what one container counts for; by default its requests. */
export function podRequests(spec: Spec, of: AmountsOfContainer = requested): Amounts {
  const total: Mutable = Object.create(null) as Mutable;
  for (const container of spec.containers) add(total, of(container));
  // Init containers run one after another, each beside the sidecars that started before it.
  const sidecars: Mutable = Object.create(null) as Mutable;
  const peak: Mutable = Object.create(null) as Mutable;
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") {
      add(sidecars, of(container));
      raise(peak, sidecars);
      continue;
    }
    const step: Mutable = Object.assign(Object.create(null), sidecars) as Mutable;
    add(step, of(container));
    raise(peak, step);
  }
  add(total, sidecars);
  raise(total, peak);
  const whole: DeepReadonly<ResourceRequirements> | undefined = spec.resources;
  for (const [resource, amount] of Object.entries(amountsOf(whole?.requests))) total[resource] = amount;
  add(total, amountsOf(spec.overhead));
  return total;
}
