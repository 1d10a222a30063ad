// Deletion: at once, gracefully, held by finalizers; its preconditions and policies; whole collections.

import assert from "node:assert/strict";
import { idlePod, mergePatch, names, overEveryTransport, type Place } from "./conformance.ts";

const bound = (name: string): object => idlePod(name, { nodeName: "n1" });

/** A node for pods to be bound to: without it, whoever tidies up would take them for orphans. */
async function withNode(place: Place): Promise<void> {
  await place.ask("POST", "/api/v1/nodes", { body: { metadata: { name: "n1" } } });
}

overEveryTransport((check) => {
  check("at once: a Status that says what is gone", async (place) => {
    const made = await place.put("a");
    const { json } = await place.expect(200, "DELETE", `${place.at("configmaps")}/a`);
    assert.deepEqual(json, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", kind: "configmaps", uid: made.metadata.uid },
    });
    await place.expect(404, "DELETE", `${place.at("configmaps")}/a`);
    const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${place.namespace}/roles`;
    await place.expect(201, "POST", role, { metadata: { name: "r" }, rules: [] });
    const { group, kind } = (await place.expect(200, "DELETE", `${role}/r`)).json.details;
    assert.deepEqual([group, kind], ["rbac.authorization.k8s.io", "roles"]);
  });

  check("pods, services and accounts are answered with themselves", async (place) => {
    await place.expect(201, "POST", place.at("pods"), idlePod("p"));
    await place.expect(201, "POST", place.at("services"), {
      metadata: { name: "s" },
      spec: { ports: [{ port: 1 }] },
    });
    await place.expect(201, "POST", place.at("serviceaccounts"), { metadata: { name: "x" } });
    for (const [resource, name, kind] of [
      ["pods", "p", "Pod"],
      ["services", "s", "Service"],
      ["serviceaccounts", "x", "ServiceAccount"],
    ] as const) {
      const url = `${place.at(resource)}/${name}`;
      assert.equal((await place.expect(200, "DELETE", url)).json.kind, kind);
      await place.expect(404, "GET", url);
    }
  });

  check("a bound pod is given its time, and less when asked again", async (place) => {
    await withNode(place);
    await place.expect(201, "POST", place.at("pods"), bound("p"));
    const url = `${place.at("pods")}/p`;
    const first = (await place.expect(200, "DELETE", url)).json;
    assert.equal(first.kind, "Pod");
    assert.equal(first.metadata.deletionGracePeriodSeconds, 30);
    assert.ok(Date.parse(first.metadata.deletionTimestamp) > Date.parse(first.metadata.creationTimestamp));
    const again = (await place.expect(200, "DELETE", url)).json;
    assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion, "nothing new");
    const longer = (await place.expect(200, "DELETE", url, { gracePeriodSeconds: 60 })).json;
    assert.equal(longer.metadata.deletionGracePeriodSeconds, 30, "never longer");
    const shorter = (await place.expect(200, "DELETE", `${url}?gracePeriodSeconds=5`)).json;
    assert.equal(shorter.metadata.deletionGracePeriodSeconds, 5);
    await place.expect(200, "DELETE", url, { gracePeriodSeconds: 0 });
    await place.expect(404, "GET", url);
  });

  check("preconditions", async (place) => {
    const made = await place.put("a");
    const url = `${place.at("configmaps")}/a`;
    const { uid, resourceVersion } = made.metadata;
    const wrong = await place.expect(409, "DELETE", url, { preconditions: { uid: "other" } });
    assert.equal(
      wrong.json.message,
      `Operation cannot be fulfilled on configmaps "a": Precondition failed: UID in precondition: other, UID in object meta: ${uid}`,
    );
    const stale = await place.expect(409, "DELETE", url, { preconditions: { resourceVersion: "1" } });
    assert.match(
      stale.json.message,
      /Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: \d+$/,
    );
    await place.expect(200, "DELETE", url, { preconditions: { uid, resourceVersion } });
  });

  check("finalizers hold an object until the last is gone", async (place) => {
    const object = { metadata: { name: "a", finalizers: ["x.example/one", "x.example/two"] } };
    await place.expect(201, "POST", place.at("configmaps"), object);
    const url = `${place.at("configmaps")}/a`;
    const held = (await place.expect(200, "DELETE", url)).json;
    assert.equal(held.kind, "ConfigMap");
    assert.equal(held.metadata.deletionGracePeriodSeconds, 0);
    const added = { metadata: { finalizers: ["x.example/one", "x.example/two", "x.example/three"] } };
    const refused = await place.expect(422, "PATCH", url, added, mergePatch);
    assert.match(
      refused.json.message,
      /metadata\.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers/,
    );
    await place.expect(200, "PATCH", url, { metadata: { finalizers: ["x.example/two"] } }, mergePatch);
    const revived = { metadata: { deletionTimestamp: null } };
    const still = (await place.expect(200, "PATCH", url, revived, mergePatch)).json;
    assert.equal(still.metadata.deletionTimestamp, held.metadata.deletionTimestamp, "there is no way back");
    const last = (await place.expect(200, "PATCH", url, { metadata: { finalizers: null } }, mergePatch)).json;
    assert.equal(last.metadata.name, "a");
    await place.expect(404, "GET", url);
  });

  check("propagation becomes a finalizer, for the garbage collector", async (place) => {
    const rows: [object | undefined, string, string[] | undefined, number][] = [
      [{ propagationPolicy: "Orphan" }, "configmaps", ["orphan"], 200],
      [{ propagationPolicy: "Foreground" }, "configmaps", ["foregroundDeletion"], 200],
      [{ propagationPolicy: "Background" }, "configmaps", undefined, 200],
      [{ orphanDependents: true }, "configmaps", ["orphan"], 200],
      [{ orphanDependents: false }, "configmaps", undefined, 200],
      [undefined, "configmaps", undefined, 200],
      [undefined, "replicationcontrollers", ["orphan"], 200],
      [{ propagationPolicy: "Background" }, "replicationcontrollers", undefined, 200],
    ];
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    for (const [at, [options, resource, finalizers, status]] of rows.entries()) {
      const spec = resource === "configmaps" ? {} : { spec: { replicas: 0, template } };
      await place.expect(201, "POST", place.at(resource), { metadata: { name: `o${at}` }, ...spec });
      const url = `${place.at(resource)}/o${at}`;
      const { json } = await place.expect(status, "DELETE", url, options);
      assert.deepEqual(json.metadata.finalizers, finalizers, JSON.stringify(rows[at]));
      await place.expect(finalizers === undefined ? 404 : 200, "GET", url);
    }
    const held = { metadata: { name: "held", finalizers: ["x.example/y"] } };
    await place.expect(201, "POST", place.at("configmaps"), held);
    const accepted = await place.expect(202, "DELETE", `${place.at("configmaps")}/held`, {
      orphanDependents: false,
    });
    assert.deepEqual(accepted.json.metadata.finalizers, ["x.example/y"]);
  });

  check("options of other groups and of protobuf's clients", async (place) => {
    for (const apiVersion of ["v1", "meta.k8s.io/v1", "apps/v1"]) {
      await place.put("a");
      const options = { kind: "DeleteOptions", apiVersion, propagationPolicy: "Background", future: 1 };
      await place.expect(200, "DELETE", `${place.at("configmaps")}/a`, options);
    }
  });

  check("a collection, selected", async (place) => {
    for (const name of ["a", "b", "c"]) await place.put(name, {}, { keep: String(name === "b") });
    const url = `${place.at("configmaps")}?labelSelector=keep%3Dfalse`;
    const dry = await place.expect(200, "DELETE", `${url}&dryRun=All`);
    assert.deepEqual(names(dry.json), ["a", "c"]);
    const { json } = await place.expect(200, "DELETE", url);
    assert.equal(json.kind, "ConfigMapList");
    assert.deepEqual(names(json), ["a", "c"]);
    const left = await place.expect(200, "GET", place.at("configmaps"));
    assert.deepEqual(names(left.json), ["b", "kube-root-ca.crt"]);
  });

  check("a deletion may be tried", async (place) => {
    await withNode(place);
    await place.expect(201, "POST", place.at("pods"), bound("p"));
    const before = await place.api.revision();
    await place.expect(200, "DELETE", `${place.at("pods")}/p?dryRun=All`);
    await place.expect(200, "DELETE", `${place.at("pods")}/p`, { dryRun: ["All"], gracePeriodSeconds: 0 });
    assert.equal(await place.api.revision(), before);
  });

  check("an address is free again once its Service is gone", async (place) => {
    const spec = { type: "NodePort", ports: [{ port: 80 }] };
    const made = (await place.expect(201, "POST", place.at("services"), { metadata: { name: "a" }, spec }))
      .json;
    const { clusterIP, ports } = made.spec;
    const same = {
      metadata: { name: "b" },
      spec: { ...spec, clusterIP, ports: [{ port: 80, nodePort: ports[0].nodePort }] },
    };
    const refused = await place.expect(422, "POST", place.at("services"), same);
    assert.match(refused.json.message, /provided IP is already allocated/);
    await place.expect(200, "DELETE", `${place.at("services")}/a`);
    await place.expect(201, "POST", place.at("services"), same);
  });
});
