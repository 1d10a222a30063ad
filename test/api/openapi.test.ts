// OpenAPI documents as clients read them: descriptions of everything, hashes, etags.

import assert from "node:assert/strict";
import { overEveryTransport } from "./conformance.ts";

overEveryTransport((check) => {
  check("every kind and each of its fields is described", async (place) => {
    const index = (await place.expect(200, "GET", "/openapi/v3")).json;
    for (const [path, { serverRelativeURL }] of Object.entries<{ serverRelativeURL: string }>(index.paths)) {
      const { json } = await place.expect(200, "GET", serverRelativeURL);
      const kinds = Object.entries<any>(json.components.schemas).filter(
        ([, { "x-kubernetes-group-version-kind": gvk }]) => gvk?.length === 1,
      );
      assert.ok(kinds.length > 0, path);
      for (const [name, schema] of kinds) {
        assert.ok(schema.description?.length > 10, `${name} of ${path}`);
        for (const [field, { description }] of Object.entries<any>(schema.properties ?? {}))
          assert.ok(description?.length > 2, `${name}.${field} of ${path}`);
      }
    }
  });

  check("texts are those of the release", async (place) => {
    const { json } = await place.expect(200, "GET", "/openapi/v3/api/v1");
    const pod = json.components.schemas["io.k8s.api.core.v1.Pod"];
    assert.match(pod.description, /^Pod is a collection of containers/);
    assert.match(pod.properties.spec.description, /^Specification of the desired behavior of the pod/);
    const volume = json.components.schemas["io.k8s.api.core.v1.Volume"];
    assert.match(volume.properties.hostPath.description, /^hostPath represents/);
    const v2 = await place.expect(200, "GET", "/openapi/v2");
    assert.match(v2.json.definitions["io.k8s.api.core.v1.Pod"].description, /^Pod is a collection/);
  });

  check("a document under its hash never changes; under another it has moved", async (place) => {
    const index = (await place.expect(200, "GET", "/openapi/v3")).json;
    const url = index.paths["apis/coordination.k8s.io/v1"].serverRelativeURL as string;
    const { headers } = await place.expect(200, "GET", url);
    assert.equal(headers["cache-control"], "public, immutable");
    assert.ok(Date.parse(headers["expires"] ?? "") > Date.now() + 300 * 24 * 3_600_000);
    assert.match(headers["etag"] ?? "", /^"[0-9A-F]{128}"$/);
    const moved = await place.ask("GET", "/openapi/v3/apis/coordination.k8s.io/v1?hash=OLD");
    assert.deepEqual([moved.status, moved.headers["location"]], [301, url]);
    const same = await place.ask("GET", url, { headers: { "if-none-match": headers["etag"] ?? "" } });
    assert.deepEqual([same.status, same.text], [304, ""]);
    const v2 = await place.expect(200, "GET", "/openapi/v2");
    const unchanged = { headers: { "if-none-match": v2.headers["etag"] ?? "" } };
    assert.equal((await place.ask("GET", "/openapi/v2", unchanged)).status, 304);
  });

  check("forms that there are none of", async (place) => {
    const accept = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
    const { json } = await place.expect(406, "GET", "/openapi/v3/api/v1", undefined, { accept });
    assert.equal(json.reason, "NotAcceptable");
    await place.expect(404, "GET", "/openapi/v3/apis/example.com/v1");
  });
});
