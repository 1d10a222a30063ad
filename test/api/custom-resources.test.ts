// CustomResourceDefinitions through the API: what is served as soon as one is established, and how its objects behave.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, watch, type Answer, type Api } from "./api-under-test.ts";

let api: Api;
let direct: Transport;
before(async () => {
  api = await startApi();
  direct = api.transport("direct");
});
after(() => api.stop());

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const group = "stable.example.com";

const string = { type: "string" };
const specSchema = {
  type: "object",
  required: ["cronSpec"],
  properties: {
    cronSpec: { type: "string", pattern: "^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$" },
    image: { type: "string", default: "busybox" },
    replicas: { type: "integer", minimum: 1, maximum: 10 },
    port: { "x-kubernetes-int-or-string": true },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    note: { type: "string", nullable: true },
    tags: { type: "array", items: string, "x-kubernetes-list-type": "set" },
    hosts: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", required: ["name"], properties: { name: string, value: string } },
    },
    child: {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    },
  },
};
const status = { type: "object", properties: { replicas: { type: "integer" }, labelSelector: string } };
const schema = { openAPIV3Schema: { type: "object", properties: { spec: specSchema, status } } };

const cronTabs = {
  metadata: { name: `crontabs.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural: "crontabs", kind: "CronTab", shortNames: ["ct"], categories: ["all"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema,
        subresources: {
          status: {},
          scale: {
            specReplicasPath: ".spec.replicas",
            statusReplicasPath: ".status.replicas",
            labelSelectorPath: ".status.labelSelector",
          },
        },
        selectableFields: [{ jsonPath: ".spec.image" }],
        additionalPrinterColumns: [
          { name: "Spec", type: "string", jsonPath: ".spec.cronSpec" },
          { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", priority: 1 },
          { name: "Hosts", type: "string", jsonPath: ".spec.hosts[*].name" },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
        ],
      },
    ],
  },
};

const conditionOf = ({ json }: Answer, type: string) =>
  json.status?.conditions?.find((one: { type: string }) => one.type === type);

async function establish(crd: { metadata: { name: string } }): Promise<void> {
  const created = await ask(direct, "POST", crds, { body: crd });
  assert.equal(created.status, 201, created.text);
  const url = `${crds}/${crd.metadata.name}`;
  await eventually(async () => conditionOf(await ask(direct, "GET", url), "Established")?.status === "True");
}

const path = `/apis/${group}/v1/namespaces/default/crontabs`;
const apiVersion = `${group}/v1`;
const cronTab = (name: string, spec: object): object => ({
  apiVersion,
  kind: "CronTab",
  metadata: { name },
  spec,
});
const merge = { "content-type": "application/merge-patch+json" };
const good = { cronSpec: "* * * * */5" };

describe("a CustomResourceDefinition and its objects", () => {
  before(() => establish(cronTabs));

  test("says what it serves: names, conditions, stored versions", async () => {
    const { json } = await ask(direct, "GET", `${crds}/crontabs.${group}`);
    assert.deepEqual(json.spec.names, {
      plural: "crontabs",
      singular: "crontab",
      shortNames: ["ct"],
      kind: "CronTab",
      listKind: "CronTabList",
      categories: ["all"],
    });
    assert.deepEqual(json.status.acceptedNames, json.spec.names);
    assert.deepEqual(json.status.storedVersions, ["v1"]);
    assert.deepEqual(json.spec.conversion, { strategy: "None" });
    assert.deepEqual(
      json.status.conditions.map(({ type, status: is, reason, message }: any) => [type, is, reason, message]),
      [
        ["NamesAccepted", "True", "NoConflicts", "no conflicts found"],
        ["Established", "True", "InitialNamesAccepted", "the initial names have been accepted"],
      ],
    );
  });

  test("discovery, both forms, and OpenAPI know the kind at once", async () => {
    const { json: list } = await ask(direct, "GET", `/apis/${group}/v1`);
    assert.deepEqual(
      list.resources.map((one: any) => one.name),
      ["crontabs", "crontabs/scale", "crontabs/status"],
    );
    assert.deepEqual(list.resources[0].shortNames, ["ct"]);
    assert.deepEqual(list.resources[0].categories, ["all"]);
    const aggregated = await ask(direct, "GET", "/apis", {
      headers: { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" },
    });
    assert.ok(aggregated.json.items.some((one: any) => one.metadata.name === group));
    const { json: v3 } = await ask(direct, "GET", `/openapi/v3/apis/${group}/v1`);
    const described = v3.components.schemas["com.example.stable.v1.CronTab"];
    assert.equal(described.properties.spec.properties.replicas.maximum, 10);
    assert.deepEqual(described["x-kubernetes-selectable-fields"], [{ fieldPath: "spec.image" }]);
    const { json: v2 } = await ask(direct, "GET", "/openapi/v2");
    assert.ok(v2.definitions["com.example.stable.v1.CronTab"].properties.spec);
  });

  test("objects are pruned and defaulted; nothing else changes", async () => {
    const given = {
      ...good,
      unknown: 1,
      free: { any: { thing: [1] } },
      port: "http",
      note: null,
      image: null,
      child: { apiVersion: "v1", kind: "Pod", metadata: { name: "x", nope: 1 }, spec: { a: 1 } },
    };
    const { status: code, json } = await ask(direct, "POST", path, { body: cronTab("a", given) });
    assert.equal(code, 201);
    assert.deepEqual(json.spec, {
      ...good,
      free: { any: { thing: [1] } },
      port: "http",
      note: null,
      image: "busybox",
      child: { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { a: 1 } },
    });
    assert.equal(json.metadata.generation, 1);
    assert.deepEqual((await ask(direct, "GET", `${path}/a`)).json, json);
  });

  test("what is not valid is refused, with every cause", async () => {
    const rows: [object, string, string, string][] = [
      [{}, "spec.cronSpec", "FieldValueRequired", "Required value"],
      [
        { cronSpec: "x" },
        "spec.cronSpec",
        "FieldValueInvalid",
        `Invalid value: "x": spec.cronSpec in body should match '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$'`,
      ],
      [
        { ...good, replicas: "3" },
        "spec.replicas",
        "FieldValueTypeInvalid",
        `Invalid value: "string": spec.replicas in body must be of type integer: "string"`,
      ],
      [
        { ...good, replicas: 11 },
        "spec.replicas",
        "FieldValueInvalid",
        "Invalid value: 11: spec.replicas in body should be less than or equal to 10",
      ],
      [
        { ...good, port: 1.5 },
        "spec.port",
        "FieldValueTypeInvalid",
        `Invalid value: "number": spec.port in body must be of type integer,string: "number"`,
      ],
      [{ ...good, tags: ["a", "a"] }, "spec.tags[1]", "FieldValueDuplicate", `Duplicate value: "a"`],
      [
        { ...good, hosts: [{ name: "a" }, { name: "a", value: "b" }] },
        "spec.hosts[1]",
        "FieldValueDuplicate",
        `Duplicate value: {"name":"a"}`,
      ],
      [
        { ...good, child: { kind: "Pod" } },
        "spec.child.apiVersion",
        "FieldValueRequired",
        "Required value: must not be empty",
      ],
    ];
    for (const [spec, field, reason, message] of rows) {
      const { status: code, json, text } = await ask(direct, "POST", path, { body: cronTab("bad", spec) });
      assert.equal(code, 422, text);
      assert.deepEqual(json.details.causes, [{ reason, message, field }], text);
      assert.equal(json.message, `CronTab.${group} "bad" is invalid: ${field}: ${message}`);
    }
  });

  test("unknown fields: refused, warned of, or dropped, as the client asks", async () => {
    const body = cronTab("strict", { ...good, someRandomField: 1 });
    const strict = await ask(direct, "POST", `${path}?fieldValidation=Strict`, { body });
    assert.equal(strict.status, 400);
    assert.equal(
      strict.json.message,
      `CronTab in version "v1" cannot be handled as a CronTab: strict decoding error: unknown field "spec.someRandomField"`,
    );
    const warned = await ask(direct, "POST", `${path}?fieldValidation=Warn&dryRun=All`, { body });
    assert.equal(warned.status, 201);
    assert.equal(warned.headers["warning"], `299 - "unknown field \\"spec.someRandomField\\""`);
  });

  test("no protobuf: neither in nor out", async () => {
    const protobuf = "application/vnd.kubernetes.protobuf";
    const sent = await ask(direct, "POST", path, { body: "k8s", headers: { "content-type": protobuf } });
    assert.equal(sent.status, 415);
    const asked = await ask(direct, "GET", path, { headers: { accept: protobuf } });
    assert.equal(asked.status, 406);
    const either = await ask(direct, "GET", path, { headers: { accept: `${protobuf},application/json` } });
    assert.equal(either.json.kind, "CronTabList");
  });

  test("patches: JSON and merge, not strategic", async () => {
    const merged = await ask(direct, "PATCH", `${path}/a`, {
      body: { spec: { replicas: 2 } },
      headers: merge,
    });
    assert.equal(merged.json.spec.replicas, 2);
    assert.equal(merged.json.metadata.generation, 2);
    const json = await ask(direct, "PATCH", `${path}/a`, {
      body: [{ op: "replace", path: "/spec/replicas", value: 3 }],
      headers: { "content-type": "application/json-patch+json" },
    });
    assert.equal(json.json.spec.replicas, 3);
    const strategic = await ask(direct, "PATCH", `${path}/a`, {
      body: { spec: { replicas: 4 } },
      headers: { "content-type": "application/strategic-merge-patch+json" },
    });
    assert.equal(strategic.status, 415);
    assert.equal(
      strategic.json.message,
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
  });

  test("the status and the scale are apart", async () => {
    const ignored = await ask(direct, "PATCH", `${path}/a`, {
      body: { status: { replicas: 7 } },
      headers: merge,
    });
    assert.equal(ignored.json.status, undefined);
    const set = await ask(direct, "PATCH", `${path}/a/status`, {
      body: {
        metadata: { labels: { a: "b" } },
        spec: { replicas: 9 },
        status: { replicas: 2, labelSelector: "app=x" },
      },
      headers: merge,
    });
    assert.deepEqual(set.json.status, { replicas: 2, labelSelector: "app=x" });
    assert.equal(set.json.spec.replicas, 3);
    assert.equal(set.json.metadata.labels, undefined);
    const owned = set.json.metadata.managedFields.find((one: any) => one.subresource === "status");
    assert.deepEqual(Object.keys(owned.fieldsV1), ["f:status"]);
    assert.equal(set.json.metadata.generation, 3);
    const scale = await ask(direct, "GET", `${path}/a/scale`);
    assert.deepEqual(
      [scale.json.spec, scale.json.status],
      [{ replicas: 3 }, { replicas: 2, selector: "app=x" }],
    );
    await ask(direct, "POST", path, { body: cronTab("scaleless", good) });
    const none = await ask(direct, "GET", `${path}/scaleless/scale`);
    assert.equal(none.status, 500);
    assert.match(none.json.message, /the spec replicas field "\.spec\.replicas" does not exist/);
    await ask(direct, "DELETE", `${path}/scaleless`);
    const scaled = await ask(direct, "PATCH", `${path}/a/scale`, {
      body: { spec: { replicas: 5 } },
      headers: merge,
    });
    assert.equal(scaled.status, 200, scaled.text);
    assert.equal((await ask(direct, "GET", `${path}/a`)).json.spec.replicas, 5);
  });

  test("the status is applied by its own manager", async () => {
    const apply = (subresource: string, manager: string, body: object) =>
      ask(direct, "PATCH", `${path}/a${subresource}?fieldManager=${manager}&force=true`, {
        body: { apiVersion, kind: "CronTab", metadata: { name: "a" }, ...body },
        headers: { "content-type": "application/apply-patch+yaml" },
      });
    const applied = await apply("/status", "controller", { status: { replicas: 4 }, spec: { replicas: 9 } });
    assert.equal(applied.status, 200, applied.text);
    assert.deepEqual([applied.json.status.replicas, applied.json.spec.replicas], [4, 5]);
    const entry = applied.json.metadata.managedFields.find((one: any) => one.manager === "controller");
    assert.equal(entry.subresource, "status");
    assert.deepEqual(entry.fieldsV1, { "f:status": { "f:replicas": {} } });
  });

  test("tables have the columns of the definition", async () => {
    await ask(direct, "PATCH", `${path}/a`, {
      body: { spec: { hosts: [{ name: "x" }, { name: "y" }] } },
      headers: merge,
    });
    const { json } = await ask(direct, "GET", `${path}/a`, {
      headers: { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" },
    });
    assert.deepEqual(
      json.columnDefinitions.map(({ name, type, priority }: any) => [name, type, priority]),
      [
        ["Name", "string", 0],
        ["Spec", "string", 0],
        ["Replicas", "integer", 1],
        ["Hosts", "string", 0],
        ["Age", "date", 0],
      ],
    );
    assert.deepEqual(json.rows[0].cells.slice(0, 4), ["a", "* * * * */5", 5, "x y"]);
    assert.match(json.rows[0].cells[4], /^\d+s$/);
  });

  test("selectable fields, in lists and watches", async () => {
    await ask(direct, "POST", path, { body: cronTab("b", { ...good, image: "other" }) });
    const { json } = await ask(direct, "GET", `${path}?fieldSelector=spec.image%3Dother`);
    assert.deepEqual(
      json.items.map((one: any) => one.metadata.name),
      ["b"],
    );
    const refused = await ask(direct, "GET", `${path}?fieldSelector=spec.nope%3Dx`);
    assert.equal(refused.json.message, "field label not supported: spec.nope");
    const seen = await watch(direct, `${path}?watch=true&fieldSelector=spec.image%3Dother`);
    assert.equal((await seen.next())?.object.metadata.name, "b");
    await ask(direct, "PATCH", `${path}/b`, { body: { spec: { image: "third" } }, headers: merge });
    assert.equal((await seen.next())?.type, "DELETED");
    seen.stop();
  });

  test("server-side apply merges keyed lists and sets by what the schema says", async () => {
    const apply = (manager: string, spec: object) =>
      ask(direct, "PATCH", `${path}/applied?fieldManager=${manager}`, {
        body: cronTab("applied", spec),
        headers: { "content-type": "application/apply-patch+yaml" },
      });
    const first = await apply("ana", { ...good, tags: ["x"], hosts: [{ name: "a", value: "1" }] });
    assert.equal(first.status, 201, first.text);
    const second = await apply("bea", { tags: ["y"], hosts: [{ name: "b" }] });
    assert.equal(second.status, 200, second.text);
    assert.deepEqual(second.json.spec.tags, ["x", "y"]);
    assert.deepEqual(
      second.json.spec.hosts.map((one: any) => one.name),
      ["a", "b"],
    );
    const clash = await apply("bea", { hosts: [{ name: "a", value: "2" }] });
    assert.equal(clash.status, 409);
    assert.match(clash.json.message, /\.spec\.hosts\[name="a"\]\.value/);
    const unknown = await apply("bea", { nope: 1 });
    assert.equal(unknown.status, 500);
    assert.match(unknown.json.message, /\.spec\.nope: field not declared in schema/);
  });

  test("a new schema holds for what is stored: new defaults show, what it no longer knows goes", async () => {
    const url = `${crds}/crontabs.${group}`;
    const { json } = await ask(direct, "GET", url);
    const properties = json.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties;
    properties.mood = { type: "string", default: "calm" };
    delete properties.port;
    const updated = await ask(direct, "PUT", url, { body: json });
    assert.equal(updated.status, 200, updated.text);
    const read = await ask(direct, "GET", `${path}/a`);
    assert.equal(read.json.spec.mood, "calm");
    assert.equal(read.json.spec.port, undefined);
    const { json: list } = await ask(direct, "GET", path);
    assert.ok(list.items.every((one: any) => one.spec.mood === "calm"));
  });

  test("what was invalid before stays as long as nobody touches it", async () => {
    const url = `${crds}/crontabs.${group}`;
    await ask(direct, "POST", path, { body: cronTab("old", { ...good, replicas: 9 }) });
    const { json } = await ask(direct, "GET", url);
    json.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.replicas.maximum = 5;
    assert.equal((await ask(direct, "PUT", url, { body: json })).status, 200);
    const beside = await ask(direct, "PATCH", `${path}/old`, {
      body: { spec: { image: "x" } },
      headers: merge,
    });
    assert.equal(beside.status, 200, beside.text);
    const touched = await ask(direct, "PATCH", `${path}/old`, {
      body: { spec: { replicas: 8 } },
      headers: merge,
    });
    assert.equal(touched.status, 422);
  });

  test("deleting the definition deletes its objects, and nothing is served any longer", async () => {
    const url = `${crds}/crontabs.${group}`;
    const seen = await watch(direct, `${path}?watch=true&resourceVersion=${await api.revision()}`);
    const held = await ask(direct, "PATCH", `${path}/a`, {
      body: { metadata: { finalizers: ["example.com/hold"] } },
      headers: merge,
    });
    assert.equal(held.status, 200);
    const { json } = await ask(direct, "DELETE", url);
    assert.deepEqual(json.metadata.finalizers, ["customresourcecleanup.apiextensions.k8s.io"]);
    assert.equal(json.status.conditions.at(-1).type, "Terminating");
    const late = await ask(direct, "POST", path, { body: cronTab("late", good) });
    assert.equal(late.status, 405);
    assert.equal(late.json.message, "create not allowed while custom resource definition is terminating");
    await eventually(async () => (await ask(direct, "GET", path)).json.items.length === 1);
    await ask(direct, "PATCH", `${path}/a`, {
      body: [{ op: "remove", path: "/metadata/finalizers" }],
      headers: { "content-type": "application/json-patch+json" },
    });
    await eventually(async () => (await ask(direct, "GET", url)).status === 404);
    assert.equal((await ask(direct, "GET", path)).status, 404);
    while ((await seen.next()) !== undefined); // ends with what it showed
    assert.equal((await ask(direct, "GET", `/apis/${group}`)).status, 404);
  });
});

describe("definitions beside each other", () => {
  const sea = "sea.example.com";
  const small = (
    plural: string,
    kind: string,
    versions: readonly object[] = [{ name: "v1", storage: true }],
    more: object = {},
  ) => ({
    metadata: { name: `${plural}.${sea}`, labels: { fleet: "small" } },
    spec: {
      group: sea,
      scope: "Cluster",
      names: { plural, kind, ...more },
      versions: versions.map((version) => ({
        served: true,
        storage: false,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        ...version,
      })),
    },
  });
  const kindsIn = async (version: string): Promise<string[]> => {
    const { status, json } = await ask(direct, "GET", `/openapi/v3/apis/${sea}/${version}`);
    return status === 404
      ? []
      : Object.keys(json.components.schemas).filter((name) => name.startsWith("com.example.sea"));
  };

  test("a name is given once; who waits for it gets it when it is free", async () => {
    await establish(small("boats", "Boat", undefined, { shortNames: ["b"] }));
    assert.equal(
      (await ask(direct, "POST", crds, { body: small("barges", "Boat", undefined, { shortNames: ["b"] }) }))
        .status,
      201,
    );
    const url = `${crds}/barges.${sea}`;
    await eventually(async () => conditionOf(await ask(direct, "GET", url), "NamesAccepted") !== undefined);
    const waiting = await ask(direct, "GET", url);
    const { status: accepted, reason, message } = conditionOf(waiting, "NamesAccepted");
    assert.deepEqual(
      [accepted, reason, message],
      ["False", "ListKindConflict", `"BoatList" is already in use`],
    );
    assert.equal(conditionOf(waiting, "Established").reason, "NotAccepted");
    assert.equal((await ask(direct, "GET", `/apis/${sea}/v1/barges`)).status, 404);
    await ask(direct, "DELETE", `${crds}/boats.${sea}`);
    await eventually(
      async () => conditionOf(await ask(direct, "GET", url), "Established")?.status === "True",
    );
    assert.equal((await ask(direct, "GET", `/apis/${sea}/v1/barges`)).status, 200);
    await ask(direct, "DELETE", url);
    await eventually(async () => (await ask(direct, "GET", url)).status === 404);
  });

  test("definitions are listed by label, watched, and deleted together", async () => {
    const seen = await watch(
      direct,
      `${crds}?watch=true&labelSelector=fleet%3Dsmall&resourceVersion=${await api.revision()}`,
    );
    await establish(small("rafts", "Raft"));
    await establish(small("dinghies", "Dinghy"));
    const first = await seen.next();
    assert.deepEqual([first?.type, first?.object.metadata.name], ["ADDED", `rafts.${sea}`]);
    const { json } = await ask(direct, "GET", `${crds}?labelSelector=fleet%3Dsmall`);
    assert.deepEqual(
      json.items.map((one: any) => one.metadata.name),
      [`dinghies.${sea}`, `rafts.${sea}`],
    );
    await ask(direct, "DELETE", `${crds}?labelSelector=fleet%3Dsmall`);
    await eventually(
      async () => (await ask(direct, "GET", `${crds}?labelSelector=fleet%3Dsmall`)).json.items.length === 0,
    );
    seen.stop();
  });

  test("the status of a definition is read, replaced and patched at its own path", async () => {
    await establish(small("canoes", "Canoe"));
    const url = `${crds}/canoes.${sea}/status`;
    const { json } = await ask(direct, "GET", url);
    const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from a test" };
    const put = await ask(direct, "PUT", url, {
      body: {
        ...json,
        spec: { ...json.spec, scope: "Namespaced" },
        status: { ...json.status, conditions: [...json.status.conditions, condition] },
      },
    });
    assert.equal(put.status, 200, put.text);
    assert.equal(put.json.spec.scope, "Cluster");
    assert.equal(conditionOf(put, "StatusUpdate").message, "Set from a test");
    const patched = await ask(direct, "PATCH", url, { body: { status: { conditions: [] } }, headers: merge });
    assert.equal(patched.status, 200, patched.text);
    await eventually(
      async () => conditionOf(await ask(direct, "GET", url), "Established")?.status === "True",
    );
    await ask(direct, "DELETE", `${crds}/canoes.${sea}`);
  });

  test("what is served in no version any longer goes with its definition all the same", async () => {
    await establish(small("wrecks", "Wreck"));
    const [url, path] = [`${crds}/wrecks.${sea}`, `/apis/${sea}/v1/wrecks`];
    assert.equal((await ask(direct, "POST", path, { body: { metadata: { name: "a" } } })).status, 201);
    const { json } = await ask(direct, "GET", url);
    json.spec.versions[0].served = false;
    assert.equal((await ask(direct, "PUT", url, { body: json })).status, 200);
    assert.equal((await ask(direct, "GET", path)).status, 404);
    await ask(direct, "DELETE", url);
    await eventually(async () => (await ask(direct, "GET", url)).status === 404);
    await establish(small("wrecks", "Wreck"));
    assert.deepEqual((await ask(direct, "GET", path)).json.items, []);
    await ask(direct, "DELETE", url);
  });

  test("discovery has the kind of definitions themselves", async () => {
    const { json: groups } = await ask(direct, "GET", "/apis");
    const own = groups.groups.find((one: any) => one.name === "apiextensions.k8s.io");
    assert.equal(own.preferredVersion.version, "v1");
    const { json } = await ask(direct, "GET", "/apis/apiextensions.k8s.io/v1");
    assert.deepEqual(
      json.resources.map((one: any) => [one.name, one.kind, one.namespaced]),
      [
        ["customresourcedefinitions", "CustomResourceDefinition", false],
        ["customresourcedefinitions/status", "CustomResourceDefinition", false],
      ],
    );
  });

  test("OpenAPI follows what is served: kinds, versions, renamed and withdrawn ones", async () => {
    await establish(small("ships", "Ship", [{ name: "v2", storage: true }, { name: "v3" }]));
    await establish(small("tugs", "Tug", [{ name: "v2", storage: true }]));
    assert.deepEqual(
      await kindsIn("v2"),
      ["Ship", "ShipList", "Tug", "TugList"].map((kind) => `com.example.sea.v2.${kind}`),
    );
    assert.deepEqual(
      await kindsIn("v3"),
      ["Ship", "ShipList"].map((kind) => `com.example.sea.v3.${kind}`),
    );
    const url = `${crds}/ships.${sea}`;
    const { json: ships } = await ask(direct, "GET", url);
    ships.spec.versions[1].name = "v4";
    assert.equal((await ask(direct, "PUT", url, { body: ships })).status, 200);
    assert.deepEqual(await kindsIn("v3"), []);
    assert.equal((await kindsIn("v4")).length, 2);
    const { json: renamed } = await ask(direct, "GET", url);
    renamed.spec.versions[1].served = false;
    assert.equal((await ask(direct, "PUT", url, { body: renamed })).status, 200);
    assert.deepEqual(await kindsIn("v4"), []);
    const { json: v2 } = await ask(direct, "GET", "/openapi/v2");
    assert.deepEqual(
      Object.keys(v2.definitions).filter((name) => name.startsWith("com.example.sea")),
      ["Ship", "ShipList", "Tug", "TugList"].map((kind) => `com.example.sea.v2.${kind}`),
    );
  });

  test("without limits on its fields an object is kept as it is", async () => {
    const body = {
      metadata: { name: "a" },
      spec: { any: [{ thing: { __proto__x: 1 } }] },
      other: null,
      more: 1,
    };
    const { status, json } = await ask(direct, "POST", `/apis/${sea}/v2/tugs?fieldValidation=Strict`, {
      body,
    });
    assert.equal(status, 201);
    assert.deepEqual([json.spec, json.other, json.more], [body.spec, null, 1]);
  });
});
