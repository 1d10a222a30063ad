// Who owns what after a write, and applying on the server, on real objects.

import assert from "node:assert/strict";
import { jsonPatch, mergePatch, overEveryTransport, strategicPatch, type Place } from "./conformance.ts";

const applyPatch = { "content-type": "application/apply-patch+yaml" };
const userAgent = { "user-agent": "tester/1.2 (unit)" };

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly time: string;
  readonly fieldsV1: object;
}

const entriesOf = (object: any): Entry[] => object.metadata.managedFields ?? [];

/** `name* {"f:data":…}`: a star for who applies, a slash for a subresource. */
const owners = (object: any): string[] =>
  entriesOf(object).map(
    ({ manager, operation, subresource, fieldsV1 }) =>
      `${manager}${subresource === undefined ? "" : `/${subresource}`}${operation === "Apply" ? "*" : ""} ${JSON.stringify(fieldsV1)}`,
  );

const config = (name: string, data?: object, metadata: object = {}): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  ...(data === undefined ? {} : { data }),
});

const rc = (name: string, replicas: number | undefined, more: object = {}): object => ({
  apiVersion: "v1",
  kind: "ReplicationController",
  metadata: { name },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { app: "web" },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    },
  },
  ...more,
});

const scale = (name: string, replicas: number): object => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  metadata: { name },
  spec: { replicas },
});

function apply(place: Place, status: number, manager: string, body: any, query = "") {
  const resource = body.kind === "ReplicationController" ? "replicationcontrollers" : "configmaps";
  const url = `${place.at(resource)}/${body.metadata.name}?fieldManager=${manager}${query}`;
  return place.expect(status, "PATCH", url, body, applyPatch);
}

