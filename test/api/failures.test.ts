// Failures, to the letter: every reason with its code, message and details.

import assert from "node:assert/strict";
import { decodeProtobuf } from "#machinery/codec/protobuf.ts";
import { ask } from "./api-under-test.ts";
import { idlePod, overEveryTransport, type Place } from "./conformance.ts";

interface Failure {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: object;
}

const status = ({ code, reason, message, details }: Failure): object => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  ...(details === undefined ? {} : { details }),
  code,
});

async function fails(
  place: Place,
  [method, url, body]: readonly [method: string, url: string, body?: unknown],
  failure: Failure,
): Promise<void> {
  const { json } = await place.expect(failure.code, method, url, body);
  assert.deepEqual(json, status(failure));
}

const ofMap = (name: string): object => ({ name, kind: "configmaps" });

overEveryTransport((check) => {
  check("409: there already, under its own name or a generated one", async (place) => {
    await place.put("a");
    const message = 'configmaps "a" already exists';
    await fails(place, ["POST", place.at("configmaps"), { metadata: { name: "a" } }], {
      code: 409,
      reason: "AlreadyExists",
      message,
      details: ofMap("a"),
    });
    await fails(place, ["POST", place.at("configmaps"), { metadata: { name: "a", generateName: "b-" } }], {
      code: 409,
      reason: "AlreadyExists",
      message: `${message}, the server was not able to generate a unique name for the object`,
      details: { ...ofMap("a"), retryAfterSeconds: 1 },
    });
    await place.expect(201, "POST", place.at("configmaps"), {
      metadata: { name: "going", finalizers: ["example.com/held"] },
    });
    await place.expect(200, "DELETE", `${place.at("configmaps")}/going`);
    await fails(place, ["POST", place.at("configmaps"), { metadata: { name: "going" } }], {
      code: 409,
      reason: "AlreadyExists",
      message: 'object is being deleted: configmaps "going" already exists',
      details: ofMap("going"),
    });
  });

  check("409: somebody was faster, or it is another object", async (place) => {
    const { uid, resourceVersion } = (await place.put("a")).metadata;
    const url = `${place.at("configmaps")}/a`;
    const conflict = (why: string): Failure => ({
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on configmaps "a": ${why}`,
      details: ofMap("a"),
    });
    const stale =
      "the object has been modified; please apply your changes to the latest version and try again";
    const otherUid = `Precondition failed: UID in precondition: x, UID in object meta: ${uid}`;
    const otherVersion = `Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: ${resourceVersion}`;
    await fails(place, ["PUT", url, { metadata: { name: "a", resourceVersion: "1" } }], conflict(stale));
    await fails(place, ["PUT", url, { metadata: { name: "a", uid: "x" } }], conflict(otherUid));
    await fails(place, ["DELETE", url, { preconditions: { uid: "x" } }], conflict(otherUid));
    await fails(place, ["DELETE", url, { preconditions: { resourceVersion: "1" } }], conflict(otherVersion));
  });

  check("404: no such object, namespace, resource or path", async (place) => {
    for (const method of ["GET", "DELETE"])
      await fails(place, [method, `${place.at("configmaps")}/ghost`], {
        code: 404,
        reason: "NotFound",
        message: 'configmaps "ghost" not found',
        details: ofMap("ghost"),
      });
    const created = { metadata: { name: "a" } };
    await fails(place, ["POST", "/api/v1/namespaces/nowhere/configmaps", created], {
      code: 404,
      reason: "NotFound",
      message: 'namespaces "nowhere" not found',
      details: { name: "nowhere", kind: "namespaces" },
    });
    const nothing = {
      code: 404,
      reason: "NotFound",
      message: "the server could not find the requested resource",
      details: {},
    };
    for (const path of [place.at("nothings"), "/apis/example.com/v1/things", "/api/v2/pods", "/nowhere"])
      await fails(place, ["GET", path], nothing);
  });

  check("405", async (place) => {
    await place.put("a");
    const rows: [string, string, unknown?][] = [
      ["POST", `${place.at("configmaps")}/a`, {}],
      ["PUT", place.at("configmaps"), {}],
      ["PATCH", place.at("configmaps"), {}],
      ["POST", "/api/v1/configmaps", { metadata: { name: "a" } }],
      ["PUT", `${place.at("pods")}/a/binding`, {}],
    ];
    for (const row of rows)
      await fails(place, row, {
        code: 405,
        reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource",
        details: {},
      });
  });

  check("422: every cause with its field", async (place) => {
    const bad = { metadata: { name: "A_" }, data: { "a b": "x" } };
    const { json } = await place.expect(422, "POST", place.at("configmaps"), bad);
    assert.equal(json.reason, "Invalid");
    assert.deepEqual(
      [json.details.name, json.details.kind, json.details.group],
      ["A_", "ConfigMap", undefined],
    );
    assert.deepEqual(
      json.details.causes.map(({ reason, field }: { reason: string; field: string }) => [reason, field]),
      [
        ["FieldValueInvalid", "metadata.name"],
        ["FieldValueInvalid", "data[a b]"],
      ],
    );
    for (const { message } of json.details.causes) assert.ok(json.message.includes(message));
    const role = { metadata: { name: "r" }, rules: [{ verbs: [] }] };
    const other = await place.expect(422, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role);
    assert.equal(other.json.details.group, "rbac.authorization.k8s.io");
    assert.match(other.json.message, /^ClusterRole\.rbac\.authorization\.k8s\.io "r" is invalid: /);
  });

  check("400: names and namespaces that contradict the path", async (place) => {
    await place.put("a");
    const rows: [string, string, unknown, string][] = [
      [
        "PUT",
        `${place.at("configmaps")}/a`,
        { metadata: { name: "b" } },
        "the name of the object (b) does not match the name on the URL (a)",
      ],
      [
        "POST",
        place.at("configmaps"),
        { metadata: { name: "b", namespace: "other" } },
        "the namespace of the provided object does not match the namespace sent on the request",
      ],
      [
        "POST",
        place.at("configmaps"),
        { metadata: { name: "b", resourceVersion: "1" } },
        "resourceVersion should not be set on objects to be created",
      ],
    ];
    for (const [method, url, body, message] of rows)
      await fails(place, [method, url, body], { code: 400, reason: "BadRequest", message });
  });

  check("413: more than the server takes", async (place) => {
    if (place.transport === place.api.transport("direct")) return;
    const body = { metadata: { name: "a" }, data: { x: "x".repeat(3 * 1024 * 1024) } };
    await fails(place, ["POST", place.at("configmaps"), body], {
      code: 413,
      reason: "RequestEntityTooLarge",
      message: "Request entity too large: limit is 3145728",
    });
  });

  check("401 and 403 name who it was and what it would have been", async (place) => {
    if (place.transport === place.api.transport("direct")) return;
    const alice = place.api.as({ token: "alice-token" });
    const refused = await ask(alice, "GET", `${place.at("secrets")}/a`);
    assert.deepEqual(
      refused.json,
      status({
        code: 403,
        reason: "Forbidden",
        message: `secrets "a" is forbidden: User "alice" cannot get resource "secrets" in API group "" in the namespace "${place.namespace}"`,
        details: { name: "a", kind: "secrets" },
      }),
    );
    const nobody = await ask(place.api.as({ token: "wrong" }), "GET", place.at("secrets"));
    assert.deepEqual(nobody.json, status({ code: 401, reason: "Unauthorized", message: "Unauthorized" }));
  });

  check("504: a version that is yet to come, in one object, a list and protobuf", async (place) => {
    await place.put("a");
    for (const url of [`${place.at("configmaps")}/a?`, `${place.at("configmaps")}?`]) {
      const answer = await place.expect(504, "GET", `${url}resourceVersion=99999999`, undefined, {
        accept: "application/vnd.kubernetes.protobuf",
      });
      const object: any = decodeProtobuf(answer.bytes).object;
      assert.match(object.message, /^Timeout: Too large resource version: 99999999, current: \d+$/);
      assert.deepEqual(object.details, {
        causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        retryAfterSeconds: 1,
      });
      assert.equal(answer.headers["retry-after"], "1");
    }
  });

  check("504: not done within the time that the client gave", async (place) => {
    const url = `${place.at("configmaps")}?resourceVersion=99999999`;
    await fails(place, ["GET", `${url}&timeout=50ms`], {
      code: 504,
      reason: "Timeout",
      message: "Timeout: request did not complete within requested timeout - context deadline exceeded",
      details: {},
    });
    await fails(place, ["GET", `${place.at("configmaps")}?timeout=soon`], {
      code: 400,
      reason: "BadRequest",
      message: 'invalid timeout specified in the request URL - time: invalid duration "soon"',
    });
    for (const timeout of ["32s", "1m30s", "0"])
      await place.expect(200, "GET", `${place.at("configmaps")}?timeout=${timeout}`);
  });

  check("a deletion that is done says what is gone", async (place) => {
    const { uid } = (await place.put("a")).metadata;
    const { json } = await place.expect(200, "DELETE", `${place.at("configmaps")}/a`);
    assert.deepEqual(json, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { ...ofMap("a"), uid },
    });
  });

  check("answers are indented for who wants to look at them", async (place) => {
    await place.expect(201, "POST", place.at("pods"), idlePod("a"));
    const url = `${place.at("pods")}/a`;
    const compact = await place.expect(200, "GET", url);
    const asked = await place.expect(200, "GET", `${url}?pretty=true`);
    assert.equal(asked.text, JSON.stringify(compact.json, null, 2));
    const curl = { "user-agent": "curl/8.5.0" };
    assert.equal((await place.expect(200, "GET", url, undefined, curl)).text, asked.text);
    const not = await place.expect(200, "GET", `${url}?pretty=false`, undefined, curl);
    assert.equal(not.text, compact.text);
    const ghost = await place.expect(404, "GET", `${place.at("pods")}/ghost?pretty=1`);
    assert.match(ghost.text, /^\{\n {2}"kind": "Status",\n/);
  });
});
