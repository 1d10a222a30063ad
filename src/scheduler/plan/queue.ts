// Pods that wait for a node. Time comes in as a parameter.
//
//   add → active ──pop──► in flight ──done──► (gone)
//            ▲                  └─failed─► unschedulable ──an event that may help──┐
//            └──────────── backoff (1 s, doubling to 10 s) ◄───────────────────────┘
//
// A pod is in exactly one place. Active pods come by priority, then by when they first came.

import { assert } from "#base/assert.ts";
import { backoffDelay } from "#base/backoff.ts";
import { Heap } from "#base/heap.ts";
import { mayHelpAny, type ClusterEvent, type Hint } from "./hints.ts";
import type { PodInfo } from "./pod-info.ts";
import type { FilterName } from "./refusal.ts";

export interface PodBackoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

export const defaultBackoff: PodBackoff = { initialMs: 1000, maxMs: 10_000 };
/** However little happens, a pod is tried again after this long; looked at this often. */
const unschedulableMsMax = 300_000;
const leftoversEveryMs = 30_000;

type Place = "active" | "backoff" | "unschedulable" | "in flight";

interface Entry {
  info: PodInfo;
  place: Place;
  readonly order: number;
  attempts: number;
  /** When the last attempt ended. */
  triedMs: number;
  refusedBy: ReadonlySet<FilterName>;
  /** Events that came while it was in flight. */
  missed: ClusterEvent[];
  /** Raised when the entry moves, so that what the heaps still hold of it counts for nothing. */
  version: number;
}

interface Ticket {
  readonly entry: Entry;
  readonly version: number;
}

/** Events remembered for one pod in flight; beyond that, any of them is taken to help. */
const missedMax = 64;

