// What is not an object: version, health, discovery, OpenAPI, and what a path answers to the wrong method or form.

import assert from "node:assert/strict";
import { overEveryTransport } from "./conformance.ts";

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
interface Named {
  readonly name: string;
}

overEveryTransport((check) => {
  check("version", async (place) => {
    const { json, headers } = await place.expect(200, "GET", "/version");
    assert.equal(headers["content-type"], "application/json");
    assert.deepEqual([json.major, json.minor], ["1", "36"]);
    assert.match(json.gitVersion, /^v1\.36\.\d+\+leme/);
    assert.match(json.platform, /^\w+\/(amd64|arm64)$/);
  });

  check("health, in one word and in detail", async (place) => {
    for (const path of ["/healthz", "/livez", "/readyz"]) {
      const { text, headers } = await place.expect(200, "GET", path);
      assert.equal(text, "ok");
      assert.match(headers["content-type"] ?? "", /^text\/plain/);
      const verbose = (await place.expect(200, "GET", `${path}?verbose`)).text;
      assert.match(verbose, /^\[\+\]ping ok\n/);
      assert.match(verbose, /\n\[\+\]etcd ok\n/);
      assert.ok(verbose.endsWith(`${path.slice(1)} check passed\n`));
      const excluded = (await place.expect(200, "GET", `${path}?verbose&exclude=etcd&exclude=frob`)).text;
      assert.match(excluded, /\[\+\]etcd excluded: ok\n/);
      assert.match(excluded, /warn: some health checks cannot be excluded: no matches for "frob"\n/);
    }
    assert.match(
      (await place.expect(200, "GET", "/readyz?verbose")).text,
      /\[\+\]poststarthook\/rbac\/bootstrap-roles ok\n/,
    );
    assert.equal((await place.expect(200, "GET", "/healthz/ping")).text, "ok");
    assert.equal((await place.expect(200, "GET", "/livez/etcd")).text, "ok");
    assert.equal((await place.expect(200, "GET", "/readyz/poststarthook/rbac/bootstrap-roles")).text, "ok");
    await place.expect(404, "GET", "/healthz/frob");
  });

  check("classic discovery", async (place) => {
    const root = (await place.expect(200, "GET", "/")).json.paths as string[];
    for (const path of [
      "/api",
      "/api/v1",
      "/apis",
      "/apis/rbac.authorization.k8s.io/v1",
      "/healthz",
      "/version",
    ])
      assert.ok(root.includes(path), path);
    const { json: versions } = await place.expect(200, "GET", "/api");
    assert.deepEqual([versions.kind, versions.versions], ["APIVersions", ["v1"]]);
    const { json: core } = await place.expect(200, "GET", "/api/v1");
    assert.deepEqual([core.kind, core.groupVersion], ["APIResourceList", "v1"]);
    const resource = (name: string) => core.resources.find((one: Named) => one.name === name);
    const pods = resource("pods");
    assert.deepEqual(pods.verbs, [
      "create",
      "delete",
      "deletecollection",
      "get",
      "list",
      "patch",
      "update",
      "watch",
    ]);
    assert.deepEqual(
      [pods.singularName, pods.namespaced, pods.kind, pods.shortNames, pods.categories],
      ["pod", true, "Pod", ["po"], ["all"]],
    );
    assert.deepEqual(resource("pods/status").verbs, ["get", "patch", "update"]);
    const scale = resource("replicationcontrollers/scale");
    assert.deepEqual([scale.group, scale.version, scale.kind], ["autoscaling", "v1", "Scale"]);
    assert.equal(resource("namespaces").verbs.includes("deletecollection"), false);
    const { json: groups } = await place.expect(200, "GET", "/apis");
    assert.equal(groups.kind, "APIGroupList");
    const rbac = groups.groups.find((group: Named) => group.name === "rbac.authorization.k8s.io");
    assert.deepEqual(rbac.preferredVersion, { groupVersion: "rbac.authorization.k8s.io/v1", version: "v1" });
    const { json: group } = await place.expect(200, "GET", "/apis/rbac.authorization.k8s.io");
    assert.deepEqual([group.kind, group.name], ["APIGroup", "rbac.authorization.k8s.io"]);
    const { json: list } = await place.expect(200, "GET", "/apis/rbac.authorization.k8s.io/v1");
    assert.deepEqual(
      list.resources.map(({ name }: Named) => name),
      ["clusterrolebindings", "clusterroles", "rolebindings", "roles"],
    );
    await place.expect(200, "GET", "/api/");
    await place.expect(404, "GET", "/apis/example.com");
    await place.expect(404, "GET", "/apis/rbac.authorization.k8s.io/v9");
  });

  check("aggregated discovery, and its etag", async (place) => {
    const accept = `${aggregated},application/json`;
    const { json, headers } = await place.expect(200, "GET", "/api", undefined, { accept });
    assert.equal(headers["content-type"], aggregated);
    assert.deepEqual([json.kind, json.apiVersion], ["APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"]);
    const pods = json.items[0].versions[0].resources.find(
      (one: { resource: string }) => one.resource === "pods",
    );
    assert.deepEqual(pods.responseKind, { group: "", version: "v1", kind: "Pod" });
    assert.equal(pods.scope, "Namespaced");
    assert.ok(pods.subresources.some((one: { subresource: string }) => one.subresource === "binding"));
    const etag = headers["etag"] as string;
    assert.match(etag, /^"[0-9A-F]+"$/);
    const again = await place.ask("GET", "/api", { headers: { accept, "if-none-match": etag } });
    assert.deepEqual([again.status, again.text], [304, ""]);
    const groups = await place.expect(200, "GET", "/apis", undefined, { accept });
    assert.ok(groups.json.items.every(({ metadata }: { metadata: Named }) => metadata.name !== ""));
    const beta = aggregated.replace("v=v2", "v=v2beta1");
    const older = await place.expect(200, "GET", "/apis", undefined, { accept: `${beta},application/json` });
    assert.equal(older.json.apiVersion, "apidiscovery.k8s.io/v2beta1");
  });

  check("OpenAPI v2, as JSON and as protobuf", async (place) => {
    const { json, headers } = await place.expect(200, "GET", "/openapi/v2");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(json.swagger, "2.0");
    const pod = json.definitions["io.k8s.api.core.v1.Pod"];
    assert.deepEqual(pod["x-kubernetes-group-version-kind"], [{ group: "", kind: "Pod", version: "v1" }]);
    const post = json.paths["/api/v1/namespaces/{namespace}/pods"].post;
    const parameters = post.parameters.map(({ name }: Named) => name);
    for (const name of ["fieldValidation", "dryRun", "body"]) assert.ok(parameters.includes(name), name);
    const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    const binary = await place.expect(200, "GET", "/openapi/v2", undefined, { accept });
    assert.equal(
      binary.headers["content-type"],
      "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    );
    assert.ok(binary.text.includes("io.k8s.api.core.v1.Pod"));
    const etag = headers["etag"] as string;
    assert.equal((await place.ask("GET", "/openapi/v2", { headers: { "if-none-match": etag } })).status, 304);
  });

  check("OpenAPI v3, one document for each group and version", async (place) => {
    const { json } = await place.expect(200, "GET", "/openapi/v3");
    const url = json.paths["api/v1"].serverRelativeURL as string;
    assert.match(url, /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]+$/);
    const document = (await place.expect(200, "GET", url)).json;
    assert.match(document.openapi, /^3\.0/);
    assert.ok(document.components.schemas["io.k8s.api.core.v1.ConfigMap"]);
    assert.ok(document.paths["/api/v1/namespaces/{namespace}/configmaps/{name}"].patch);
    await place.expect(200, "GET", "/openapi/v3/apis/rbac.authorization.k8s.io/v1");
    await place.expect(404, "GET", "/openapi/v3/apis/example.com/v1");
  });

  check("the dashboard of the tutorial is not installed", async (place) => {
    for (const path of ["/ui", "/ui/"]) {
      const { json } = await place.expect(404, "GET", path);
      assert.match(json.message, /the dashboard is not installed/);
    }
  });

  check("keys of the token issuer", async (place) => {
    const { json } = await place.expect(200, "GET", "/.well-known/openid-configuration");
    assert.equal(json.issuer, "https://kubernetes.default.svc.cluster.local");
    assert.deepEqual(json.subject_types_supported, ["public"]);
    const keys = await place.expect(200, "GET", "/openid/v1/jwks");
    assert.equal(keys.headers["content-type"], "application/jwk-set+json");
    assert.equal(keys.json.keys[0].d, undefined, "the private part stays here");
  });

  check("methods that paths and objects do not know", async (place) => {
    for (const [method, path] of [
      ["POST", "/version"],
      ["DELETE", "/apis"],
      ["OPTIONS", "/api/v1"],
      ["OPTIONS", place.at("pods")],
      ["TRACE", place.at("pods")],
    ] as const) {
      if (method === "TRACE" && place.transport !== place.api.transport("direct")) continue;
      const { json } = await place.expect(405, method, path);
      assert.equal(json.reason, "MethodNotAllowed");
    }
    const head = await place.ask("HEAD", place.at("pods"));
    assert.deepEqual(
      [head.status, place.transport === place.api.transport("direct") || head.text === ""],
      [405, true],
    );
    assert.equal((await place.ask("HEAD", "/healthz")).status, 200);
  });

  check("answers are not to be kept", async (place) => {
    const { headers } = await place.expect(200, "GET", place.at("pods"));
    assert.equal(headers["cache-control"], "no-cache, private");
  });
});
