// The cluster as scheduling sees it, kept up to date change by change, so that placing a pod never counts all pods.
//
//   nodes     what each has, and what its pods ask for
//   groups    pods with the same labels: how many on each node        default app=web → n1: 2, n2: 1
//   tallies   groups that a selector means, by topology domain        app=web by zone → a: 3, b: 0
//   holders   pods that have a term (affinity …), by topology domain  "not beside app=web", by host → n1: 2
//   classes   which nodes could ever take pods of one demand
//
// Tallies and classes are made when a pod first asks for them; the least recently asked for are dropped.

import { assert } from "#base/assert.ts";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { matches, type Labels, type Selector } from "#machinery/selectors.ts";
import { amountsOf } from "#resources/core/pod/requests.ts";
import { Holders } from "./holders.ts";
import { NodeClass, type StaticFilters } from "./node-class.ts";
import { inZoneOrder } from "./node-order.ts";
import type { HostPort, NodeDemand, PodInfo, ReadTaint } from "./pod-info.ts";
import { addRoom, emptyRoom, noRoom, roomOf, type MutableRoom, type Room } from "./room.ts";
import { Tally, type Group, type TallySpec } from "./tally.ts";

export interface NodeInfo {
  readonly name: string;
  /** False while only pods of it are known. */
  readonly exists: boolean;
  readonly labels: Labels;
  readonly taints: readonly ReadTaint[];
  readonly unschedulable: boolean;
  readonly allocatable: Room;
  readonly podsMax: number;
  readonly requested: Room;
  readonly weights: { readonly cpu: number; readonly memory: number };
  readonly pods: ReadonlyMap<string, PodInfo>;
  /** Pods that hold host ports: few, so that they are looked through. */
  readonly ports: ReadonlyMap<string, readonly HostPort[]>;
  /** Bytes by image name. */
  readonly images: ReadonlyMap<string, number>;
}

interface MutableNode extends NodeInfo {
  exists: boolean;
  labels: Labels;
  taints: readonly ReadTaint[];
  unschedulable: boolean;
  allocatable: Room;
  podsMax: number;
  readonly requested: MutableRoom;
  readonly weights: { cpu: number; memory: number };
  readonly pods: Map<string, PodInfo>;
  readonly ports: Map<string, readonly HostPort[]>;
  images: ReadonlyMap<string, number>;
  /** The pods, the most important first, until one comes or goes. */
  ranked: readonly PodInfo[] | undefined;
}

interface MutableGroup extends Group {
  readonly perNode: Map<NodeInfo, number>;
  readonly tallies: Set<Tally>;
}

const talliesMax = 2048;
const classesMax = 512;

function emptyNode(name: string): MutableNode {
  return {
    name,
    exists: false,
    labels: undefined,
    taints: [],
    unschedulable: false,
    allocatable: noRoom,
    podsMax: 0,
    requested: emptyRoom(),
    weights: { cpu: 0, memory: 0 },
    pods: new Map(),
    ports: new Map(),
    images: new Map(),
    ranked: undefined,
  };
}

/** By priority, then by who has run for longer. */
const byImportance = (a: PodInfo, b: PodInfo): number =>
  b.priority - a.priority || a.startedMs - b.startedMs || (a.uid < b.uid ? -1 : 1);

function imagesOf(node: DeepReadonly<Node>): Map<string, number> {
  const images = new Map<string, number>();
  for (const { names = [], sizeBytes = 0 } of node.status?.images ?? [])
    for (const name of names) images.set(name, sizeBytes);
  return images;
}

/** Keeps the newest at the end, and drops the oldest beyond the bound. */
function remember<T>(
  map: Map<string, T>,
  id: string,
  most: number,
  make: () => T,
  drop?: (old: T) => void,
): T {
  const known = map.get(id);
  if (known !== undefined) {
    map.delete(id);
    map.set(id, known);
    return known;
  }
  if (map.size >= most) {
    const [oldest] = map;
    if (oldest !== undefined) {
      map.delete(oldest[0]);
      drop?.(oldest[1]);
    }
  }
  const made = make();
  map.set(id, made);
  return made;
}

