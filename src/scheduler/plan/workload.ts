// What a pod's Services and its ReplicationController select: the pods that it is to be spread among.

import type { ReplicationController, Service } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, type DeepReadonly } from "#machinery/meta.ts";
import { matches, selectorFromMap, type Selector } from "#machinery/selectors.ts";
import type { PodInfo } from "./pod-info.ts";

/** Undefined when nothing selects it. */
export function workloadSelector(
  info: PodInfo,
  services: readonly DeepReadonly<Service>[],
  controller: (key: string) => DeepReadonly<ReplicationController> | undefined,
): Selector | undefined {
  const selector: Selector[number][] = [];
  for (const service of services) {
    const own = selectorFromMap(service.spec?.selector);
    if (own.length > 0 && matches(own, info.labels)) selector.push(...own);
  }
  const owner = controllerOf(info.pod);
  if (owner?.kind === "ReplicationController")
    selector.push(...selectorFromMap(controller(`${info.namespace}/${owner.name}`)?.spec?.selector));
  return selector.length === 0 ? undefined : selector;
}