export class SchedulingQueue {
  readonly #hint: Hint;
  readonly #podBackoff: PodBackoff;
  readonly #entries = new Map<string, Entry>();
  readonly #active = new Heap<Ticket>(
    (a, b) => b.entry.info.priority - a.entry.info.priority || a.entry.order - b.entry.order,
  );
  readonly #backoff = new Heap<Ticket>((a, b) => this.#backoffEnds(a.entry) - this.#backoffEnds(b.entry));
  /** By what refused them, so that an event is told to none whom it cannot help. */
  readonly #unschedulable = new Map<string, Set<Entry>>();
  readonly #inFlight = new Set<Entry>();
  #order = 0;
  #leftoversMs = -Infinity;

  constructor(hint: Hint, backoff: PodBackoff = defaultBackoff) {
    this.#hint = hint;
    this.#podBackoff = backoff;
  }

  get size(): number {
    return this.#entries.size;
  }

  count(place: Place): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.place === place) count++;
    return count;
  }

  /** A pending pod, new or changed. A change of an unschedulable pod is a reason to try it again. */
  put(info: PodInfo, nowMs: number): void {
    const entry = this.#entries.get(info.uid);
    if (entry === undefined) {
      const fresh: Entry = {
        info,
        place: "active",
        order: this.#order++,
        attempts: 0,
        triedMs: 0,
        refusedBy: new Set(),
        missed: [],
        version: 0,
      };
      this.#entries.set(info.uid, fresh);
      this.#move(fresh, "active");
      return;
    }
    const isSame = changeless(entry.info, info);
    entry.info = info;
    if (entry.place === "unschedulable" && !isSame) this.#retry(entry, nowMs);
    else if (entry.place === "active") this.#move(entry, "active");
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    this.#leave(entry);
    this.#entries.delete(uid);
  }

  /** The next pod to place; it is in flight until done, failed or removed. */
  pop(nowMs: number): PodInfo | undefined {
    this.#wake(nowMs);
    for (let ticket = this.#active.pop(); ticket !== undefined; ticket = this.#active.pop()) {
      const { entry, version } = ticket;
      if (entry.version !== version) continue;
      this.#move(entry, "in flight");
      entry.attempts++;
      entry.missed = [];
      return entry.info;
    }
    return undefined;
  }

  /** It found no node, or could not be bound. Without filters to blame it is tried again after its backoff. */
  failed(uid: string, refusedBy: ReadonlySet<FilterName> | undefined, nowMs: number): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined || entry.place !== "in flight") return;
    entry.triedMs = nowMs;
    // In flight it is in no set that what refused it before would find.
    entry.refusedBy = refusedBy ?? new Set();
    const isHelped =
      refusedBy === undefined ||
      entry.missed.length >= missedMax ||
      entry.missed.some((event) => this.#hint(entry.info, refusedBy, event));
    entry.missed = [];
    this.#move(entry, isHelped ? "backoff" : "unschedulable");
  }

  /** Something changed in the cluster: pods that it may help are tried again. */
  happened(event: ClusterEvent, nowMs: number): void {
    for (const entry of this.#inFlight) if (entry.missed.length < missedMax) entry.missed.push(event);
    for (const entries of this.#unschedulable.values()) {
      const [first] = entries;
      if (first === undefined || !mayHelpAny(first.refusedBy, event.kind)) continue;
      for (const entry of entries)
        if (this.#hint(entry.info, entry.refusedBy, event)) this.#retry(entry, nowMs);
    }
  }

  /** The pod is to be tried at once: what it waited for has happened. */
  activate(uid: string, nowMs: number): void {
    const entry = this.#entries.get(uid);
    if (entry?.place === "unschedulable") this.#retry(entry, nowMs);
  }

  has(uid: string): boolean {
    return this.#entries.has(uid);
  }

  /** When something may become active by time alone. */
  nextDueMs(): number | undefined {
    this.#dropStale(this.#backoff);
    const backoff = this.#backoff.peek();
    const leftovers = this.#unschedulable.size === 0 ? Infinity : this.#leftoversMs + leftoversEveryMs;
    const next = Math.min(backoff === undefined ? Infinity : this.#backoffEnds(backoff.entry), leftovers);
    return next === Infinity ? undefined : next;
  }

  check(): void {
    for (const [uid, entry] of this.#entries) {
      assert(entry.info.uid === uid, `${uid} is held under another uid`);
      assert(entry.place === "in flight" || entry.missed.length === 0, `${uid} remembers events at rest`);
      const isHeld = this.#unschedulable.get(blameOf(entry))?.has(entry) ?? false;
      assert(isHeld === (entry.place === "unschedulable"), `${uid} is misplaced`);
      assert(this.#inFlight.has(entry) === (entry.place === "in flight"), `${uid} is misplaced in flight`);
    }
  }

  #retry(entry: Entry, nowMs: number): void {
    this.#move(entry, this.#backoffEnds(entry) <= nowMs ? "active" : "backoff");
  }

  #leave(entry: Entry): void {
    entry.version++;
    if (entry.place === "unschedulable") {
      const blame = blameOf(entry);
      const alike = this.#unschedulable.get(blame);
      if (alike?.delete(entry) === true && alike.size === 0) this.#unschedulable.delete(blame);
    }
    this.#inFlight.delete(entry);
  }

  #move(entry: Entry, place: Place): void {
    this.#leave(entry);
    entry.place = place;
    const ticket = { entry, version: entry.version };
    if (place === "active") this.#active.push(ticket);
    else if (place === "backoff") this.#backoff.push(ticket);
    else if (place === "in flight") this.#inFlight.add(entry);
    else {
      const alike = this.#unschedulable.get(blameOf(entry)) ?? new Set();
      this.#unschedulable.set(blameOf(entry), alike.add(entry));
    }
  }

  #dropStale(heap: Heap<Ticket>): void {
    for (let top = heap.peek(); top !== undefined && top.entry.version !== top.version; top = heap.peek())
      heap.pop();
  }

  #wake(nowMs: number): void {
    for (;;) {
      this.#dropStale(this.#backoff);
      const top = this.#backoff.peek();
      if (top === undefined || this.#backoffEnds(top.entry) > nowMs) break;
      this.#move(top.entry, "active");
    }
    if (nowMs - this.#leftoversMs < leftoversEveryMs) return;
    this.#leftoversMs = nowMs;
    for (const entries of [...this.#unschedulable.values()])
      for (const entry of entries)
        if (entry.triedMs + unschedulableMsMax <= nowMs) this.#move(entry, "active");
  }

  #backoffEnds({ triedMs, attempts }: Entry): number {
    return triedMs + backoffDelay(attempts, this.#podBackoff);
  }
}

const blameOf = ({ refusedBy }: Entry): string => [...refusedBy].sort().join(" ");

/** A status that we or others wrote changes nothing about where a pod can go. */
const changeless = (a: PodInfo, b: PodInfo): boolean => a.shape === b.shape && a.priority === b.priority;
