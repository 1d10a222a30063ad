// Which controllers `--controllers` chooses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { controllers, selectControllers } from "./index.ts";

const names = (...wanted: string[]): string[] => selectControllers(wanted).map(({ name }) => name);

test("all, some, all but some; names of today and of before", () => {
  const all = controllers.map(({ name }) => name);
  assert.equal(new Set(all).size, all.length);
  assert.deepEqual(selectControllers(), controllers);
  assert.deepEqual(names("job-controller", "ttl"), ["job-controller", "ttl-controller"]);
  assert.deepEqual(
    names("*", "-deployment", "-replicaset-controller"),
    all.filter((name) => name !== "deployment-controller" && name !== "replicaset-controller"),
  );
  for (const bad of ["nothing", "-nothing", "__proto__", "constructor"])
    assert.throws(() => names("*", bad), /is not in the list of known controllers/);
});