overEveryTransport((check) => {
  check("a create is its manager's; the manager is the parameter or the user agent", async (place) => {
    const maps = place.at("configmaps");
    const body = config("a", { x: "1" }, { labels: { l: "1" } });
    const { json } = await place.expect(201, "POST", maps, body, userAgent);
    const [entry] = entriesOf(json);
    assert.deepEqual(entry, {
      manager: "tester",
      operation: "Update",
      apiVersion: "v1",
      time: json.metadata.creationTimestamp,
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { ".": {}, "f:x": {} }, "f:metadata": { "f:labels": { ".": {}, "f:l": {} } } },
    });
    const named = await place.expect(
      201,
      "POST",
      `${maps}?fieldManager=me`,
      config("b", { x: "1" }),
      userAgent,
    );
    assert.deepEqual(owners(named.json), ['me {"f:data":{".":{},"f:x":{}}}']);
  });

  check("a pod is owned field by field, defaults included", async (place) => {
    const pod = {
      metadata: { generateName: "p-", labels: { a: "b" } },
      spec: {
        schedulerName: "none",
        containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }],
      },
    };
    const { json } = await place.expect(201, "POST", `${place.at("pods")}?fieldManager=me`, pod);
    assert.deepEqual(entriesOf(json)[0]?.fieldsV1, {
      "f:metadata": { "f:generateName": {}, "f:labels": { ".": {}, "f:a": {} } },
      "f:spec": {
        "f:containers": {
          'k:{"name":"c"}': {
            ".": {},
            "f:image": {},
            "f:imagePullPolicy": {},
            "f:name": {},
            "f:ports": {
              ".": {},
              'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
            },
            "f:resources": {},
            "f:terminationMessagePath": {},
            "f:terminationMessagePolicy": {},
          },
        },
        "f:dnsPolicy": {},
        "f:enableServiceLinks": {},
        "f:restartPolicy": {},
        "f:schedulerName": {},
        "f:securityContext": {},
        "f:terminationGracePeriodSeconds": {},
      },
    });
  });

  check("every kind of patch and an update move what they change", async (place) => {
    await place.expect(
      201,
      "POST",
      `${place.at("configmaps")}?fieldManager=maker`,
      config("a", { a: "1", b: "1", c: "1", d: "1" }),
    );
    const url = `${place.at("configmaps")}/a`;
    await place.expect(200, "PATCH", `${url}?fieldManager=merger`, { data: { a: "2" } }, mergePatch);
    await place.expect(200, "PATCH", `${url}?fieldManager=strategist`, { data: { b: "2" } }, strategicPatch);
    await place.expect(
      200,
      "PATCH",
      `${url}?fieldManager=jsoner`,
      [{ op: "replace", path: "/data/c", value: "2" }],
      jsonPatch,
    );
    const { json } = await place.expect(200, "GET", url);
    json.data.d = "2";
    const updated = await place.expect(200, "PUT", `${url}?fieldManager=updater`, json);
    assert.deepEqual(owners(updated.json).sort(), [
      'jsoner {"f:data":{"f:c":{}}}',
      'maker {"f:data":{}}',
      'merger {"f:data":{"f:a":{}}}',
      'strategist {"f:data":{"f:b":{}}}',
      'updater {"f:data":{"f:d":{}}}',
    ]);
  });

  check("writes that change nothing commit nothing", async (place) => {
    const made = await apply(place, 201, "me", config("a", { x: "1" }, { labels: { l: "1" } }));
    const again = await apply(place, 200, "me", config("a", { x: "1" }, { labels: { l: "1" } }));
    assert.equal(again.text, made.text);
    const url = `${place.at("configmaps")}/a`;
    assert.equal((await place.expect(200, "PUT", url, made.json)).text, made.text);
    assert.equal(
      (await place.expect(200, "PATCH", `${url}?fieldManager=other`, {}, mergePatch)).text,
      made.text,
    );
  });

  check("an apply makes an object, changes it, and takes back what it no longer names", async (place) => {
    const made = await apply(place, 201, "me", config("a", { x: "1", y: "1" }));
    assert.deepEqual(owners(made.json), ['me* {"f:data":{"f:x":{},"f:y":{}}}']);
    assert.ok(made.json.metadata.uid);
    const changed = await apply(place, 200, "me", config("a", { y: "2" }));
    assert.deepEqual(changed.json.data, { y: "2" });
    const { json } = await apply(place, 200, "me", config("a"));
    assert.equal(json.data, undefined);
    assert.deepEqual(owners(json), []);
  });

  check("a conflict is told with every field and its owner", async (place) => {
    await apply(place, 201, "one", config("a", { x: "1", y: "1" }));
    const one = await apply(place, 409, "two", config("a", { x: "2" }));
    assert.deepEqual(one.json, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'Apply failed with 1 conflict: conflict with "one": .data.x',
      reason: "Conflict",
      details: {
        causes: [{ reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.x" }],
      },
      code: 409,
    });
    const url = `${place.at("configmaps")}/a?fieldManager=kubectl-client-side-apply`;
    await place.expect(200, "PATCH", url, { data: { y: "3", z: "3" } }, mergePatch);
    const several = await apply(place, 409, "two", config("a", { x: "2", y: "2", z: "2" }));
    assert.equal(
      several.json.message,
      'Apply failed with 3 conflicts: conflicts with "kubectl-client-side-apply" using v1:\n- .data.y\n- .data.z\nconflicts with "one":\n- .data.x',
    );
  });

  check("force takes over; a dry run only shows", async (place) => {
    await apply(place, 201, "one", config("a", { x: "1" }));
    const shown = await apply(place, 200, "two", config("a", { x: "2" }), "&force=true&dryRun=All");
    assert.deepEqual(shown.json.data, { x: "2" });
    assert.deepEqual(owners(shown.json), ['two* {"f:data":{"f:x":{}}}']);
    const url = `${place.at("configmaps")}/a`;
    assert.deepEqual((await place.expect(200, "GET", url)).json.data, { x: "1" });
    const { json } = await apply(place, 200, "two", config("a", { x: "2" }), "&force=true");
    assert.deepEqual(owners(json), ['two* {"f:data":{"f:x":{}}}']);
    const absent = await apply(place, 201, "two", config("new", { x: "2" }), "&dryRun=All");
    assert.deepEqual(absent.json.data, { x: "2" });
    await place.expect(404, "GET", `${place.at("configmaps")}/new`);
  });

  check("equal values are shared, and stay as long as one applies them", async (place) => {
    await apply(place, 201, "one", config("a", { x: "1", y: "1" }));
    const shared = await apply(place, 200, "two", config("a", { x: "1" }));
    assert.deepEqual(owners(shared.json), [
      'one* {"f:data":{"f:x":{},"f:y":{}}}',
      'two* {"f:data":{"f:x":{}}}',
    ]);
    const { json } = await apply(place, 200, "one", config("a"));
    assert.deepEqual(json.data, { x: "1" });
  });

  check("YAML is a configuration, JSON too; what is neither is told", async (place) => {
    const url = `${place.at("configmaps")}/a?fieldManager=me`;
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    two\n    lines\n";
    const { json } = await place.expect(201, "PATCH", url, yaml, applyPatch);
    assert.deepEqual(json.data, { x: "two\nlines\n" });
    const broken = await place.expect(400, "PATCH", url, "a: b: c", applyPatch);
    assert.match(broken.json.message, /^error decoding YAML: error converting YAML to JSON: yaml: /);
    const twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: a, x: b}\n";
    const strict = await place.expect(400, "PATCH", `${url}&fieldValidation=Strict`, twice, applyPatch);
    assert.match(
      strict.json.message,
      /^error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n {2}line 4: key "x" already set in map$/,
    );
    assert.match(
      (await place.expect(200, "PATCH", url, twice, applyPatch)).headers["warning"] ?? "",
      /already set in map/,
    );
  });

  check("what is wrong with an apply is told as documented", async (place) => {
    await apply(place, 201, "me", config("a", { x: "1" }));
    const url = `${place.at("configmaps")}/a`;
    const refused = async (
      status: number,
      query: string,
      body: unknown,
      message: string,
      headers = applyPatch,
    ) => {
      const { json } = await place.expect(status, "PATCH", `${url}${query}`, body, headers);
      assert.equal(json.message, message);
      return json;
    };
    const invalidOptions = 'PatchOptions.meta.k8s.io "" is invalid: ';
    await refused(
      422,
      "",
      config("a"),
      `${invalidOptions}fieldManager: Required value: is required for apply patch`,
    );
    await refused(
      422,
      "?force=true",
      {},
      `${invalidOptions}force: Forbidden: may not be specified for non-apply patch`,
      mergePatch,
    );
    await refused(
      422,
      `?fieldManager=${"x".repeat(129)}`,
      config("a"),
      `${invalidOptions}fieldManager: Too long: may not be more than 128 bytes`,
    );
    await refused(
      400,
      "?fieldManager=me",
      config("a", {}, { managedFields: [] }),
      "metadata.managedFields must be nil",
    );
    await refused(
      400,
      "?fieldManager=me",
      { ...config("a"), apiVersion: "v2" },
      "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1",
    );
    await refused(
      400,
      "?fieldManager=me",
      { metadata: { name: "a" } },
      "Incorrect version specified in apply patch. Specified patch version: , expected: v1",
    );
    const typed = await refused(
      500,
      "?fieldManager=me",
      { ...config("a", { x: 1 }), foo: 1 },
      `failed to create typed patch object (${place.namespace}/a; /v1, Kind=ConfigMap): errors:\n  .data.x: expected string, got &value.valueUnstructured{Value:1}\n  .foo: field not declared in schema`,
    );
    assert.equal(typed.reason, undefined);
    await refused(
      400,
      "?fieldManager=me",
      config("other"),
      "the name of the object (other) does not match the name on the URL (a)",
    );
    const cbor = await place.ask("PATCH", `${url}?fieldManager=me`, {
      body: config("a"),
      headers: { "content-type": "application/apply-patch+cbor" },
    });
    assert.equal(cbor.status, 415);
    assert.match(cbor.json.message, /application\/apply-patch\+yaml/);
  });

  check("preconditions hold for an apply too", async (place) => {
    const { json } = await apply(place, 201, "me", config("a", { x: "1" }));
    const { uid, resourceVersion } = json.metadata;
    await apply(place, 200, "me", config("a", { x: "2" }, { resourceVersion, uid }));
    const stale = await apply(place, 409, "me", config("a", { x: "3" }, { resourceVersion }));
    assert.match(stale.json.message, /the object has been modified/);
    const other = await apply(place, 409, "me", config("a", { x: "3" }, { uid: "other" }));
    assert.match(other.json.message, /Precondition failed: UID in precondition: other/);
    const absent = await apply(place, 409, "me", config("b", { x: "3" }, { uid }));
    assert.equal(
      absent.json.message,
      `Operation cannot be fulfilled on configmaps "b": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
  });

  check("defaults are the object's, not the applier's", async (place) => {
    const { json } = await apply(place, 201, "me", rc("w", undefined));
    assert.equal(json.spec.replicas, 1);
    assert.equal(json.spec.template.spec.containers[0].terminationMessagePath, "/dev/termination-log");
    assert.deepEqual(owners(json), [
      'me* {"f:spec":{"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:containers":{"k:{\\"name\\":\\"c\\"}":{".":{},"f:image":{},"f:name":{}}}}}}}',
    ]);
    const back = await apply(place, 200, "me", rc("w", 3));
    assert.equal(back.json.spec.replicas, 3);
    const { json: defaulted } = await apply(place, 200, "me", rc("w", undefined));
    assert.equal(defaulted.spec.replicas, 1, "the default comes back");
  });

  check("status has entries of its own, and an apply of the object does not touch it", async (place) => {
    await apply(place, 201, "me", rc("w", 0, { status: { replicas: 7 } }));
    const url = `${place.at("replicationcontrollers")}/w`;
    const made = await place.expect(200, "GET", url);
    assert.equal(made.json.status.replicas, 0);
    assert.equal(owners(made.json).join().includes("f:status"), false);
    const status = `${url}/status?fieldManager=me`;
    const applied = await place.expect(
      200,
      "PATCH",
      status,
      rc("w", 9, { status: { replicas: 2 } }),
      applyPatch,
    );
    assert.equal(applied.json.status.replicas, 2);
    assert.equal(applied.json.spec.replicas, 0);
    assert.ok(owners(applied.json).includes('me/status* {"f:status":{"f:replicas":{}}}'));
    const other = `${url}/status?fieldManager=other`;
    await place.expect(200, "PATCH", other, { status: { replicas: 3 } }, mergePatch);
    const conflict = await place.expect(
      409,
      "PATCH",
      status,
      rc("w", 0, { status: { replicas: 2 } }),
      applyPatch,
    );
    assert.equal(
      conflict.json.message,
      'Apply failed with 1 conflict: conflict with "other" with subresource "status" using v1: .status.replicas',
    );
    await place.expect(
      404,
      "PATCH",
      `${place.at("replicationcontrollers")}/none/status?fieldManager=me`,
      rc("none", 0),
      applyPatch,
    );
  });

  check("scale owns the replicas of the object", async (place) => {
    await apply(place, 201, "me", rc("w", 1));
    const url = `${place.at("replicationcontrollers")}/w/scale`;
    await place.expect(200, "PATCH", `${url}?fieldManager=scaler`, { spec: { replicas: 2 } }, mergePatch);
    const object = `${place.at("replicationcontrollers")}/w`;
    const { json } = await place.expect(200, "GET", object);
    assert.ok(owners(json).includes('scaler/scale {"f:spec":{"f:replicas":{}}}'));
    const conflict = await apply(place, 409, "me", rc("w", 1));
    assert.equal(
      conflict.json.message,
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using v1: .spec.replicas',
    );
    const refused = await place.expect(409, "PATCH", `${url}?fieldManager=hpa`, scale("w", 3), applyPatch);
    assert.match(refused.json.message, /with subresource "scale" using v1: .spec.replicas$/);
    const applied = await place.expect(
      200,
      "PATCH",
      `${url}?fieldManager=hpa&force=true`,
      scale("w", 3),
      applyPatch,
    );
    assert.equal(applied.json.spec.replicas, 3);
    const after = await place.expect(200, "GET", object);
    assert.deepEqual(
      owners(after.json).filter((owner) => owner.includes("f:replicas")),
      ['hpa/scale* {"f:spec":{"f:replicas":{}}}'],
    );
    const unknown = await place.expect(
      500,
      "PATCH",
      `${url}?fieldManager=hpa`,
      { ...scale("w", 3), foo: 1 },
      applyPatch,
    );
    assert.match(unknown.json.message, /autoscaling\/v1, Kind=Scale\): .foo: field not declared in schema$/);
  });

  check("clients may write managed fields, and reset them, but not drop them unknowingly", async (place) => {
    await apply(place, 201, "me", config("a", { x: "1" }));
    const url = `${place.at("configmaps")}/a`;
    const entry = {
      manager: "him",
      operation: "Apply",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { "f:x": {} } },
    };
    const { json } = await place.expect(
      200,
      "PATCH",
      `${url}?fieldManager=other`,
      [{ op: "replace", path: "/metadata/managedFields", value: [entry] }],
      jsonPatch,
    );
    assert.deepEqual(owners(json), ['him* {"f:data":{"f:x":{}}}']);
    delete json.metadata.managedFields;
    const kept = await place.expect(200, "PUT", url, json);
    assert.deepEqual(owners(kept.json), ['him* {"f:data":{"f:x":{}}}']);
    const empty = await place.expect(200, "PATCH", url, { metadata: { managedFields: [] } }, mergePatch);
    assert.deepEqual(owners(empty.json), ['him* {"f:data":{"f:x":{}}}']);
    const unusable = await place.expect(
      200,
      "PATCH",
      url,
      { metadata: { managedFields: [{ manager: "x" }] } },
      mergePatch,
    );
    assert.deepEqual(owners(unusable.json), ['him* {"f:data":{"f:x":{}}}']);
    const reset = await place.expect(200, "PATCH", url, { metadata: { managedFields: [{}] } }, mergePatch);
    assert.deepEqual(owners(reset.json), []);
    await place.expect(200, "PATCH", `${url}?fieldManager=late`, { data: { y: "1" } }, mergePatch);
    const first = await apply(place, 409, "me", config("a", { y: "2" }));
    assert.match(first.json.message, /conflict with "before-first-apply" using v1: .data.y$/);
  });

  check("managed fields are in every view of an object", async (place) => {
    await apply(place, 201, "me", config("a", { x: "1" }));
    const url = `${place.at("configmaps")}/a`;
    const manager = async (accept: string, at: (json: any) => any): Promise<void> => {
      const { json } = await place.expect(200, "GET", url, undefined, { accept });
      assert.deepEqual(owners(at(json)), ['me* {"f:data":{"f:x":{}}}'], accept);
    };
    await manager("application/json", (json) => json);
    await manager("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", (json) => json);
    await manager("application/json;as=Table;v=v1;g=meta.k8s.io", (json) => json.rows[0].object);
    const list = await place.expect(200, "GET", place.at("configmaps"));
    const found = list.json.items.find(({ metadata }: any) => metadata.name === "a");
    assert.deepEqual(owners(found), ['me* {"f:data":{"f:x":{}}}']);
    const protobuf = { accept: "application/vnd.kubernetes.protobuf" };
    assert.ok(
      (await place.expect(200, "GET", url, undefined, protobuf)).text.includes('{"f:data":{"f:x":{}}}'),
    );
    const watching = await place.watch(
      `${place.at("configmaps")}?watch=true&fieldSelector=metadata.name%3Da`,
    );
    assert.deepEqual(owners((await watching.next())?.object), ['me* {"f:data":{"f:x":{}}}']);
    watching.stop();
  });

  check("what creates by applying must be allowed to create", async (place) => {
    const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["patch"] }];
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${place.namespace}`;
    await place.expect(201, "POST", `${rbac}/roles`, { metadata: { name: "r" }, rules });
    await place.expect(201, "POST", `${rbac}/rolebindings`, {
      metadata: { name: "r" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "alice" }],
    });
    await place.put("there", { x: "1" });
    const alice: Place = { ...place, transport: place.api.as({ token: "alice-token" }) };
    const as = async (status: number, name: string) => {
      const { ask } = await import("./api-under-test.ts");
      const url = `${place.at("configmaps")}/${name}?fieldManager=alice`;
      const answer = await ask(alice.transport, "PATCH", url, {
        body: config(name, { y: "1" }),
        headers: applyPatch,
      });
      assert.equal(answer.status, status, answer.text);
      return answer.json;
    };
    await as(200, "there");
    const refused = await as(403, "absent");
    assert.match(refused.message, /User "alice" cannot create resource "configmaps"/);
  });
});
