// StorageVersionMigration: what is refused, and what its status may not take back.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StorageVersionMigration } from "#machinery/gen/types/storagemigration-v1beta1.ts";
import { kindTable } from "../kind-table.ts";
import { storageVersionMigration } from "./storage-version-migration.ts";

const table = kindTable<StorageVersionMigration>(storageVersionMigration, {
  metadata: { name: "m" },
  spec: { resource: { group: "example.com", resource: "racks" } },
});
const condition = (type: string) => ({
  type,
  status: "True",
  reason: "R",
  message: "",
  lastTransitionTime: "2020-01-01T00:00:00Z",
});

test("it names a resource, and does not change its mind", () => {
  assert.deepEqual(
    table.onCreate(() => undefined),
    [],
  );
  assert.deepEqual(
    table.onCreate((one) => (one.spec = { resource: { group: "", resource: "" } })),
    ["spec.resource.resource: Required value: resource is required"],
  );
  const [error = ""] = table.onUpdate((one) => (one.spec = { resource: { group: "", resource: "pods" } }));
  assert.match(error, /^spec: Invalid value: .*: field is immutable$/);
});

test("it ends in one way only", () => {
  const [error = ""] = table.onStatus(
    (one) => (one.status = { conditions: [condition("Succeeded"), condition("Failed")] }),
  );
  assert.match(error, /^status\.conditions: Invalid value: .*cannot be true at the same time\.$/);
  assert.deepEqual(
    table.onStatus((one) => (one.status = { conditions: [condition("Succeeded")] })),
    [],
  );
});
