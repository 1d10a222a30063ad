// Every published fixture of the API goes through JSON, YAML and protobuf, byte for byte; those of earlier releases come
// out as the fixtures say that they come out of a later one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import { isObject, type JsonObject } from "../json-object.ts";
import { parseApiVersion } from "../meta.ts";
import { decodeObject } from "../schema/decode.ts";
import { schemaFor } from "../schema/schema.ts";
import { decodeProtobuf, encodeMessage, encodeProtobuf, hasProtobuf, wrapMessage } from "./protobuf.ts";
import { parseYaml, printYaml } from "./yaml.ts";

const packed = readFileSync(join(import.meta.dirname, "testdata", "api", "published.json.br"));
const files = new Map(
  Object.entries(JSON.parse(brotliDecompressSync(packed).toString()) as Record<string, string>),
);
const releases = [...new Set([...files.keys()].map((path) => path.slice(0, path.indexOf("/"))))];

/** `HEAD/core.v1.Pod`, for every fixture of a release. */
const fixturesOf = (release: string): string[] =>
  [...files.keys()]
    .filter((path) => path.startsWith(`${release}/`) && path.endsWith(".json") && !path.includes(".after_"))
    .map((path) => path.slice(0, -".json".length));

function text(path: string): string {
  const found = files.get(path);
  assert.ok(found !== undefined, path);
  return found;
}
const json = (path: string): JsonObject => JSON.parse(text(path)) as JsonObject;
const bytes = (path: string): Buffer => Buffer.from(text(path), "base64");
/** What the fixture becomes; the fixture itself, where nothing changes. */
const after = (name: string, ending: string): string =>
  files.has(`${name}.after_roundtrip.${ending}`) ? `${name}.after_roundtrip.${ending}` : `${name}.${ending}`;

const kindOf = (object: JsonObject): [apiVersion: string, kind: string] => [
  String(object["apiVersion"]),
  String(object["kind"]),
];

function checkJson(name: string, object: JsonObject, expected: JsonObject): void {
  const [apiVersion, kind] = kindOf(object);
  const { group, version } = parseApiVersion(apiVersion);
  const schema = schemaFor(group, version, kind);
  assert.ok(schema, name);
  const decoded = decodeObject(schema, structuredClone(object));
  assert.equal(JSON.stringify(decoded.object), JSON.stringify(expected), name);
}

/** Kinds of earlier releases that this one has no longer. */
const removed = new Set([
  "autoscaling.v2beta1.HorizontalPodAutoscaler",
  "autoscaling.v2beta2.HorizontalPodAutoscaler",
  "certificates.k8s.io.v1alpha1.PodCertificateRequest",
  "networking.k8s.io.v1alpha1.IPAddress",
  "networking.k8s.io.v1alpha1.ServiceCIDR",
  "resource.k8s.io.v1alpha3.DeviceClass",
  "resource.k8s.io.v1alpha3.ResourceClaim",
  "resource.k8s.io.v1alpha3.ResourceClaimTemplate",
  "resource.k8s.io.v1alpha3.ResourceSlice",
  "scheduling.k8s.io.v1alpha1.PriorityClass",
  "scheduling.k8s.io.v1alpha1.Workload",
]);

for (const release of releases) {
  describe(release, () => {
    const fixtures = fixturesOf(release);
    const kept = fixtures.filter(
      (name) => !name.endsWith(".WatchEvent") && !removed.has(name.slice(release.length + 1)),
    );
    test("all are there", () => {
      assert.ok(fixtures.length >= 175, `${fixtures.length} fixtures`);
      assert.ok(kept.length >= fixtures.length - 11, `${kept.length} of ${fixtures.length}`);
      if (release === "HEAD") assert.equal(kept.length, fixtures.length - 1);
    });

    test("JSON ↔ protobuf", () => {
      for (const name of kept) {
        const object = json(`${name}.json`);
        const expected = json(after(name, "json"));
        assert.ok(hasProtobuf(...kindOf(object)), name);
        const pb = bytes(`${name}.pb`);
        const decoded = decodeProtobuf(pb).object;
        assert.equal(JSON.stringify(decoded), JSON.stringify(expected), name);
        assert.ok(encodeProtobuf(decoded).equals(bytes(after(name, "pb"))), `${name}: encoded bytes differ`);
        checkJson(name, object, expected);
        if (release === "HEAD")
          assert.ok(encodeProtobuf(object).equals(pb), `${name}: bytes from JSON differ`);
      }
    });

    test("JSON ↔ YAML", () => {
      for (const name of fixtures) {
        const { value, duplicates } = parseYaml(text(`${name}.yaml`));
        assert.deepEqual(duplicates, [], name);
        assert.deepEqual(value, json(`${name}.json`), name);
        assert.deepEqual(parseYaml(printYaml(value)).value, value, name);
      }
    });

    test("a watch event, whose object may be of any kind", () => {
      const event = json(`${release}/core.v1.WatchEvent.json`);
      assert.ok(isObject(event["object"]));
      const pb = wrapMessage("", "", encodeMessage("meta/v1.WatchEvent", event));
      assert.ok(pb.equals(bytes(`${release}/core.v1.WatchEvent.pb`)));
    });
  });
}
