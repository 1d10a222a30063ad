// How fast an autoscaler may follow what its metrics ask for: the stabilisation over what was asked for lately, then the
// policies' limits on changes in a period, then the bounds of the spec. Pure.

import type {
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from "#machinery/gen/types/autoscaling-v2.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export interface Timed {
  readonly replicas: number;
  readonly atMs: number;
}

/** What an autoscaler remembers: what its metrics asked for, and by how much it has changed the scale. */
export interface Memory {
  readonly recommendations: readonly Timed[];
  readonly ups: readonly Timed[];
  readonly downs: readonly Timed[];
}

export const noMemory: Memory = { recommendations: [], ups: [], downs: [] };

/** Neither windows nor periods are longer than this. */
const memoryMs = 3_600_000;

export interface Wish {
  readonly spec: DeepReadonly<HorizontalPodAutoscalerSpec>;
  readonly memory: Memory;
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
  readonly downscaleStabilizationMs: number;
  readonly nowMs: number;
}

interface Told {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

export interface Allowed {
  readonly replicas: number;
  readonly memory: Memory;
  readonly able: Told;
  readonly limited: Told;
}

const yes = (reason: string, message: string): Told => ({ status: "True", reason, message });
const within: Told = {
  status: "False",
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
};

/** The memory without what is too old to matter. */
function recent(list: readonly Timed[], nowMs: number): readonly Timed[] {
  return list.filter(({ atMs }) => nowMs - atMs < memoryMs);
}

export function remember(memory: Memory, from: number, to: number, nowMs: number): Memory {
  const change = { replicas: Math.abs(to - from), atMs: nowMs };
  return to > from
    ? { ...memory, ups: [...recent(memory.ups, nowMs), change] }
    : { ...memory, downs: [...recent(memory.downs, nowMs), change] };
}

function stabilized(wish: Wish, known: readonly Timed[]): number {
  const { spec, currentReplicas, desiredReplicas, downscaleStabilizationMs, nowMs } = wish;
  const { scaleUp, scaleDown } = spec.behavior ?? {};
  const upMs = (scaleUp?.stabilizationWindowSeconds ?? 0) * 1000;
  const downSeconds = scaleDown?.stabilizationWindowSeconds;
  const downMs = downSeconds === undefined ? downscaleStabilizationMs : downSeconds * 1000;
  let [least, most] = [desiredReplicas, desiredReplicas];
  for (const { replicas, atMs } of known) {
    if (nowMs - atMs < upMs) least = Math.min(least, replicas);
    if (nowMs - atMs < downMs) most = Math.max(most, replicas);
  }
  return Math.min(Math.max(currentReplicas, least), most);
}

const changedWithin = (list: readonly Timed[], periodSeconds: number, nowMs: number): number =>
  list.reduce((sum, { replicas, atMs }) => (nowMs - atMs < periodSeconds * 1000 ? sum + replicas : sum), 0);

/** What the policies allow, each from where its period began. */
function policyLimit(
  rules: DeepReadonly<HPAScalingRules>,
  { memory, currentReplicas, nowMs }: Wish,
  allowed: (policy: DeepReadonly<HPAScalingPolicy>, began: number) => number,
  choose: (values: readonly number[]) => number,
): number {
  const policies = rules.policies ?? [];
  if (rules.selectPolicy === "Disabled" || policies.length === 0) return currentReplicas;
  return choose(
    policies.map((policy) => {
      const { periodSeconds } = policy;
      const [up, down] = [memory.ups, memory.downs].map((list) => changedWithin(list, periodSeconds, nowMs));
      return allowed(policy, currentReplicas - (up ?? 0) + (down ?? 0));
    }),
  );
}

const smallest = (values: readonly number[]): number => Math.min(...values);
const largest = (values: readonly number[]): number => Math.max(...values);

/** Without a behaviour in the spec: to twice as many, or to four. */
const plainUpLimit = (current: number): number => Math.max(2 * current, 4);

function upLimit(wish: Wish): number {
  const rules = wish.spec.behavior?.scaleUp;
  if (rules === undefined) return plainUpLimit(wish.currentReplicas);
  const limit = policyLimit(
    rules,
    wish,
    ({ type, value }, began) => (type === "Pods" ? began + value : Math.ceil(began * (1 + value / 100))),
    rules.selectPolicy === "Min" ? smallest : largest,
  );
  return Math.max(limit, wish.currentReplicas);
}

function downLimit(wish: Wish): number {
  const rules = wish.spec.behavior?.scaleDown;
  if (rules === undefined) return 0;
  const limit = policyLimit(
    rules,
    wish,
    ({ type, value }, began) => (type === "Pods" ? began - value : Math.trunc(began * (1 - value / 100))),
    rules.selectPolicy === "Min" ? largest : smallest,
  );
  return Math.min(limit, wish.currentReplicas);
}

function bounded(wish: Wish, wanted: number): { replicas: number; limited: Told } {
  const { minReplicas = 1, maxReplicas } = wish.spec;
  const { currentReplicas } = wish;
  if (wanted > currentReplicas) {
    const limit = upLimit(wish);
    const isRate = maxReplicas > limit;
    const most = Math.min(maxReplicas, limit);
    if (wanted > most)
      return {
        replicas: most,
        limited: isRate
          ? yes("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
          : yes("TooManyReplicas", "the desired replica count is more than the maximum replica count"),
      };
  } else if (wanted < currentReplicas) {
    const limit = downLimit(wish);
    const isRate = minReplicas < limit;
    const least = Math.max(minReplicas, limit);
    if (wanted < least)
      return {
        replicas: least,
        limited: isRate
          ? yes(
              "ScaleDownLimit",
              "the desired replica count is decreasing faster than the maximum scale rate",
            )
          : yes("TooFewReplicas", "the desired replica count is less than the minimum replica count"),
      };
  } else if (wanted > maxReplicas)
    return {
      replicas: maxReplicas,
      limited: yes("TooManyReplicas", "the desired replica count is more than the maximum replica count"),
    };
  else if (wanted < minReplicas)
    return {
      replicas: minReplicas,
      limited: yes("TooFewReplicas", "the desired replica count is less than the minimum replica count"),
    };
  return { replicas: wanted, limited: within };
}

export function allow(wish: Wish): Allowed {
  const { memory, currentReplicas, desiredReplicas, nowMs } = wish;
  const first = { replicas: currentReplicas, atMs: nowMs };
  const known = memory.recommendations.length === 0 ? [first] : recent(memory.recommendations, nowMs);
  const wanted = stabilized(wish, known);
  const able =
    wanted === desiredReplicas
      ? yes("ReadyForNewScale", "recommended size matches current size")
      : desiredReplicas >= currentReplicas
        ? yes(
            "ScaleUpStabilized",
            "recent recommendations were lower than current one, applying the lowest recent recommendation",
          )
        : yes(
            "ScaleDownStabilized",
            "recent recommendations were higher than current one, applying the highest recent recommendation",
          );
  const recommendations = [...known, { replicas: desiredReplicas, atMs: nowMs }];
  return { ...bounded(wish, wanted), memory: { ...memory, recommendations }, able };
}
