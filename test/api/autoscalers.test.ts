// HorizontalPodAutoscaler over the API: two versions of one object, in every way that it is read and written.

import assert from "node:assert/strict";
import { mergePatch, names, overEveryTransport, table, type Place } from "./conformance.ts";

const at = (place: Place, version: string, name = ""): string =>
  `/apis/autoscaling/${version}/namespaces/${place.namespace}/horizontalpodautoscalers${name === "" ? "" : `/${name}`}`;
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const cpu = (percent: number) => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percent } },
});
const queue = {
  type: "External",
  external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "30" } },
};

overEveryTransport((check) => {
  check("what is created in one version is there in the other", async (place) => {
    const spec = { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 60 };
    const created = (await place.expect(201, "POST", at(place, "v1"), { metadata: { name: "web" }, spec }))
      .json;
    assert.equal(created.apiVersion, "autoscaling/v1");
    assert.deepEqual(created.spec, { ...spec, minReplicas: 1 });
    const read = (await place.expect(200, "GET", at(place, "v2", "web"))).json;
    assert.equal(read.apiVersion, "autoscaling/v2");
    assert.deepEqual(read.spec, { scaleTargetRef, minReplicas: 1, maxReplicas: 5, metrics: [cpu(60)] });
    assert.equal(read.metadata.uid, created.metadata.uid);
    assert.equal(read.metadata.resourceVersion, created.metadata.resourceVersion);
  });

  check("without a metric it is the CPU, in both versions", async (place) => {
    const spec = { scaleTargetRef, maxReplicas: 5 };
    await place.expect(201, "POST", at(place, "v1"), { metadata: { name: "one" }, spec });
    await place.expect(201, "POST", at(place, "v2"), { metadata: { name: "two" }, spec });
    const shown = (await place.expect(200, "GET", at(place, "v1"))).json;
    assert.equal(shown.kind, "HorizontalPodAutoscalerList");
    assert.deepEqual(names(shown), ["one", "two"]);
    for (const { spec: each } of shown.items) assert.equal(each.targetCPUUtilizationPercentage, 80);
    for (const { spec: each } of (await place.expect(200, "GET", at(place, "v2"))).json.items)
      assert.deepEqual(each.metrics, [cpu(80)]);
  });

  check("a change of what v1 knows keeps what it does not know", async (place) => {
    const spec = { scaleTargetRef, maxReplicas: 5, metrics: [cpu(60), queue], behavior: { scaleDown: {} } };
    const made = (await place.expect(201, "POST", at(place, "v2"), { metadata: { name: "web" }, spec })).json;
    assert.equal(made.spec.behavior.scaleDown.selectPolicy, "Max");
    const change = { spec: { maxReplicas: 9, targetCPUUtilizationPercentage: 70 } };
    await place.expect(200, "PATCH", at(place, "v1", "web"), change, mergePatch);
    const { spec: after, metadata } = (await place.expect(200, "GET", at(place, "v2", "web"))).json;
    assert.deepEqual(after, { ...made.spec, maxReplicas: 9, metrics: [cpu(70), queue] });
    assert.equal(metadata.annotations, undefined);
  });

  check("rows are the same in both versions, and the status is written in both", async (place) => {
    const spec = { scaleTargetRef, maxReplicas: 5, metrics: [cpu(60)] };
    await place.expect(201, "POST", at(place, "v2"), { metadata: { name: "web" }, spec });
    const status = { currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 41 };
    await place.expect(200, "PATCH", `${at(place, "v1", "web")}/status`, { status }, mergePatch);
    for (const version of ["v1", "v2"]) {
      const { json } = await place.expect(200, "GET", at(place, version), undefined, { accept: table });
      assert.deepEqual(json.rows[0].cells.slice(0, 6), ["web", "Deployment/web", "cpu: 41%/60%", "1", 5, 2]);
    }
    const read = (await place.expect(200, "GET", at(place, "v2", "web"))).json;
    assert.equal(read.status.desiredReplicas, 3);
    assert.equal(read.status.currentMetrics[0].resource.current.averageUtilization, 41);
  });

  check("who applied one version may go on in the other", async (place) => {
    const applyType = { "content-type": "application/apply-patch+yaml" };
    const apply = (version: string, spec: object, manager = "gitops") =>
      place.ask("PATCH", `${at(place, version, "web")}?fieldManager=${manager}`, {
        body: {
          apiVersion: `autoscaling/${version}`,
          kind: "HorizontalPodAutoscaler",
          metadata: { name: "web" },
          spec: { scaleTargetRef, maxReplicas: 5, ...spec },
        },
        headers: applyType,
      });
    const first = await apply("v1", { targetCPUUtilizationPercentage: 50 });
    assert.equal(first.status, 201, first.text);
    const second = await apply("v2", { metrics: [cpu(60), queue] });
    assert.equal(second.status, 200, second.text);
    assert.deepEqual(second.json.spec.metrics, [cpu(60), queue]);
    const entries = second.json.metadata.managedFields as { manager: string; apiVersion: string }[];
    assert.deepEqual(
      entries.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`),
      ["gitops autoscaling/v2"],
    );
    const other = await apply("v1", { maxReplicas: 7, targetCPUUtilizationPercentage: 60 }, "somebody");
    assert.equal(other.status, 409, other.text);
    assert.equal(
      other.json.message,
      'Apply failed with 1 conflict: conflict with "gitops": .spec.maxReplicas',
    );
  });

  check("discovery prefers v2", async (place) => {
    const { json } = await place.expect(200, "GET", "/apis/autoscaling");
    assert.equal(json.preferredVersion.version, "v2");
    assert.deepEqual(
      json.versions.map(({ version }: { version: string }) => version),
      ["v2", "v1"],
    );
  });
});
