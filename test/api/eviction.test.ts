// Eviction and disruption budgets: a pod goes when its budget lets it, and is counted.

import assert from "node:assert/strict";
import { idlePod, mergePatch, overEveryTransport, type Place } from "./conformance.ts";

const labels = { app: "web" };
const budgets = (place: Place, name = ""): string =>
  `/apis/policy/v1/namespaces/${place.namespace}/poddisruptionbudgets${name === "" ? "" : `/${name}`}`;

async function runningPod(place: Place, name: string, isReady = true): Promise<void> {
  const pod = { ...idlePod(name), metadata: { name, labels } };
  await place.expect(201, "POST", place.at("pods"), pod);
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
  const status = { phase: "Running", conditions };
  await place.expect(200, "PATCH", `${place.at("pods")}/${name}/status`, { status }, mergePatch);
}

/** A budget, and what its controller would have found. */
async function budget(place: Place, name: string, status: object, more: object = {}): Promise<void> {
  const spec = { minAvailable: 1, selector: { matchLabels: labels }, ...more };
  await place.expect(201, "POST", budgets(place), { metadata: { name }, spec });
  await observe(place, name, status);
}

async function observe(place: Place, name: string, status: object): Promise<void> {
  await place.expect(200, "PATCH", `${budgets(place, name)}/status`, { status }, mergePatch);
}

const evict = (place: Place, status: number, name: string) =>
  place.expect(status, "POST", `${place.at("pods")}/${name}/eviction`, {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace: place.namespace },
  });

overEveryTransport((check) => {
  check("an eviction is blocked until the budget allows it", async (place) => {
    await runningPod(place, "web");
    const needed = { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
    await budget(place, "b", { ...needed, disruptionsAllowed: 0 });
    const { json } = await evict(place, 429, "web");
    assert.equal(json.reason, "TooManyRequests");
    assert.equal(json.message, "Cannot evict pod as it would violate the pod's disruption budget.");
    assert.deepEqual(json.details.causes, [
      {
        reason: "DisruptionBudget",
        message: "The disruption budget b needs 1 healthy pods and has 1 currently",
      },
    ]);
    await observe(place, "b", { disruptionsAllowed: 1 });
    assert.equal((await evict(place, 201, "web")).json.status, "Success");
    await place.expect(404, "GET", `${place.at("pods")}/web`);
    const { status } = (await place.expect(200, "GET", budgets(place, "b"))).json;
    assert.equal(status.disruptionsAllowed, 0);
    assert.deepEqual(Object.keys(status.disruptedPods), ["web"]);
  });

  check("a budget that changed is looked at first", async (place) => {
    await runningPod(place, "web");
    await budget(place, "b", { observedGeneration: 1, disruptionsAllowed: 5 });
    await place.expect(200, "PATCH", budgets(place, "b"), { spec: { minAvailable: 2 } }, mergePatch);
    const { json, headers } = await evict(place, 429, "web");
    assert.equal(
      json.details.causes[0].message,
      "The disruption budget b is still being processed by the server.",
    );
    assert.equal(json.details.retryAfterSeconds, 10);
    assert.equal(headers["retry-after"], "10");
  });

  check("what is broken goes where the budget says so, or has enough", async (place) => {
    await runningPod(place, "broken", false);
    const none = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 1 };
    await budget(place, "b", none);
    await evict(place, 429, "broken");
    const unhealthyPodEvictionPolicy = "AlwaysAllow";
    await place.expect(
      200,
      "PATCH",
      budgets(place, "b"),
      { spec: { unhealthyPodEvictionPolicy } },
      mergePatch,
    );
    await evict(place, 201, "broken");
  });

  check("a pod of two budgets cannot be evicted", async (place) => {
    await runningPod(place, "web");
    await budget(place, "a", { observedGeneration: 1, disruptionsAllowed: 1 });
    await budget(place, "b", { observedGeneration: 1, disruptionsAllowed: 1 });
    const { json } = await evict(place, 500, "web");
    assert.match(json.message, /This pod has more than one PodDisruptionBudget/);
    await place.expect(200, "GET", `${place.at("pods")}/web`);
  });
});
