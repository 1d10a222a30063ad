// Create and update: names, namespaces, versions, dry runs, what happens to fields nobody knows.

import assert from "node:assert/strict";
import { container, idlePod, mergePatch, overEveryTransport, type Place } from "./conformance.ts";

const rcSpec = (replicas: number, image = "i"): object => ({
  replicas,
  template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ ...container, image }] } },
});
const typo = { metadata: { name: "a", lables: { x: "1" } }, dat: {} };
const revision = (place: Place): Promise<number> => place.api.revision();

overEveryTransport((check) => {
  check("a generated name keeps its prefix", async (place) => {
    const made = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const { json } = await place.expect(201, "POST", place.at("configmaps"), {
        metadata: { generateName: "job-" },
      });
      assert.match(json.metadata.name, /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      assert.equal(json.metadata.generateName, "job-");
      made.add(json.metadata.name);
    }
    assert.equal(made.size, 5);
    const long = await place.expect(201, "POST", place.at("configmaps"), {
      metadata: { generateName: "a".repeat(100) },
    });
    assert.equal(long.json.metadata.name.length, 63);
  });

  check("a name is given once", async (place) => {
    await place.put("a");
    const { json } = await place.expect(409, "POST", place.at("configmaps"), { metadata: { name: "a" } });
    assert.equal(json.reason, "AlreadyExists");
    assert.equal(json.message, 'configmaps "a" already exists');
    assert.deepEqual(json.details, { name: "a", kind: "configmaps" });
    const service = { metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } };
    await place.expect(201, "POST", place.at("services"), service);
    assert.equal(
      (await place.expect(409, "POST", place.at("services"), service)).json.reason,
      "AlreadyExists",
    );
  });

  check("what a creator may not set is not kept", async (place) => {
    const { json } = await place.expect(201, "POST", place.at("pods"), {
      metadata: {
        name: "a",
        uid: "mine",
        generation: 7,
        creationTimestamp: "2016-01-01T00:00:00Z",
        deletionTimestamp: "2016-01-01T00:00:00Z",
        selfLink: "/x",
      },
      spec: { schedulerName: "none", containers: [container] },
      status: { phase: "Running", podIP: "1.2.3.4" },
    });
    assert.notEqual(json.metadata.uid, "mine");
    assert.equal(json.metadata.generation, 1);
    assert.notEqual(json.metadata.creationTimestamp, "2016-01-01T00:00:00Z");
    assert.equal(json.metadata.deletionTimestamp, undefined);
    assert.equal(json.metadata.selfLink, undefined);
    assert.deepEqual(json.status, { phase: "Pending", qosClass: "BestEffort" });
  });

  check("the namespace comes from the path", async (place) => {
    const { json } = await place.expect(201, "POST", place.at("configmaps"), { metadata: { name: "a" } });
    assert.equal(json.metadata.namespace, place.namespace);
    const cluster = { metadata: { name: `ns-${place.namespace}`, namespace: "ignored" } };
    const made = await place.expect(201, "POST", "/api/v1/namespaces", cluster);
    assert.equal(made.json.metadata.namespace, undefined, "of what has none it is dropped");
  });

  check("a dry run checks everything and stores nothing", async (place) => {
    const before = await revision(place);
    const { json } = await place.expect(201, "POST", `${place.at("configmaps")}?dryRun=All`, {
      metadata: { name: "a" },
      data: { x: "1" },
    });
    assert.equal(json.metadata.name, "a");
    assert.match(json.metadata.uid, /^[0-9a-f-]{36}$/);
    assert.equal(json.metadata.resourceVersion, undefined);
    assert.equal(await revision(place), before);
    await place.expect(404, "GET", `${place.at("configmaps")}/a`);
    const made = await place.put("a", { x: "1" });
    const url = `${place.at("configmaps")}/a?dryRun=All`;
    await place.expect(409, "POST", `${place.at("configmaps")}?dryRun=All`, { metadata: { name: "a" } });
    const updated = await place.expect(200, "PUT", url, { metadata: { name: "a" }, data: { x: "2" } });
    assert.deepEqual(updated.json.data, { x: "2" });
    assert.equal(updated.json.metadata.resourceVersion, made.metadata.resourceVersion);
    await place.expect(200, "DELETE", url);
    assert.deepEqual((await place.expect(200, "GET", `${place.at("configmaps")}/a`)).json, made);
    const service = { metadata: { name: "s" }, spec: { clusterIP: "10.96.200.1", ports: [{ port: 80 }] } };
    await place.expect(201, "POST", `${place.at("services")}?dryRun=All`, service);
    await place.expect(201, "POST", `${place.at("services")}?dryRun=All`, service);
  });

  check("unknown fields: an error, a warning, or nothing", async (place) => {
    const url = place.at("configmaps");
    const strict = await place.expect(400, "POST", `${url}?fieldValidation=Strict`, typo);
    assert.equal(
      strict.json.message,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.lables", unknown field "dat"',
    );
    const quiet = await place.expect(201, "POST", `${url}?fieldValidation=Ignore`, typo);
    assert.equal(quiet.headers["warning"], undefined);
    await place.expect(200, "DELETE", `${url}/a`);
    for (const query of ["", "?fieldValidation=Warn", "?fieldValidation="]) {
      const warned = await place.expect(201, "POST", `${url}${query}`, typo);
      assert.equal(
        warned.headers["warning"],
        '299 - "unknown field \\"metadata.lables\\"", 299 - "unknown field \\"dat\\""',
      );
      assert.equal(warned.json.dat, undefined);
      await place.expect(200, "DELETE", `${url}/a`);
    }
    const twice = await place.expect(201, "POST", url, '{"metadata":{"name":"a","name":"b"}}');
    assert.equal(twice.headers["warning"], '299 - "duplicate field \\"metadata.name\\""');
    assert.equal(twice.json.metadata.name, "b", "the last one counts");
  });

  check("warnings in any alphabet, and many of them", async (place) => {
    const foreign = { metadata: { name: "a" }, "поле-字": 1 };
    const { headers } = await place.expect(201, "POST", place.at("configmaps"), foreign);
    const text = Buffer.from(headers["warning"] ?? "", "latin1").toString();
    assert.equal(text, '299 - "unknown field \\"поле-字\\""');
    const many = Object.fromEntries(
      Array.from({ length: 90 }, (_, at) => [`field-${at}-${"x".repeat(500)}`, 1]),
    );
    const flood = await place.expect(201, "POST", place.at("configmaps"), {
      metadata: { name: "b" },
      ...many,
    });
    assert.ok((flood.headers["warning"] ?? "").length < 8192);
  });

  check("an update replaces everything that was not left to the server", async (place) => {
    const made = await place.put("a", { x: "1", y: "2" }, { l: "1" });
    const { json } = await place.expect(200, "PUT", `${place.at("configmaps")}/a`, {
      metadata: { name: "a" },
      data: { z: "3" },
    });
    assert.deepEqual(json.data, { z: "3" });
    assert.equal(json.metadata.labels, undefined);
    assert.equal(json.metadata.uid, made.metadata.uid);
    assert.equal(json.metadata.creationTimestamp, made.metadata.creationTimestamp);
    assert.ok(Number(json.metadata.resourceVersion) > Number(made.metadata.resourceVersion));
  });

  check("an update from an old version is a conflict", async (place) => {
    const old = await place.put("a");
    await place.expect(200, "PUT", `${place.at("configmaps")}/a`, { ...old, data: { x: "1" } });
    const { json } = await place.expect(409, "PUT", `${place.at("configmaps")}/a`, { ...old, data: {} });
    assert.equal(json.reason, "Conflict");
    assert.equal(
      json.message,
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    );
    assert.deepEqual(json.details, { name: "a", kind: "configmaps" });
  });

  check("an update that changes nothing writes nothing", async (place) => {
    const made = await place.put("a", { x: "1" });
    const before = await revision(place);
    const same = await place.expect(200, "PUT", `${place.at("configmaps")}/a`, made);
    assert.deepEqual(same.json, made);
    await place.expect(200, "PUT", `${place.at("configmaps")}/a`, {
      data: { x: "1" },
      metadata: { name: "a" },
    });
    assert.equal(await revision(place), before);
  });

  check("generation counts changes of the spec, and of nothing else", async (place) => {
    const url = `${place.at("replicationcontrollers")}/rc`;
    const body = (spec: object, labels = {}) => ({ metadata: { name: "rc", labels }, spec });
    const made = await place.expect(201, "POST", place.at("replicationcontrollers"), body(rcSpec(0)));
    assert.equal(made.json.metadata.generation, 1);
    const labelled = await place.expect(200, "PUT", url, body(rcSpec(0), { x: "1" }));
    assert.equal(labelled.json.metadata.generation, 1);
    const scaled = await place.expect(200, "PUT", url, body(rcSpec(1)));
    assert.equal(scaled.json.metadata.generation, 2);
    const status = { ...scaled.json, status: { replicas: 1 }, spec: rcSpec(9) };
    const written = await place.expect(200, "PUT", `${url}/status`, status);
    assert.equal(written.json.metadata.generation, 2);
    assert.equal(written.json.status.replicas, 1);
    assert.equal(written.json.spec.replicas, 1, "a status update leaves the spec alone");
    const kept = await place.expect(200, "PUT", url, { ...body(rcSpec(2)), status: { replicas: 7 } });
    assert.equal(kept.json.status.replicas, 1, "and the other way round");
    const cm = await place.put("a");
    assert.equal(cm.metadata.generation, undefined);
  });

  check("an update that says the same in another order is the same", async (place) => {
    const url = `${place.at("replicationcontrollers")}/rc`;
    await place.expect(201, "POST", place.at("replicationcontrollers"), {
      metadata: { name: "rc" },
      spec: rcSpec(0),
    });
    const made = (await place.expect(200, "GET", url)).json;
    const reversed = Object.fromEntries(Object.entries(made.spec).toReversed());
    const same = await place.expect(200, "PUT", url, { ...made, spec: reversed });
    assert.deepEqual(
      [same.json.metadata.generation, same.json.metadata.resourceVersion],
      [1, made.metadata.resourceVersion],
    );
    const secret = {
      metadata: { name: "s" },
      immutable: true,
      data: { z: "" },
      stringData: { b: "1", a: "2" },
    };
    await place.expect(201, "POST", place.at("secrets"), secret);
    const labelled = { metadata: { labels: { l: "1" } } };
    await place.expect(200, "PATCH", `${place.at("secrets")}/s`, labelled, mergePatch);
  });

  check("what a pod cannot change", async (place) => {
    const { json: pod } = await place.expect(201, "POST", place.at("pods"), idlePod("p"));
    const url = `${place.at("pods")}/p`;
    const changed = { ...pod, spec: { ...pod.spec, restartPolicy: "Never" } };
    const refused = await place.expect(422, "PUT", url, changed);
    assert.match(
      refused.json.message,
      /^Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than /,
    );
    const more = {
      ...pod,
      spec: { ...pod.spec, containers: [...pod.spec.containers, { name: "d", image: "i" }] },
    };
    assert.match(
      (await place.expect(422, "PUT", url, more)).json.message,
      /spec\.containers: Forbidden: pod updates may not add or remove containers/,
    );
    const debug = { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: "e", image: "i" }] } };
    assert.match(
      (await place.expect(422, "PUT", url, debug)).json.message,
      /spec: Forbidden: pod updates may not change/,
    );
    const image = { ...pod, spec: { ...pod.spec, containers: [{ ...pod.spec.containers[0], image: "j" }] } };
    assert.equal((await place.expect(200, "PUT", url, image)).json.spec.containers[0].image, "j");
  });

  check("an update creates what is not there, for the kinds that say so", async (place) => {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${place.namespace}/leases/l`;
    const made = await place.expect(201, "PUT", lease, {
      metadata: { name: "l" },
      spec: { holderIdentity: "me" },
    });
    assert.equal(made.json.spec.holderIdentity, "me");
    await place.expect(404, "PUT", `${place.at("configmaps")}/a`, { metadata: { name: "a" } });
  });

  check("YAML bodies", async (place) => {
    const { json } = await place.expect(
      201,
      "POST",
      place.at("configmaps"),
      "metadata:\n  name: why\ndata: {on: 'off', z: \"1\"}\n",
      { "content-type": "application/yaml" },
    );
    assert.deepEqual(json.data, { true: "off", z: "1" }, "`on` is the YAML 1.1 truth");
  });
});
