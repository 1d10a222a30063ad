// Writes every object of a resource once as it is, so that it is stored in the version that is stored now.
// Watches: storageversionmigrations.  Owns: nothing.  Writes: everything (update), storageversionmigrations/status.
// Why run(): it goes through all objects of a resource, page by page.

import { timestamp, type Clock } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { StorageVersionMigrations } from "#client/refs.ts";
import type { Condition } from "#machinery/gen/types/meta-v1.ts";
import type { StorageVersionMigration } from "#machinery/gen/types/storagemigration-v1beta1.ts";
import { objectKey, type DeepReadonly, type KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { statusAction } from "#reconcile/action.ts";
import {
  defineController,
  watching,
  type ControllerDefinition,
  type RunContext,
} from "#reconcile/controller.ts";
import { Kinds } from "./served-kinds.ts";

type ReadMigration = DeepReadonly<StorageVersionMigration>;

const pageObjectsMax = 500;
const reasons = {
  Running: "StorageVersionMigrationInProgress",
  Succeeded: "StorageVersionMigrationSucceeded",
  Failed: "StorageVersionMigrationFailed",
} as const;
type Phase = keyof typeof reasons;

const isOver = ({ status }: ReadMigration): boolean =>
  status?.conditions?.some(({ type, status: is }) => type !== "Running" && is === "True") ?? false;

/** The status once it is in this phase: what ran before runs no more. */
export function inPhase(
  { status }: ReadMigration,
  phase: Phase,
  message: string,
  nowMs: number,
): NonNullable<ReadMigration["status"]> {
  const conditions = [...(status?.conditions ?? [])] as Condition[];
  const set = (type: Phase, is: "True" | "False", text: string): void => {
    const at = conditions.findIndex((one) => one.type === type);
    const lastTransitionTime =
      conditions[at]?.status === is ? conditions[at].lastTransitionTime : timestamp(nowMs);
    const next: Condition = { type, status: is, lastTransitionTime, reason: reasons[type], message: text };
    if (at < 0) conditions.push(next);
    else conditions[at] = next;
  };
  if (phase !== "Running" && conditions.some(({ type }) => type === "Running")) set("Running", "False", "");
  set(phase, "True", message);
  return { ...status, conditions };
}

/** Whoever changes an object, or deletes it, does the same: then there is nothing left to do. */
async function migrate(client: Client, ref: ResourceRef, object: KubeObject): Promise<void> {
  try {
    await client.update(ref, object);
  } catch (thrown) {
    if (!isApiError(thrown, "Conflict") && !isApiError(thrown, "NotFound")) throw thrown;
  }
}

async function migrateAll(client: Client, ref: ResourceRef): Promise<void> {
  let next: string | undefined;
  do {
    const page = await client.list<KubeObject>(ref, {
      limit: pageObjectsMax,
      ...(next === undefined ? {} : { continue: next }),
    });
    for (const object of page.items) await migrate(client, ref, object);
    next = page.metadata?.continue || undefined;
  } while (next !== undefined);
}

async function run(kinds: Kinds, given: ReadMigration, io: RunContext): Promise<undefined> {
  if (isOver(given) || given.metadata?.deletionTimestamp !== undefined) return;
  const { group = "", resource = "" } = given.spec?.resource ?? {};
  const ref = await kinds.named(group, resource);
  const write = (status: ReadMigration["status"]): Promise<void> =>
    io.execute([
      statusAction(StorageVersionMigrations, { ...given, ...(status === undefined ? {} : { status }) }),
    ]);
  if (ref === undefined) {
    const name = group === "" ? resource : `${resource}.${group}`;
    await write(inPhase(given, "Failed", `resource ${name} does not exist in the cluster`, io.nowMs));
    return;
  }
  const isRunning = given.status?.conditions?.some(
    ({ type, status }) => type === "Running" && status === "True",
  );
  if (isRunning !== true) {
    const { metadata } = await io.client.list(ref, { limit: 1 });
    const resourceVersion = metadata?.resourceVersion ?? "";
    // The change itself brings it here again.
    await write({ ...inPhase(given, "Running", "", io.nowMs), resourceVersion });
    return;
  }
  await migrateAll(io.client, ref);
  await write(inPhase(given, "Succeeded", "", io.nowMs));
}

export function storageVersionMigrationController(clock: Clock): ControllerDefinition {
  let kinds: Kinds | undefined;
  return defineController<ReadMigration>({
    name: "storage-version-migrator-controller",
    owns: [],
    writes: [StorageVersionMigrations],
    workers: 1,
    watches: [
      watching<StorageVersionMigration>({
        ref: StorageVersionMigrations,
        keys: (migration) => [objectKey(migration)],
      }),
    ],
    read: (key, reads) => reads.of<StorageVersionMigration>(StorageVersionMigrations).get(key),
    plan: () => ({ actions: [] }),
    run: (migration, io) => run((kinds ??= new Kinds(io.client, clock)), migration, io),
  });
}
