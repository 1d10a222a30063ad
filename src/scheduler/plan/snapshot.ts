// The cluster as scheduling sees it, kept up to date change by change, so that placing a pod never counts all pods.
//
// Pods are counted twice: by node (what is used there), and by group = (namespace, labels, anti-affinity),
// because pods of one workload look alike: a selector is tried on a group once, not on each of its pods.
//
//   group default app=web  →  n1: 2, n2: 1        group default app=db  →  n3: 1

import { assert } from "#base/assert.ts";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { matches, type Labels, type Selector } from "#machinery/selectors.ts";
import { amountsOf, type Amounts } from "#resources/core/pod/requests.ts";
import type { HostPort, PodInfo, PodTerm, ReadTaint } from "./pod-info.ts";

export interface NodeInfo {
  readonly name: string;
  /** Undefined while only pods of it are known. */
  readonly node: DeepReadonly<Node> | undefined;
  readonly labels: Labels;
  readonly taints: readonly ReadTaint[];
  readonly allocatable: Amounts;
  readonly requested: Amounts;
  readonly weights: { readonly cpu: number; readonly memory: number };
  readonly pods: ReadonlyMap<string, PodInfo>;
  /** Pods that hold host ports: few, so that they are looked through. */
  readonly ports: ReadonlyMap<string, readonly HostPort[]>;
  /** Bytes by image name. */
  readonly images: ReadonlyMap<string, number>;
}

interface MutableNode extends NodeInfo {
  node: DeepReadonly<Node> | undefined;
  labels: Labels;
  taints: readonly ReadTaint[];
  allocatable: Amounts;
  readonly requested: Record<string, number>;
  readonly weights: { cpu: number; memory: number };
  readonly pods: Map<string, PodInfo>;
  readonly ports: Map<string, readonly HostPort[]>;
  images: ReadonlyMap<string, number>;
}

/** Pods that look alike, and how many of them each node has. */
export interface Group {
  readonly namespace: string;
  readonly labels: Labels;
  readonly antiAffinity: readonly PodTerm[];
  readonly perNode: ReadonlyMap<string, number>;
}

interface MutableGroup extends Group {
  readonly perNode: Map<string, number>;
}

function emptyNode(name: string): MutableNode {
  return {
    name,
    node: undefined,
    labels: undefined,
    taints: [],
    allocatable: {},
    requested: Object.create(null) as Record<string, number>,
    weights: { cpu: 0, memory: 0 },
    pods: new Map(),
    ports: new Map(),
    images: new Map(),
  };
}

function imagesOf(node: DeepReadonly<Node>): Map<string, number> {
  const images = new Map<string, number>();
  for (const { names = [], sizeBytes = 0 } of node.status?.images ?? [])
    for (const name of names) images.set(name, sizeBytes);
  return images;
}

export class Snapshot {
  readonly #nodes = new Map<string, MutableNode>();
  /** Nodes that exist, in a fixed order; made anew when a node comes or goes. */
  #listed: readonly NodeInfo[] | undefined;
  /** Where each pod is counted. */
  readonly #placed = new Map<string, { info: PodInfo; node: string }>();
  readonly #groups = new Map<string, Map<string, MutableGroup>>();
  /** Groups whose pods refuse neighbours. */
  readonly #refusing = new Set<MutableGroup>();
  /** On how many nodes each image is. */
  readonly #imageNodes = new Map<string, number>();

  get nodes(): readonly NodeInfo[] {
    this.#listed ??= [...this.#nodes.values()].filter(({ node }) => node !== undefined);
    return this.#listed;
  }

  get podCount(): number {
    return this.#placed.size;
  }

