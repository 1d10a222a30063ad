// Scores by how full a node would be with the pod on it. Pure arithmetic, from 0 to 100.

import type { PodInfo } from "./pod-info.ts";
import type { ResourceWeight, ScoringStrategy } from "./profile.ts";
import { amountIn } from "./room.ts";
import type { NodeInfo } from "./snapshot.ts";

export const scoreMax = 100;

/** With the pod there. CPU and memory count a little also for containers that ask for nothing. */
function usedOf(name: string, info: PodInfo, node: NodeInfo): number {
  if (name === "cpu" || name === "memory") return node.weights[name] + info.shape.weights[name];
  return amountIn(node.requested, name) + amountIn(info.shape.requests, name);
}

/** Straight lines between the points of a shape; flat beyond its ends. */
export function scoreOnShape(
  shape: readonly { readonly utilization: number; readonly score: number }[],
  utilization: number,
): number {
  const after = shape.findIndex((point) => point.utilization >= utilization);
  const [first] = shape;
  const last = shape.at(-1);
  if (first === undefined || last === undefined) return 0;
  if (after === 0) return first.score;
  if (after < 0) return last.score;
  const [a, b] = [shape[after - 1] ?? first, shape[after] ?? last];
  const share = (utilization - a.utilization) / (b.utilization - a.utilization);
  return Math.trunc(a.score + (b.score - a.score) * share);
}

/** A shape's scores go to 10. */
const shapeScale = scoreMax / 10;

function scoreOf(strategy: ScoringStrategy, used: number, capacity: number): number {
  switch (strategy.type) {
    case "LeastAllocated":
      return used > capacity ? 0 : Math.floor(((capacity - used) * scoreMax) / capacity);
    case "MostAllocated":
      return used > capacity ? 0 : Math.floor((used * scoreMax) / capacity);
    case "RequestedToCapacityRatio": {
      const scaled = strategy.shape.map(({ utilization, score }) => ({
        utilization,
        score: score * shapeScale,
      }));
      const utilization = used > capacity ? 100 : Math.floor((used * 100) / capacity);
      return scoreOnShape(scaled, utilization);
    }
  }
}

/** What the node has of it, if it and the pod count for this resource at all. */
function capacityFor(name: string, info: PodInfo, node: NodeInfo): number {
  const isPlain = name === "cpu" || name === "memory";
  return isPlain || amountIn(info.shape.requests, name) > 0 ? amountIn(node.allocatable, name) : 0;
}

export function fitScore(strategy: ScoringStrategy, info: PodInfo, node: NodeInfo): number {
  let total = 0;
  let weights = 0;
  for (const { name, weight } of strategy.resources) {
    const capacity = capacityFor(name, info, node);
    if (capacity === 0) continue;
    const score = scoreOf(strategy, usedOf(name, info, node), capacity);
    // A shape that gives nothing leaves the resource out of the average.
    if (strategy.type === "RequestedToCapacityRatio" && score === 0) continue;
    total += score * weight;
    weights += weight;
  }
  if (weights === 0) return 0;
  return strategy.type === "RequestedToCapacityRatio"
    ? Math.round(total / weights)
    : Math.floor(total / weights);
}

/** Used in like proportion: the less the shares differ, the better. */
export function balanceScore(resources: readonly ResourceWeight[], info: PodInfo, node: NodeInfo): number {
  const shares: number[] = [];
  for (const { name } of resources) {
    const capacity = capacityFor(name, info, node);
    if (capacity === 0) continue;
    const used = amountIn(node.requested, name) + amountIn(info.shape.requests, name);
    shares.push(Math.min(1, used / capacity));
  }
  const [a = 0, b = 0] = shares;
  let deviation = 0;
  if (shares.length === 2) deviation = Math.abs(a - b) / 2;
  else if (shares.length > 2) {
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    deviation = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
  }
  return Math.floor((1 - deviation) * scoreMax);
}
