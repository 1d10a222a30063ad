// What stands beside objects: status, scale, binding, finalize, token; and the refusal of what is not served.

import assert from "node:assert/strict";
import { container, idlePod, jsonPatch, mergePatch, overEveryTransport, type Place } from "./conformance.ts";

async function controller(place: Place, replicas = 0): Promise<string> {
  const template = { metadata: { labels: { app: "web", tier: "front" } }, spec: { containers: [container] } };
  await place.expect(201, "POST", place.at("replicationcontrollers"), {
    metadata: { name: "rc" },
    spec: { replicas, template },
  });
  return `${place.at("replicationcontrollers")}/rc`;
}

overEveryTransport((check) => {
  check("status is written on its own", async (place) => {
    const { json: pod } = await place.expect(201, "POST", place.at("pods"), idlePod("p"));
    const url = `${place.at("pods")}/p`;
    const written = await place.expect(200, "PUT", `${url}/status`, {
      ...pod,
      metadata: { ...pod.metadata, labels: { from: "status" } },
      spec: { containers: [{ name: "other", image: "x" }] },
      status: { phase: "Running", podIP: "10.0.0.1" },
    });
    assert.equal(written.json.status.podIP, "10.0.0.1");
    assert.equal(written.json.spec.containers[0].name, "c");
    const read = await place.expect(200, "GET", `${url}/status`);
    assert.deepEqual(read.json, (await place.expect(200, "GET", url)).json);
    const updated = { ...read.json, status: { phase: "Failed" } };
    assert.equal((await place.expect(200, "PUT", url, updated)).json.status.phase, "Running");
    const stale = await place.expect(409, "PUT", `${url}/status`, { ...pod, status: {} });
    assert.equal(stale.json.reason, "Conflict");
    await place.expect(404, "PUT", `${place.at("pods")}/ghost/status`, { metadata: { name: "ghost" } });
  });

  check("scale speaks autoscaling/v1", async (place) => {
    const url = await controller(place);
    const { json: scale } = await place.expect(200, "GET", `${url}/scale`);
    assert.equal(scale.kind, "Scale");
    assert.equal(scale.apiVersion, "autoscaling/v1");
    assert.equal(scale.spec.replicas ?? 0, 0);
    assert.deepEqual(scale.status, { replicas: 0, selector: "app=web,tier=front" });
    const rc = (await place.expect(200, "GET", url)).json;
    assert.deepEqual(
      [scale.metadata.name, scale.metadata.namespace, scale.metadata.uid, scale.metadata.resourceVersion],
      ["rc", place.namespace, rc.metadata.uid, rc.metadata.resourceVersion],
    );
    const put = await place.expect(200, "PUT", `${url}/scale`, { ...scale, spec: { replicas: 3 } });
    assert.equal(put.json.spec.replicas, 3);
    assert.equal((await place.expect(200, "GET", url)).json.spec.replicas, 3);
    const late = await place.expect(409, "PUT", `${url}/scale`, { ...scale, spec: { replicas: 4 } });
    assert.match(late.json.message, /the object has been modified/);
    const merged = await place.expect(200, "PATCH", `${url}/scale`, { spec: { replicas: 4 } }, mergePatch);
    assert.equal(merged.json.spec.replicas, 4);
    const patch = [{ op: "replace", path: "/spec/replicas", value: 5 }];
    assert.equal((await place.expect(200, "PATCH", `${url}/scale`, patch, jsonPatch)).json.spec.replicas, 5);
    const dry = await place.expect(200, "PUT", `${url}/scale?dryRun=All`, {
      metadata: { name: "rc" },
      spec: { replicas: 9 },
    });
    assert.equal(dry.json.spec.replicas, 9);
    const after = (await place.expect(200, "GET", url)).json;
    assert.equal(after.spec.replicas, 5);
    assert.equal(after.metadata.generation, 4, "scaling changes the spec");
    const nobody = await place.expect(404, "GET", `${place.at("replicationcontrollers")}/ghost/scale`);
    assert.equal(nobody.json.message, 'replicationcontrollers "ghost" not found');
  });

  check("binding: once and for all", async (place) => {
    await place.expect(201, "POST", place.at("pods"), idlePod("p"));
    const url = `${place.at("pods")}/p/binding`;
    const binding = {
      target: { kind: "Node", name: "n7" },
      metadata: { name: "p", annotations: { a: "1" } },
    };
    const { json } = await place.expect(201, "POST", url, binding);
    assert.deepEqual(json, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
    const pod = (await place.expect(200, "GET", `${place.at("pods")}/p`)).json;
    assert.equal(pod.spec.nodeName, "n7");
    assert.equal(pod.metadata.annotations.a, "1");
    const scheduled = pod.status.conditions.find(({ type }: { type: string }) => type === "PodScheduled");
    assert.equal(scheduled.status, "True");
    const twice = await place.expect(409, "POST", url, { target: { kind: "Node", name: "n8" } });
    assert.equal(
      twice.json.message,
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n7"',
    );
    const wrong = await place.expect(400, "POST", url, { ...binding, metadata: { name: "other" } });
    assert.match(wrong.json.message, /name in URL does not match name in Binding object/);
    await place.expect(404, "POST", `${place.at("pods")}/ghost/binding`, {
      target: { kind: "Node", name: "n" },
    });
    await place.expect(201, "POST", place.at("pods"), idlePod("q"));
    const uid = { target: { kind: "Node", name: "n" }, metadata: { uid: "other" } };
    assert.equal(
      (await place.expect(409, "POST", `${place.at("pods")}/q/binding`, uid)).json.reason,
      "Conflict",
    );
    await place.expect(200, "DELETE", `${place.at("pods")}/p`, { gracePeriodSeconds: 0 });
  });

  check("tokens are for one account, and bound to what they name", async (place) => {
    const url = `${place.at("serviceaccounts")}/default/token`;
    await place.expect(201, "POST", place.at("pods"), idlePod("p"));
    const { json } = await place.expect(201, "POST", url, {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      spec: {
        audiences: ["elsewhere"],
        expirationSeconds: 600,
        boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" },
      },
    });
    assert.equal(json.kind, "TokenRequest");
    assert.ok(Date.parse(json.status.expirationTimestamp) > Date.now() + 590_000);
    const claims = JSON.parse(Buffer.from(json.status.token.split(".")[1], "base64url").toString());
    assert.deepEqual(claims.aud, ["elsewhere"]);
    assert.equal(claims.sub, `system:serviceaccount:${place.namespace}:default`);
    assert.equal(claims["kubernetes.io"].pod.name, "p");
    assert.equal(claims.exp - claims.iat, 600);
    const ghost = await place.expect(404, "POST", `${place.at("serviceaccounts")}/ghost/token`, { spec: {} });
    assert.equal(ghost.json.message, 'serviceaccounts "ghost" not found');
    const bind = (reference: object) => ({ spec: { boundObjectRef: reference } });
    const gone = await place.expect(404, "POST", url, bind({ kind: "Pod", apiVersion: "v1", name: "ghost" }));
    assert.equal(gone.json.message, 'pods "ghost" not found');
    const other = await place.expect(
      409,
      "POST",
      url,
      bind({ kind: "Pod", apiVersion: "v1", name: "p", uid: "x" }),
    );
    assert.match(
      other.json.message,
      /the UID in the bound object reference \(x\) does not match the UID in record/,
    );
    const never = await place.expect(
      400,
      "POST",
      url,
      bind({ kind: "ConfigMap", apiVersion: "v1", name: "a" }),
    );
    assert.equal(never.json.message, "cannot bind token to object of type /v1, Kind=ConfigMap");
  });

  check("a namespace is finalized, then gone", async (place) => {
    const name = `gone-${place.namespace}`;
    const url = `/api/v1/namespaces/${name}`;
    const made = await place.expect(201, "POST", "/api/v1/namespaces", { metadata: { name } });
    assert.deepEqual(made.json.spec.finalizers, ["kubernetes"]);
    assert.equal(made.json.status.phase, "Active");
    assert.equal(made.json.metadata.labels["kubernetes.io/metadata.name"], name);
    const early = await place.expect(200, "PUT", `${url}/finalize`, {
      metadata: { name },
      spec: { finalizers: ["kubernetes", "x.example/y"] },
    });
    assert.deepEqual(early.json.spec.finalizers, ["kubernetes", "x.example/y"]);
    const deleted = await place.expect(200, "DELETE", url);
    assert.equal(deleted.json.status.phase, "Terminating");
    await place.expect(405, "GET", `${url}/finalize`);
  });

  check("what is not served says so", async (place) => {
    await place.expect(201, "POST", place.at("pods"), idlePod("p"));
    const url = `${place.at("pods")}/p`;
    for (const path of ["checkpoint", "frob"])
      assert.equal(
        (await place.expect(404, "GET", `${url}/${path}`)).json.message,
        "the server could not find the requested resource",
      );
    const logs = await place.expect(200, "GET", `${url}/log`);
    assert.equal(logs.text, "", "nothing has run yet");
    const which = await place.expect(400, "GET", `${url}/log?container=ghost`);
    assert.equal(which.json.message, "container ghost is not valid for pod p");
    const exec = await place.expect(400, "POST", `${url}/exec?command=ls`);
    assert.equal(exec.json.message, "pod p does not have a host assigned");
  });
});
