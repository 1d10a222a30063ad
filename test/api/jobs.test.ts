// What clients do with Jobs, CronJobs and PodDisruptionBudgets, short of running them.

import assert from "node:assert/strict";
import { mergePatch, names, overEveryTransport, strategicPatch, table, type Place } from "./conformance.ts";

const at = (place: Place, resource: string, name = ""): string =>
  `/apis/batch/v1/namespaces/${place.namespace}/${resource}${name === "" ? "" : `/${name}`}`;
const budgets = (place: Place, name = ""): string =>
  `/apis/policy/v1/namespaces/${place.namespace}/poddisruptionbudgets${name === "" ? "" : `/${name}`}`;
const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i:1" }] } };
const job = (name: string, more: object = {}): object => ({
  metadata: { name },
  spec: { template, ...more },
});
const uidLabel = "batch.kubernetes.io/controller-uid";

overEveryTransport((check) => {
  check("a Job gets a selector of its own, and labels to find it by", async (place) => {
    const { metadata, spec, status } = (await place.expect(201, "POST", at(place, "jobs"), job("pi"))).json;
    const labels = {
      [uidLabel]: metadata.uid,
      "batch.kubernetes.io/job-name": "pi",
      "controller-uid": metadata.uid,
      "job-name": "pi",
    };
    assert.deepEqual(spec.selector, { matchLabels: { [uidLabel]: metadata.uid } });
    assert.deepEqual(spec.template.metadata.labels, labels);
    assert.deepEqual(metadata.labels, labels);
    assert.equal(spec.backoffLimit, 6);
    assert.deepEqual(status, {});
    const found = await place.expect(200, "GET", `${at(place, "jobs")}?labelSelector=job-name%3Dpi`);
    assert.deepEqual(names(found.json), ["pi"]);
  });

  check("a Job's life: suspended, changed, resumed, listed, deleted with a warning", async (place) => {
    const url = at(place, "jobs", "pi");
    await place.expect(201, "POST", at(place, "jobs"), job("pi", { suspend: true, parallelism: 2 }));
    const container = { name: "c", resources: { limits: { cpu: "1" } } };
    const change = { spec: { template: { spec: { nodeSelector: { a: "b" }, containers: [container] } } } };
    const changed = (await place.expect(200, "PATCH", url, change, strategicPatch)).json;
    assert.deepEqual(changed.spec.template.spec.containers[0].resources.requests, { cpu: "1" });
    await place.expect(200, "PATCH", url, { spec: { suspend: false } }, mergePatch);
    const late = { spec: { template: { spec: { nodeSelector: { a: "c" } } } } };
    const refused = await place.expect(422, "PATCH", url, late, strategicPatch);
    assert.match(refused.json.message, /spec\.template: Invalid value: .*: field is immutable$/);
    await place.expect(200, "PATCH", url, { metadata: { labels: { a: "b" } } }, mergePatch);
    const everywhere = await place.expect(200, "GET", "/apis/batch/v1/jobs?labelSelector=a%3Db");
    assert.ok(names(everywhere.json).includes("pi"));
    const { headers } = await place.expect(200, "DELETE", `${at(place, "jobs")}?labelSelector=a%3Db`);
    assert.match(headers["warning"] ?? "", /child pods are preserved by default when jobs are deleted/);
    const told = { propagationPolicy: "Background" };
    await place.expect(201, "POST", at(place, "jobs"), job("quiet"));
    const quiet = await place.expect(200, "DELETE", at(place, "jobs", "quiet"), told);
    assert.equal(quiet.headers["warning"], undefined);
    await place.expect(404, "GET", at(place, "jobs", "quiet"));
  });

  check("a Job's status is patched and replaced, and has to fit together", async (place) => {
    const url = at(place, "jobs", "pi");
    await place.expect(201, "POST", at(place, "jobs"), job("pi", { suspend: true }));
    const startTime = "2026-01-01T00:00:00Z";
    const annotations = { patchedstatus: "true" };
    const patched = await place.expect(
      200,
      "PATCH",
      `${url}/status`,
      { metadata: { annotations }, status: { startTime } },
      mergePatch,
    );
    assert.equal(patched.json.status.startTime, startTime);
    assert.deepEqual(patched.json.metadata.annotations, annotations);
    const next = { ...patched.json, status: { startTime: "2026-01-02T00:00:00Z" } };
    const put = (await place.expect(200, "PUT", `${url}/status`, next)).json;
    assert.equal(put.status.startTime, "2026-01-02T00:00:00Z");
    const conditions = [{ type: "Failed", status: "True" }];
    const refused = await place.expect(422, "PATCH", `${url}/status`, { status: { conditions } }, mergePatch);
    assert.deepEqual(refused.json.details.causes, [
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
        field: "status.conditions",
      },
    ]);
    assert.deepEqual((await place.expect(200, "GET", `${url}/status`)).json.status, put.status);
  });

  check("a CronJob with every operation; its table", async (place) => {
    const collection = at(place, "cronjobs");
    const url = `${collection}/nightly`;
    const spec = { schedule: "0 3 * * *", timeZone: "Etc/UTC", jobTemplate: { spec: { template } } };
    const watching = await place.watch(`${collection}?watch=true`);
    const made = (await place.expect(201, "POST", collection, { metadata: { name: "nightly" }, spec })).json;
    assert.equal((await watching.next())?.type, "ADDED");
    assert.equal(made.spec.concurrencyPolicy, "Allow");
    assert.equal(made.spec.jobTemplate.spec.backoffLimit, undefined, "a template has no defaults of Jobs");
    const patched = await place.expect(200, "PATCH", url, { spec: { suspend: true } }, mergePatch);
    assert.equal(patched.json.metadata.generation, 2);
    assert.equal((await watching.next())?.object.spec.suspend, true);
    watching.stop();
    const lastScheduleTime = "2026-01-01T03:00:00Z";
    const status = await place.expect(
      200,
      "PATCH",
      `${url}/status`,
      { status: { lastScheduleTime } },
      mergePatch,
    );
    assert.equal(status.json.status.lastScheduleTime, lastScheduleTime);
    const refused = await place.expect(422, "PATCH", url, { spec: { schedule: "61 * * * *" } }, mergePatch);
    assert.match(refused.json.message, /end of range \(61\) above maximum \(59\): 61$/);
    const { json } = await place.expect(200, "GET", collection, undefined, { accept: table });
    assert.deepEqual(json.rows[0].cells.slice(0, 5), ["nightly", "0 3 * * *", "Etc/UTC", "True", 0]);
    await place.expect(200, "DELETE", url);
    await place.expect(404, "GET", url);
  });

  check("a PodDisruptionBudget is created, replaced and patched", async (place) => {
    const url = budgets(place, "b");
    const spec = { minAvailable: 2, selector: { matchLabels: { a: "b" } } };
    const made = (await place.expect(201, "POST", budgets(place), { metadata: { name: "b" }, spec })).json;
    assert.deepEqual(made.status, {
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    });
    made.spec.minAvailable = "50%";
    const put = (await place.expect(200, "PUT", url, made)).json;
    assert.equal(put.spec.minAvailable, "50%");
    delete put.metadata.resourceVersion;
    const blind = await place.expect(422, "PUT", url, put);
    assert.match(
      blind.json.message,
      /metadata\.resourceVersion: Invalid value: 0: must be specified for an update/,
    );
    const limits = { spec: { minAvailable: null, maxUnavailable: 1 } };
    const patched = (await place.expect(200, "PATCH", url, limits, mergePatch)).json;
    assert.deepEqual(patched.spec, { maxUnavailable: 1, selector: spec.selector });
    // A selector is replaced by a strategic patch, not merged.
    const other = { spec: { selector: { matchLabels: { c: "d" } } } };
    const replaced = await place.expect(200, "PATCH", url, other, strategicPatch);
    assert.deepEqual(replaced.json.spec.selector, { matchLabels: { c: "d" } });
  });

  check("PodDisruptionBudgets of all namespaces are listed; a collection is deleted", async (place) => {
    const labels = { test: place.namespace };
    for (const name of ["a", "b", "c"])
      await place.expect(201, "POST", budgets(place), {
        metadata: { name, labels },
        spec: { minAvailable: 1 },
      });
    const everywhere = `/apis/policy/v1/poddisruptionbudgets?labelSelector=test%3D${place.namespace}`;
    assert.deepEqual(names((await place.expect(200, "GET", everywhere)).json), ["a", "b", "c"]);
    await place.expect(200, "DELETE", budgets(place));
    assert.deepEqual(names((await place.expect(200, "GET", everywhere)).json), []);
  });

  check("a PodDisruptionBudget's status is replaced and patched", async (place) => {
    const url = `${budgets(place, "b")}/status`;
    const spec = { minAvailable: 1 };
    await place.expect(201, "POST", budgets(place), { metadata: { name: "b" }, spec });
    const read = (await place.expect(200, "GET", url)).json;
    const disruptedPods = { p: "2026-01-01T00:00:00Z" };
    read.status.disruptedPods = disruptedPods;
    assert.deepEqual((await place.expect(200, "PUT", url, read)).json.status.disruptedPods, disruptedPods);
    const patched = await place.expect(200, "PATCH", url, { status: { disruptedPods: null } }, mergePatch);
    assert.equal(patched.json.status.disruptedPods, undefined);
    const refused = await place.expect(422, "PATCH", url, { status: { expectedPods: -1 } }, mergePatch);
    assert.match(refused.json.message, /status\.expectedPods: Invalid value: -1/);
  });
});
