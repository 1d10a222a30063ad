// What clients do with Deployments, ReplicaSets, StatefulSets, DaemonSets and their revisions, short of running them:
// create, patch, scale, status, lists and their deletion, errors with all their causes.

import assert from "node:assert/strict";
import {
  jsonPatch,
  mergePatch,
  names,
  overEveryTransport,
  strategicPatch,
  table,
  type Place,
} from "./conformance.ts";

const at = (place: Place, resource: string, name = ""): string =>
  `/apis/apps/v1/namespaces/${place.namespace}/${resource}${name === "" ? "" : `/${name}`}`;
const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i:1" }] } };
const selector = { matchLabels: labels };
const workload = (name: string, more: object = {}): object => ({
  metadata: { name, labels },
  spec: { replicas: 2, selector, template, ...more },
});
const daemon = (name: string): object => ({ metadata: { name, labels }, spec: { selector, template } });
const applyPatch = { "content-type": "application/apply-patch+yaml" };
const scalable = ["deployments", "replicasets", "statefulsets"] as const;
const condition = {
  type: "StatusUpdate",
  status: "True",
  reason: "E2E",
  message: "Set by a test",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};

overEveryTransport((check) => {
  for (const resource of scalable)
    check(`${resource}: the scale is read, replaced and patched`, async (place) => {
      await place.expect(201, "POST", at(place, resource), workload("web"));
      const url = `${at(place, resource, "web")}/scale`;
      const scale = (await place.expect(200, "GET", url)).json;
      assert.equal(scale.kind, "Scale");
      assert.equal(scale.apiVersion, "autoscaling/v1");
      assert.equal(scale.spec.replicas, 2);
      assert.equal(scale.status.selector, "app=web");
      scale.spec.replicas = 4;
      assert.equal((await place.expect(200, "PUT", url, scale)).json.spec.replicas, 4);
      await place.expect(409, "PUT", url, scale);
      await place.expect(200, "PATCH", url, { spec: { replicas: 6 } }, mergePatch);
      const refused = await place.expect(422, "PATCH", url, { spec: { replicas: -1 } }, mergePatch);
      assert.match(refused.json.message, /spec\.replicas: Invalid value: -1: must be greater than or equal/);
      const { spec, metadata } = (await place.expect(200, "GET", at(place, resource, "web"))).json;
      assert.equal(spec.replicas, 6);
      assert.equal(metadata.generation, 3);
    });

  for (const resource of [...scalable, "daemonsets"] as const)
    check(`${resource}: the status is written, and nothing else by that`, async (place) => {
      const given = resource === "daemonsets" ? daemon("web") : workload("web");
      const url = at(place, resource, "web");
      const made = (await place.expect(201, "POST", at(place, resource), given)).json;
      const read = (await place.expect(200, "GET", `${url}/status`)).json;
      assert.equal(read.metadata.uid, made.metadata.uid);
      const next = { ...read, spec: { ...read.spec, minReadySeconds: 7 } };
      next.status = { ...read.status, conditions: [condition] };
      const put = (await place.expect(200, "PUT", `${url}/status`, next)).json;
      assert.equal(put.status.conditions[0].reason, "E2E");
      assert.equal(put.spec.minReadySeconds, undefined);
      assert.equal(put.metadata.generation, 1);
      const patched = await place.expect(
        200,
        "PATCH",
        `${url}/status`,
        { status: { conditions: [{ ...condition, type: "StatusPatched" }] } },
        mergePatch,
      );
      assert.equal(patched.json.status.conditions[0].type, "StatusPatched");
      const whole = await place.expect(200, "PATCH", url, { status: { conditions: [] } }, mergePatch);
      assert.equal(whole.json.status.conditions.length, 1, "the object's own path leaves the status alone");
    });

  for (const resource of [...scalable, "daemonsets"] as const)
    check(`${resource}: lists by label, patches and deletes a collection`, async (place) => {
      for (const name of ["a", "b", "c"])
        await place.expect(
          201,
          "POST",
          at(place, resource),
          resource === "daemonsets" ? daemon(name) : workload(name),
        );
      await place.expect(
        200,
        "PATCH",
        at(place, resource, "c"),
        { metadata: { labels: { app: "other" } } },
        mergePatch,
      );
      const mine = `${at(place, resource)}?labelSelector=app%3Dweb`;
      assert.deepEqual(names((await place.expect(200, "GET", mine)).json), ["a", "b"]);
      const everywhere = `/apis/apps/v1/${resource}?fieldSelector=metadata.namespace%3D${place.namespace}`;
      assert.deepEqual(names((await place.expect(200, "GET", everywhere)).json), ["a", "b", "c"]);
      await place.expect(200, "DELETE", mine);
      assert.deepEqual(names((await place.expect(200, "GET", at(place, resource))).json), ["c"]);
    });

  check("a Deployment's life: created, watched, patched in every way, replaced, deleted", async (place) => {
    const url = at(place, "deployments", "web");
    const watching = await place.watch(`${at(place, "deployments")}?watch=true&labelSelector=app%3Dweb`);
    const next = async (type: string): Promise<any> => {
      const event = await watching.next();
      assert.equal(event?.type, type);
      return event?.object;
    };
    await place.expect(201, "POST", at(place, "deployments"), workload("web"));
    const { spec, status, metadata } = await next("ADDED");
    assert.equal(metadata.generation, 1);
    assert.deepEqual(status, {});
    assert.deepEqual(spec.strategy, {
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" },
    });
    const image = { spec: { template: { spec: { containers: [{ name: "c", image: "i:2" }] } } } };
    await place.expect(200, "PATCH", url, image, strategicPatch);
    const second = await next("MODIFIED");
    assert.equal(second.metadata.generation, 2);
    const [container] = second.spec.template.spec.containers;
    assert.deepEqual([container.image, container.terminationMessagePath], ["i:2", "/dev/termination-log"]);
    await place.expect(200, "PATCH", url, [{ op: "add", path: "/spec/paused", value: true }], jsonPatch);
    assert.equal((await next("MODIFIED")).spec.paused, true);
    const applied = { apiVersion: "apps/v1", kind: "Deployment", ...workload("web", { replicas: 9 }) };
    const conflict = await place.expect(409, "PATCH", `${url}?fieldManager=gitops`, applied, applyPatch);
    assert.equal(conflict.json.reason, "Conflict");
    await place.expect(200, "PATCH", `${url}?fieldManager=gitops&force=true`, applied, applyPatch);
    const third = await next("MODIFIED");
    assert.equal(third.spec.replicas, 9);
    await place.expect(200, "PUT", url, {
      ...third,
      metadata: { ...third.metadata, annotations: { a: "b" } },
    });
    const last = await next("MODIFIED");
    assert.equal(last.metadata.generation, third.metadata.generation, "annotations are no new generation");
    await place.expect(200, "DELETE", url);
    await next("DELETED");
    watching.stop();
  });

  check("a Deployment that is wrong is told all of it", async (place) => {
    const wrong = workload("web", {
      replicas: -1,
      selector: { matchLabels: { app: "x" } },
      strategy: { type: "Recreate", rollingUpdate: {} },
    });
    const { json } = await place.expect(422, "POST", at(place, "deployments"), wrong);
    assert.equal(json.reason, "Invalid");
    assert.deepEqual(json.details, {
      name: "web",
      group: "apps",
      kind: "Deployment",
      causes: [
        {
          reason: "FieldValueInvalid",
          message: "Invalid value: -1: must be greater than or equal to 0",
          field: "spec.replicas",
        },
        {
          reason: "FieldValueInvalid",
          message: 'Invalid value: {"app":"web"}: `selector` does not match template `labels`',
          field: "spec.template.metadata.labels",
        },
        {
          reason: "FieldValueForbidden",
          message: "Forbidden: may not be specified when strategy `type` is 'Recreate'",
          field: "spec.strategy.rollingUpdate",
        },
      ],
    });
    await place.expect(201, "POST", at(place, "deployments"), workload("web"));
    const url = at(place, "deployments", "web");
    const other = {
      selector: { matchLabels: { app: "x" } },
      template: { metadata: { labels: { app: "x" } } },
    };
    const refused = await place.expect(422, "PATCH", url, { spec: other }, mergePatch);
    assert.match(refused.json.message, /spec\.selector: Invalid value: .*: field is immutable$/);
    const unknown = await place.expect(
      422,
      "PATCH",
      `${url}?fieldValidation=Strict`,
      { spec: { replica: 1 } },
      mergePatch,
    );
    assert.match(unknown.json.message, /strict decoding error: unknown field "spec\.replica"$/);
    const dry = await place.expect(200, "PATCH", `${url}?dryRun=All`, { spec: { replicas: 7 } }, mergePatch);
    assert.equal(dry.json.spec.replicas, 7);
    assert.equal((await place.expect(200, "GET", url)).json.spec.replicas, 2);
  });

  check("names that are hostnames: a warning, or a refusal", async (place) => {
    const { headers } = await place.expect(201, "POST", at(place, "deployments"), workload("a.b"));
    assert.match(headers["warning"] ?? "", /^299 - "metadata\.name: this is used in Pod names and hostnames/);
    const { json } = await place.expect(422, "POST", at(place, "statefulsets"), workload("a.b"));
    assert.match(json.message, /metadata\.name: Invalid value: "a\.b": must not contain dots/);
  });

  check("a ReplicaSet is replaced and patched; its table", async (place) => {
    const url = at(place, "replicasets", "web");
    const made = (await place.expect(201, "POST", at(place, "replicasets"), workload("web"))).json;
    await place.expect(200, "PUT", url, { ...made, spec: { ...made.spec, replicas: 3 } });
    const image = { spec: { template: { spec: { containers: [{ name: "c", image: "i:2" }] } } } };
    const patched = await place.expect(200, "PATCH", url, image, strategicPatch);
    assert.equal(patched.json.spec.replicas, 3);
    const rows = (await place.expect(200, "GET", at(place, "replicasets"), undefined, { accept: table }))
      .json;
    assert.deepEqual(
      rows.columnDefinitions.map(({ name }: { name: string }) => name),
      ["Name", "Desired", "Current", "Ready", "Age", "Containers", "Images", "Selector"],
    );
    const [cells] = rows.rows.map((row: { cells: unknown[] }) => row.cells);
    assert.deepEqual([...cells.slice(0, 4), ...cells.slice(5)], ["web", 3, 0, 0, "c", "i:2", "app=web"]);
  });

  check("a ControllerRevision's life: its data stays, its number grows", async (place) => {
    const collection = at(place, "controllerrevisions");
    const revision = { metadata: { name: "r1", labels }, revision: 1, data: { spec: { a: 1 } } };
    await place.expect(201, "POST", collection, revision);
    const url = `${collection}/r1`;
    await place.expect(422, "PATCH", url, { data: { spec: { a: 2 } } }, mergePatch);
    const moved = await place.expect(200, "PATCH", url, { revision: 3 }, mergePatch);
    assert.deepEqual([moved.json.revision, moved.json.data], [3, { spec: { a: 1 } }]);
    await place.expect(201, "POST", collection, { ...revision, metadata: { name: "r2" } });
    await place.expect(200, "DELETE", `${collection}?labelSelector=app%3Dweb`);
    assert.deepEqual(names((await place.expect(200, "GET", collection)).json), ["r2"]);
  });
});