export class Snapshot {
  readonly #nodes = new Map<string, MutableNode>();
  /** Nodes that exist, zones in turns; made anew when a node comes or goes. */
  #listed: readonly NodeInfo[] | undefined;
  /** Where each pod is counted. */
  readonly #placed = new Map<string, { info: PodInfo; node: MutableNode }>();
  readonly #groups = new Map<string, Map<string, MutableGroup>>();
  readonly #tallies = new Map<string, Tally>();
  readonly #classes = new Map<string, NodeClass>();
  readonly holders = new Holders();
  readonly #namespaces = new Map<string, Labels>();
  /** On how many nodes each image is. */
  readonly #imageNodes = new Map<string, number>();
  /** Pods that are to go to a node once others have left it. */
  readonly #nominated = new Map<string, Map<string, PodInfo>>();
  readonly #nominations = new Map<string, string>();

  get nodes(): readonly NodeInfo[] {
    this.#listed ??= inZoneOrder([...this.#nodes.values()].filter(({ exists }) => exists));
    return this.#listed;
  }

  get podCount(): number {
    return this.#placed.size;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  /** Where the pod of this uid is counted. */
  placeOf(uid: string): string | undefined {
    return this.#placed.get(uid)?.node.name;
  }

  imageNodes(image: string): number {
    return this.#imageNodes.get(image) ?? 0;
  }

  namespaceLabels(namespace: string): Labels {
    return this.#namespaces.get(namespace);
  }

  setNamespace(name: string, labels: Labels): void {
    this.#namespaces.set(name, labels);
    this.#dropNamespaced();
  }

  removeNamespace(name: string): void {
    if (this.#namespaces.delete(name)) this.#dropNamespaced();
  }

  setNode(node: DeepReadonly<Node>): void {
    const info = this.#nodeOf(node.metadata?.name ?? "");
    const labels = node.metadata?.labels;
    const taints = node.spec?.taints ?? [];
    const unschedulable = node.spec?.unschedulable === true;
    const told = (...parts: unknown[]): string => JSON.stringify(parts);
    const isSame =
      info.exists &&
      told(info.labels, info.taints, info.unschedulable) === told(labels, taints, unschedulable);
    this.#countImages(info, -1);
    if (!isSame) this.#detach(info);
    if (!info.exists || !isSame) this.#listed = undefined;
    const amounts = amountsOf(node.status?.allocatable);
    info.exists = true;
    info.labels = labels;
    info.taints = taints;
    info.unschedulable = unschedulable;
    info.allocatable = roomOf(amounts);
    info.podsMax = amounts["pods"] ?? 0;
    info.images = imagesOf(node);
    this.#countImages(info, 1);
    if (isSame) return;
    this.#attach(info);
    for (const one of this.#classes.values()) one.judge(info);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined || !info.exists) return;
    this.#countImages(info, -1);
    this.#detach(info);
    this.#listed = undefined;
    info.exists = false;
    info.labels = undefined;
    info.images = new Map();
    this.#attach(info);
    for (const one of this.#classes.values()) one.forget(info);
    if (info.pods.size === 0) this.#nodes.delete(name);
  }

  /** Counts a pod on a node, wherever it was counted before. */
  setPod(info: PodInfo, node: string): void {
    const before = this.#placed.get(info.uid);
    if (before !== undefined && before.info === info && before.node.name === node) return;
    if (before !== undefined) this.removePod(info.uid);
    const at = this.#nodeOf(node);
    this.#placed.set(info.uid, { info, node: at });
    this.#use(at, info, 1);
    this.#count(info, at, 1);
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return;
    this.#placed.delete(uid);
    const { info, node } = placed;
    this.#use(node, info, -1);
    this.#count(info, node, -1);
    if (!node.exists && node.pods.size === 0) this.#nodes.delete(node.name);
  }

  /** The pod is to go to that node once there is room; an empty name takes that back. */
  nominate(info: PodInfo, node: string): void {
    const before = this.#nominations.get(info.uid);
    if (before !== undefined) {
      const held = this.#nominated.get(before);
      held?.delete(info.uid);
      if (held?.size === 0) this.#nominated.delete(before);
      this.#nominations.delete(info.uid);
    }
    if (node === "") return;
    const held = this.#nominated.get(node) ?? new Map<string, PodInfo>();
    held.set(info.uid, info);
    this.#nominated.set(node, held);
    this.#nominations.set(info.uid, node);
  }

  get hasNominated(): boolean {
    return this.#nominated.size > 0;
  }

  nominatedTo(node: string): ReadonlyMap<string, PodInfo> | undefined {
    return this.#nominated.get(node);
  }

  nominationOf(uid: string): string | undefined {
    return this.#nominations.get(uid);
  }

  /** The nodes that could take pods of this demand. */
  classOf(demand: NodeDemand, filters: StaticFilters): NodeClass {
    const { nodeUnschedulable, taintToleration, nodeAffinity, addedNodes } = filters;
    const switches = `${Number(nodeUnschedulable)}${Number(taintToleration)}${Number(nodeAffinity)}`;
    const id = `${switches}${addedNodes?.id ?? ""}${demand.id}`;
    return remember(this.#classes, id, classesMax, () => new NodeClass(demand, filters, this.nodes));
  }

  tally(spec: TallySpec): Tally {
    return remember(
      this.#tallies,
      spec.id,
      talliesMax,
      () => this.#newTally(spec),
      (old) => this.#forgetTally(old),
    );
  }

  /** Is the namespace one of these, or meant by its labels? */
  isAmong(namespace: string, namespaces: readonly string[], selector: Selector | undefined): boolean {
    if (namespaces.includes(namespace)) return true;
    return selector !== undefined && matches(selector, this.#namespaces.get(namespace));
  }

  /** Asserts that every count is what counting anew gives. */
  check(): void {
    const fresh = new Snapshot();
    for (const [name, labels] of this.#namespaces) fresh.setNamespace(name, labels);
    for (const [name, node] of this.#nodes) {
      const copy = fresh.#nodeOf(name);
      const { exists, labels, taints, unschedulable } = node;
      Object.assign(copy, { exists, labels, taints, unschedulable });
    }
    for (const { info, node } of this.#placed.values()) fresh.setPod(info, node.name);
    for (const [name, { pods, requested, weights }] of this.#nodes) {
      const other = fresh.#nodes.get(name);
      assert(other !== undefined && other.pods.size === pods.size, `${name}: other pods`);
      for (const resource of ["cpu", "memory", "storage"] as const)
        assert(requested[resource] === other.requested[resource], `${name}: other ${resource}`);
      assert(
        (requested.others?.size ?? 0) === (other.requested.others?.size ?? 0),
        `${name}: other resources`,
      );
      assert(weights.cpu === other.weights.cpu, `${name}: other weights`);
    }
    for (const { spec, least, total } of this.#tallies.values()) {
      const again = fresh.tally(spec);
      assert(again.least === least && again.total === total, `${spec.id}: ${least}, anew ${again.least}`);
    }
    fresh.holders.assertSame(this.holders);
  }

  /** The pods of a node that count less than a priority, the most important first. */
  lowerThan(priority: number, name: string): readonly PodInfo[] {
    const node = this.#nodes.get(name);
    if (node === undefined) return [];
    node.ranked ??= [...node.pods.values()].sort(byImportance);
    const from = node.ranked.findIndex((pod) => pod.priority < priority);
    return from === 0 ? node.ranked : from < 0 ? [] : node.ranked.slice(from);
  }

  #nodeOf(name: string): MutableNode {
    let info = this.#nodes.get(name);
    if (info === undefined) this.#nodes.set(name, (info = emptyNode(name)));
    return info;
  }

  #use(node: MutableNode, info: PodInfo, sign: 1 | -1): void {
    const { uid, shape } = info;
    node.ranked = undefined;
    if (sign === 1) node.pods.set(uid, info);
    else node.pods.delete(uid);
    if (shape.ports.length > 0) {
      if (sign === 1) node.ports.set(uid, shape.ports);
      else node.ports.delete(uid);
    }
    addRoom(node.requested, shape.requests, sign);
    node.weights.cpu += sign * shape.weights.cpu;
    node.weights.memory += sign * shape.weights.memory;
  }

  /** In its group, in the tallies that mean the group, and among those who hold its terms. */
  #count(info: PodInfo, node: NodeInfo, sign: 1 | -1): void {
    const group = this.#groupOf(info);
    const count = (group.perNode.get(node) ?? 0) + sign;
    if (count > 0) group.perNode.set(node, count);
    else group.perNode.delete(node);
    for (const tally of group.tallies) tally.add(node, sign);
    this.holders.count(info.shape, node, sign);
    if (group.perNode.size > 0) return;
    const groups = this.#groups.get(info.namespace);
    groups?.delete(groupId(info));
    if (groups?.size === 0) this.#groups.delete(info.namespace);
  }

  #groupOf(info: PodInfo): MutableGroup {
    const { namespace, shape, terminating } = info;
    let groups = this.#groups.get(namespace);
    if (groups === undefined) this.#groups.set(namespace, (groups = new Map()));
    const id = groupId(info);
    let group = groups.get(id);
    if (group !== undefined) return group;
    group = { namespace, labels: shape.labels, terminating, perNode: new Map(), tallies: new Set() };
    for (const tally of this.#tallies.values()) if (tally.means(group)) group.tallies.add(tally);
    groups.set(id, group);
    return group;
  }

  #newTally(spec: TallySpec): Tally {
    const tally = new Tally(spec);
    for (const node of this.#nodes.values()) tally.join(node);
    for (const groups of this.#groups.values())
      for (const group of groups.values()) {
        if (!tally.means(group)) continue;
        group.tallies.add(tally);
        for (const [node, count] of group.perNode) tally.add(node, count);
      }
    return tally;
  }

  #forgetTally(tally: Tally): void {
    for (const groups of this.#groups.values())
      for (const group of groups.values()) group.tallies.delete(tally);
  }

  /** What a namespace's labels decide is counted anew when it is next asked for. */
  #dropNamespaced(): void {
    for (const [id, tally] of this.#tallies) {
      if (!tally.spec.dependsOnNamespaces) continue;
      this.#tallies.delete(id);
      this.#forgetTally(tally);
    }
  }

  /** A node's labels or taints are about to change: whatever was counted by them goes. */
  #detach(node: MutableNode): void {
    this.#recount(node, -1);
    for (const tally of this.#tallies.values()) tally.leave(node);
  }

  #attach(node: MutableNode): void {
    for (const tally of this.#tallies.values()) tally.join(node);
    this.#recount(node, 1);
  }

  #recount(node: MutableNode, sign: 1 | -1): void {
    for (const info of node.pods.values()) {
      for (const tally of this.#groupOf(info).tallies) tally.add(node, sign);
      this.holders.count(info.shape, node, sign);
    }
  }

  #countImages(info: MutableNode, sign: 1 | -1): void {
    for (const image of info.images.keys()) {
      const count = (this.#imageNodes.get(image) ?? 0) + sign;
      if (count > 0) this.#imageNodes.set(image, count);
      else this.#imageNodes.delete(image);
    }
  }
}

const groupId = ({ shape, terminating }: PodInfo): string =>
  terminating ? `-${shape.labelsId}` : shape.labelsId;
