// Taints and what tolerates them: shared by the scheduler, eviction by taint, and the kubelet.

import type { Taint, Toleration } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

type ReadTaint = DeepReadonly<Taint>;
type Tolerations = readonly DeepReadonly<Toleration>[];

/** An empty key with `Exists` tolerates every key, an empty effect every effect. */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: ReadTaint): boolean {
  const { key = "", operator = "", value = "", effect = "" } = toleration;
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return (operator === "" || operator === "Equal") && key !== "" && value === (taint.value ?? "");
}

export function isTolerated(taint: ReadTaint, tolerations: Tolerations): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

/**
 * How long a pod may stay on a node with these NoExecute taints: "evict" (one is not tolerated), "stay",
 * or the fewest seconds that a matching toleration allows.
 */
export function toleratedFor(
  taints: readonly ReadTaint[],
  tolerations: Tolerations,
): "evict" | "stay" | number {
  let seconds = Infinity;
  for (const taint of taints) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return "evict";
    for (const { tolerationSeconds } of matching)
      if (tolerationSeconds !== undefined) seconds = Math.min(seconds, Math.max(0, tolerationSeconds));
  }
  return seconds === Infinity ? "stay" : seconds;
}