  get refusing(): ReadonlySet<Group> {
    return this.#refusing;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  /** Where the pod of this uid is counted. */
  placeOf(uid: string): string | undefined {
    return this.#placed.get(uid)?.node;
  }

  imageNodes(image: string): number {
    return this.#imageNodes.get(image) ?? 0;
  }

  setNode(node: DeepReadonly<Node>): void {
    const info = this.#nodeOf(node.metadata?.name ?? "");
    if (info.node === undefined) this.#listed = undefined;
    this.#countImages(info, -1);
    info.node = node;
    info.labels = node.metadata?.labels;
    info.taints = node.spec?.taints ?? [];
    info.allocatable = amountsOf(node.status?.allocatable);
    info.images = imagesOf(node);
    this.#countImages(info, 1);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    this.#countImages(info, -1);
    this.#listed = undefined;
    info.node = undefined;
    info.images = new Map();
    if (info.pods.size === 0) this.#nodes.delete(name);
  }

  /** Counts a pod on a node, wherever it was counted before. */
  setPod(info: PodInfo, node: string): void {
    const before = this.#placed.get(info.uid);
    if (before !== undefined && before.info === info && before.node === node) return;
    if (before !== undefined) this.removePod(info.uid);
    this.#placed.set(info.uid, { info, node });
    const at = this.#nodeOf(node);
    at.pods.set(info.uid, info);
    if (info.ports.length > 0) at.ports.set(info.uid, info.ports);
    this.#count(at, info, 1);
    this.#group(info, node, 1);
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return;
    this.#placed.delete(uid);
    const at = this.#nodeOf(placed.node);
    at.pods.delete(uid);
    at.ports.delete(uid);
    this.#count(at, placed.info, -1);
    this.#group(placed.info, placed.node, -1);
    if (at.node === undefined && at.pods.size === 0) this.#nodes.delete(at.name);
  }

  /** How many pods that the selector matches each node has; nodes without any are left out. */
  countPods(namespaces: readonly string[], selector: Selector | undefined): Map<string, number> {
    const counts = new Map<string, number>();
    if (selector === undefined) return counts;
    for (const namespace of namespaces) {
      for (const group of this.#groups.get(namespace)?.values() ?? []) {
        if (!matches(selector, group.labels)) continue;
        for (const [node, count] of group.perNode) counts.set(node, (counts.get(node) ?? 0) + count);
      }
    }
    return counts;
  }

  /** Asserts that every count is what counting anew gives. */
  check(): void {
    const fresh = new Snapshot();
    for (const { node } of this.#nodes.values()) if (node !== undefined) fresh.setNode(node);
    for (const { info, node } of this.#placed.values()) fresh.setPod(info, node);
    for (const [name, info] of this.#nodes) {
      const other = fresh.#nodes.get(name);
      assert(other !== undefined && other.pods.size === info.pods.size, `${name}: other pods`);
      for (const resource of [...Object.keys(info.requested), ...Object.keys(other.requested)])
        assert(
          (info.requested[resource] ?? 0) === (other.requested[resource] ?? 0),
          `${name}: other ${resource}`,
        );
      assert(info.weights.cpu === other.weights.cpu, `${name}: other weights`);
    }
    for (const [namespace, groups] of this.#groups) {
      for (const [id, group] of groups) {
        const other = fresh.#groups.get(namespace)?.get(id);
        assert(other?.perNode.size === group.perNode.size, `group ${id}: other nodes`);
        for (const [node, count] of group.perNode)
          assert(other.perNode.get(node) === count, `group ${id}: other count on ${node}`);
      }
    }
    assert(fresh.#refusing.size === this.#refusing.size, "other refusing groups");
  }

  #nodeOf(name: string): MutableNode {
    let info = this.#nodes.get(name);
    if (info === undefined) this.#nodes.set(name, (info = emptyNode(name)));
    return info;
  }

  #count(at: MutableNode, info: PodInfo, sign: 1 | -1): void {
    for (const [resource, amount] of Object.entries(info.requests))
      at.requested[resource] = (at.requested[resource] ?? 0) + sign * amount;
    at.weights.cpu += sign * info.weights.cpu;
    at.weights.memory += sign * info.weights.memory;
  }

  #group(info: PodInfo, node: string, sign: 1 | -1): void {
    if (info.terminating) return;
    const labels = Object.entries(info.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const id = JSON.stringify([labels, info.antiAffinity]);
    const groups = this.#groups.get(info.namespace) ?? new Map<string, MutableGroup>();
    this.#groups.set(info.namespace, groups);
    let group = groups.get(id);
    if (group === undefined) {
      const { namespace, antiAffinity } = info;
      group = { namespace, labels: info.labels, antiAffinity, perNode: new Map() };
      groups.set(id, group);
      if (antiAffinity.length > 0) this.#refusing.add(group);
    }
    const count = (group.perNode.get(node) ?? 0) + sign;
    if (count > 0) group.perNode.set(node, count);
    else group.perNode.delete(node);
    if (group.perNode.size > 0) return;
    groups.delete(id);
    this.#refusing.delete(group);
    if (groups.size === 0) this.#groups.delete(info.namespace);
  }

  #countImages(info: MutableNode, sign: 1 | -1): void {
    for (const image of info.images.keys()) {
      const count = (this.#imageNodes.get(image) ?? 0) + sign;
      if (count > 0) this.#imageNodes.set(image, count);
      else this.#imageNodes.delete(image);
    }
  }
}
