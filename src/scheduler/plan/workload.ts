// What a pod's Services and its controller select: the pods that it is to be spread among.

import { matches, type Selector } from "#machinery/selectors.ts";
import type { PodInfo } from "./pod-info.ts";

/** Undefined when nothing selects it. */
export function workloadSelector(
  { shape }: PodInfo,
  services: readonly Selector[],
  controller: Selector | undefined,
): Selector | undefined {
  const own = services.filter((selector) => selector.length > 0 && matches(selector, shape.labels));
  const selector = [...own.flat(), ...(controller ?? [])];
  return selector.length === 0 ? undefined : selector;
}
