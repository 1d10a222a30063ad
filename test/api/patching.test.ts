// The three kinds of patches on real objects: what they merge, what they replace, and what stands in their way.

import assert from "node:assert/strict";
import { jsonPatch, mergePatch, overEveryTransport, strategicPatch, type Place } from "./conformance.ts";

const template = {
  metadata: { labels: { app: "web" } },
  spec: {
    containers: [
      { name: "web", image: "web:1", env: [{ name: "A", value: "1" }], ports: [{ containerPort: 80 }] },
      { name: "side", image: "side:1", args: ["x", "y"] },
    ],
    tolerations: [{ key: "a", operator: "Exists" }],
    volumes: [{ name: "v", emptyDir: {} }],
  },
};

async function controller(place: Place): Promise<string> {
  await place.expect(201, "POST", place.at("replicationcontrollers"), {
    metadata: { name: "rc" },
    spec: { replicas: 0, template },
  });
  return `${place.at("replicationcontrollers")}/rc`;
}

overEveryTransport((check) => {
  check("JSON patch: all operations or none", async (place) => {
    await place.put("a", { x: "1", y: "2" }, { l: "1" });
    const url = `${place.at("configmaps")}/a`;
    const { json } = await place.expect(
      200,
      "PATCH",
      url,
      [
        { op: "test", path: "/data/x", value: "1" },
        { op: "replace", path: "/data/x", value: "9" },
        { op: "move", from: "/data/y", path: "/data/z" },
        { op: "copy", from: "/data/z", path: "/data/constructor" },
        { op: "add", path: "/metadata/labels/example.com~1m", value: "2" },
        { op: "remove", path: "/metadata/labels/l" },
      ],
      jsonPatch,
    );
    assert.deepEqual(json.data, { x: "9", z: "2", constructor: "2" });
    assert.deepEqual(json.metadata.labels, { "example.com/m": "2" });
    const half = [
      { op: "remove", path: "/data/x" },
      { op: "test", path: "/data/z", value: "no" },
    ];
    const refused = await place.expect(422, "PATCH", url, half, jsonPatch);
    assert.equal(refused.json.details.causes[0].message, "testing value /data/z failed");
    assert.deepEqual((await place.expect(200, "GET", url)).json, json);
  });

  check("merge patch: objects merge, null removes, lists are replaced", async (place) => {
    const url = await controller(place);
    const { json } = await place.expect(
      200,
      "PATCH",
      url,
      {
        metadata: { labels: { app: null, new: "1" } },
        spec: { template: { spec: { containers: [{ name: "only", image: "only:1" }], tolerations: null } } },
      },
      mergePatch,
    );
    assert.deepEqual(json.metadata.labels, { new: "1" });
    assert.deepEqual(
      json.spec.template.spec.containers.map(({ name }: { name: string }) => name),
      ["only"],
    );
    assert.equal(json.spec.template.spec.tolerations, undefined);
    assert.equal(json.spec.template.spec.containers[0].imagePullPolicy, "IfNotPresent", "defaults apply");
    assert.equal(json.metadata.generation, 2);
  });

  check("strategic merge patch: lists with a key merge item by item", async (place) => {
    const url = await controller(place);
    const { json } = await place.expect(
      200,
      "PATCH",
      url,
      {
        spec: {
          template: {
            spec: {
              containers: [
                { name: "web", image: "web:2", env: [{ name: "B", value: "2" }] },
                { name: "side", $patch: "delete" },
                { name: "new", image: "new:1" },
              ],
              tolerations: [{ key: "b", operator: "Exists" }],
              volumes: [{ name: "w", emptyDir: {} }],
            },
          },
        },
      },
      strategicPatch,
    );
    const { containers, tolerations, volumes } = json.spec.template.spec;
    assert.deepEqual(
      containers.map(({ name, image }: { name: string; image: string }) => [name, image]),
      [
        ["web", "web:2"],
        ["new", "new:1"],
      ],
    );
    assert.deepEqual(containers[0].env.map(({ name }: { name: string }) => name).toSorted(), ["A", "B"]);
    assert.deepEqual(tolerations, [{ key: "b", operator: "Exists" }], "a list without a key is replaced");
    assert.deepEqual(volumes.map(({ name }: { name: string }) => name).toSorted(), ["v", "w"]);
  });

  check("strategic merge patch: directives", async (place) => {
    const url = await controller(place);
    const spec = async (patch: object): Promise<Record<string, unknown>> =>
      (await place.expect(200, "PATCH", url, { spec: { template: { spec: patch } } }, strategicPatch)).json
        .spec.template.spec;
    const ordered = await spec({ "$setElementOrder/containers": [{ name: "side" }, { name: "web" }] });
    const containerNames = (from: Record<string, unknown>): string[] =>
      (from["containers"] as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(containerNames(ordered), ["side", "web"]);
    const replaced = await spec({ containers: [{ $patch: "replace" }, { name: "one", image: "one:1" }] });
    assert.deepEqual(containerNames(replaced), ["one"]);
    const finalizers = { metadata: { finalizers: ["a.example/x", "b.example/y"] } };
    await place.expect(200, "PATCH", url, finalizers, strategicPatch);
    const fewer = {
      metadata: { "$deleteFromPrimitiveList/finalizers": ["a.example/x"], finalizers: ["c.example/z"] },
    };
    const { json } = await place.expect(200, "PATCH", url, fewer, strategicPatch);
    assert.deepEqual(json.metadata.finalizers, ["b.example/y", "c.example/z"]);
    await place.expect(200, "PATCH", url, { metadata: { finalizers: null } }, mergePatch);
  });

  check("a patch may name the version and the uid that it is for", async (place) => {
    const old = await place.put("a", { x: "1" });
    const url = `${place.at("configmaps")}/a`;
    const { resourceVersion, uid } = old.metadata;
    const right = { metadata: { resourceVersion, uid }, data: { x: "2" } };
    const { json } = await place.expect(200, "PATCH", url, right, mergePatch);
    const late = await place.expect(409, "PATCH", url, right, mergePatch);
    assert.match(
      late.json.message,
      /the object has been modified; please apply your changes to the latest version/,
    );
    const wrong = { metadata: { uid: "other" } };
    const other = await place.expect(409, "PATCH", url, wrong, strategicPatch);
    assert.equal(
      other.json.message,
      `Operation cannot be fulfilled on configmaps "a": Precondition failed: UID in precondition: other, UID in object meta: ${uid}`,
    );
    assert.deepEqual((await place.expect(200, "GET", url)).json, json);
  });

  check("patches of many at once all count", async (place) => {
    await place.put("a");
    const url = `${place.at("configmaps")}/a`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        place.ask("PATCH", url, { body: { data: { [`k${at}`]: "1" } }, headers: mergePatch }),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(Object.keys((await place.expect(200, "GET", url)).json.data).length, 8);
  });

  check("unknown fields of a patch", async (place) => {
    await place.put("a");
    const url = `${place.at("configmaps")}/a`;
    const patch = { data: { x: "1" }, dta: {} };
    const warned = await place.expect(200, "PATCH", url, patch, mergePatch);
    assert.equal(warned.headers["warning"], '299 - "unknown field \\"dta\\""');
    const strict = await place.expect(422, "PATCH", `${url}?fieldValidation=Strict`, patch, mergePatch);
    assert.match(
      strict.json.message,
      /^ "" is invalid: patch: Invalid value: "\{.*\}": strict decoding error: unknown field "dta"$/,
    );
    assert.deepEqual(
      strict.json.details.causes.map(({ field }: { field: string }) => field),
      ["patch"],
    );
    const quiet = await place.expect(200, "PATCH", `${url}?fieldValidation=Ignore`, patch, mergePatch);
    assert.equal(quiet.headers["warning"], undefined);
  });

  check("a dry-run patch shows, and changes nothing", async (place) => {
    await place.put("a", { x: "1" });
    const before = await place.api.revision();
    const url = `${place.at("configmaps")}/a`;
    const { json } = await place.expect(200, "PATCH", `${url}?dryRun=All`, { data: { x: "2" } }, mergePatch);
    assert.equal(json.data.x, "2");
    assert.equal(await place.api.revision(), before);
  });

  check("the status of a pod, patched on its own", async (place) => {
    const pod = {
      metadata: { name: "p" },
      spec: { schedulerName: "none", containers: [{ name: "c", image: "i" }] },
    };
    await place.expect(201, "POST", place.at("pods"), pod);
    const url = `${place.at("pods")}/p/status`;
    const condition = (type: string, status: string) => ({
      status: { conditions: [{ type, status }] },
      spec: { hostname: "x" },
    });
    await place.expect(200, "PATCH", url, condition("Ready", "False"), strategicPatch);
    const { json } = await place.expect(200, "PATCH", url, condition("Initialized", "True"), strategicPatch);
    assert.deepEqual(json.status.conditions.map(({ type }: { type: string }) => type).toSorted(), [
      "Initialized",
      "Ready",
    ]);
    assert.equal(json.spec.hostname, undefined);
  });
});
