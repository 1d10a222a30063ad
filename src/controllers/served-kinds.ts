// Which resource a reference by kind and name means, custom kinds included: discovery says, and is asked again when a
// kind is not known, but not at every pass.

import type { Clock } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { parseApiVersion } from "#machinery/meta.ts";
import { discover } from "./discovered.ts";

interface Reference {
  readonly kind: string;
  readonly apiVersion?: string;
}

/** What is served changes with CustomResourceDefinitions. */
const refreshMs = 10_000;
/** A kind may come to be served in another version, too. */
const staleMs = 300_000;

export class Kinds {
  readonly #client: Client;
  readonly #clock: Clock;
  #known: ReadonlyMap<string, ResourceRef> = new Map();
  #askedMs = -Infinity;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Throws for a kind that nobody serves. */
  async resourceOf({ kind, apiVersion = "v1" }: Reference): Promise<ResourceRef> {
    const { group } = parseApiVersion(apiVersion);
    const found = await this.#find(() => this.#known.get(`${group}/${kind}`));
    if (found === undefined)
      throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
    return found;
  }

  /** By the name of the resource; undefined where nobody serves it. */
  async named(group: string, resource: string): Promise<ResourceRef | undefined> {
    const find = (): ResourceRef | undefined => {
      for (const ref of this.#known.values())
        if (ref.group === group && ref.resource === resource) return ref;
      return undefined;
    };
    return this.#find(find);
  }

  async #find(find: () => ResourceRef | undefined): Promise<ResourceRef | undefined> {
    const sinceMs = this.#clock.monotonic() - this.#askedMs;
    const found = find();
    if (sinceMs < (found === undefined ? refreshMs : staleMs)) return found;
    this.#askedMs = this.#clock.monotonic();
    const { resources } = await discover(this.#client);
    this.#known = new Map(resources.map(({ ref }) => [`${ref.group}/${ref.kind}`, ref]));
    return find();
  }
}
