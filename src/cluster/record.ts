// What is remembered of a cluster between commands: its size and its subnets. Everything else follows from them.

import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readIfExists, writeAtomically } from "#host/files.ts";
import type { Route } from "#host/network.ts";
import { overlaps, parseSubnet } from "./subnets.ts";
import { planCluster, slotsMax, subnetsOfSlot, type ClusterPlan, type Subnets } from "./plan.ts";

export interface ClusterRecord {
  readonly format: 1;
  readonly name: string;
  readonly nodes: number;
  readonly subnets: Subnets;
  readonly mtu: number;
}

export interface Roots {
  readonly stateRoot: string;
  readonly runRoot: string;
}

export const defaultRoots: Roots = { stateRoot: "/var/lib/leme", runRoot: "/run/leme" };

const recordPath = (roots: Roots, name: string): string => join(roots.stateRoot, name, "cluster.json");

export function readRecord(roots: Roots, name: string): ClusterRecord | undefined {
  const text = readIfExists(recordPath(roots, name));
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as ClusterRecord;
  if (record.format !== 1)
    throw new Error(`${recordPath(roots, name)} is of a format that this version does not read`);
  return record;
}

export function writeRecord(roots: Roots, record: ClusterRecord): void {
  mkdirSync(join(roots.stateRoot, record.name), { recursive: true, mode: 0o755 });
  writeAtomically(recordPath(roots, record.name), `${JSON.stringify(record, null, 2)}\n`);
}

export function planOf(record: ClusterRecord, roots: Roots): ClusterPlan {
  return planCluster({ ...record, ...roots });
}

export function otherRecords(roots: Roots, name: string): ClusterRecord[] {
  if (!existsSync(roots.stateRoot)) return [];
  return readdirSync(roots.stateRoot)
    .filter((other) => other !== name)
    .map((other) => readRecord(roots, other))
    .filter((record) => record !== undefined);
}

/** A route of the machine that stands inside a subnet would take its traffic; a broader one is only shadowed. */
function routeInside(route: Route, subnet: string): boolean {
  if (!/^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(route.dst)) return false;
  return (
    overlaps(route.dst, subnet) && parseSubnet(route.dst).prefixLength >= parseSubnet(subnet).prefixLength
  );
}

const parts = (subnets: Subnets): string[] => [subnets.nodes, subnets.pods, subnets.services];

/** The first set of subnets that neither another cluster nor a route of this machine uses. Pure. */
export function chooseSubnets(taken: readonly Subnets[], routes: readonly Route[]): Subnets {
  const reasons: string[] = [];
  for (let slot = 0; slot < slotsMax; slot++) {
    const candidate = subnetsOfSlot(slot);
    const cluster = taken.find((other) =>
      parts(other).some((a) => parts(candidate).some((b) => overlaps(a, b))),
    );
    const route = routes.find((each) => parts(candidate).some((subnet) => routeInside(each, subnet)));
    if (cluster === undefined && route === undefined) return candidate;
    reasons.push(
      `${candidate.nodes}: ${cluster === undefined ? `route ${route?.dst} dev ${route?.dev}` : "another cluster"}`,
    );
  }
  throw new Error(`no free subnets for another cluster on this machine (${reasons.join("; ")})`);
}
