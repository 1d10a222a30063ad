// Questions to the API server: who is this, may they; and acting as somebody else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { ask, startApi, type Answer, type Api } from "./api-under-test.ts";

const authentication = "/apis/authentication.k8s.io/v1";
const authorization = "/apis/authorization.k8s.io/v1";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
let api: Api;
let admin: Transport;

const as = (name: string, ...groups: string[]): Transport =>
  api.plane.server.direct({ name, groups: [...groups, "system:authenticated"] });

const review = (who: Transport, path: string, spec: object, more: object = {}): Promise<Answer> =>
  ask(who, "POST", path, { body: { ...more, spec } });

before(async () => {
  api = await startApi();
  admin = api.transport("direct");
  const role = {
    metadata: { name: "reader" },
    rules: [{ verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] }],
  };
  await ask(admin, "POST", `${rbac}/namespaces/default/roles`, { body: role });
  await ask(admin, "POST", `${rbac}/namespaces/default/rolebindings`, {
    body: {
      metadata: { name: "readers" },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "ana" }],
      roleRef: { kind: "Role", apiGroup: "rbac.authorization.k8s.io", name: "reader" },
    },
  });
});
after(() => api.stop());

test("SelfSubjectReview: who am I", async () => {
  const { status, json } = await ask(as("ana", "dev"), "POST", `${authentication}/selfsubjectreviews`, {
    body: {},
  });
  assert.equal(status, 201);
  assert.deepEqual(json.status.userInfo, { username: "ana", groups: ["dev", "system:authenticated"] });
  assert.equal(json.kind, "SelfSubjectReview");
  assert.equal(json.metadata.name, undefined);
});

test("SelfSubjectAccessReview: may I", async () => {
  const may = async (resourceAttributes: object): Promise<boolean> =>
    (await review(as("ana"), `${authorization}/selfsubjectaccessreviews`, { resourceAttributes })).json.status
      .allowed;
  assert.equal(await may({ verb: "list", resource: "pods", namespace: "default" }), true);
  assert.equal(await may({ verb: "delete", resource: "pods", namespace: "default" }), false);
  assert.equal(await may({ verb: "list", resource: "pods", namespace: "kube-system" }), false);
  assert.equal(
    await may({ verb: "list", resource: "pods", subresource: "log", namespace: "default" }),
    false,
  );
  const path = await review(as("ana"), `${authorization}/selfsubjectaccessreviews`, {
    nonResourceAttributes: { verb: "get", path: "/healthz" },
  });
  assert.equal(path.json.status.allowed, true);
});

test("SubjectAccessReview: may they, and why", async () => {
  const path = `${authorization}/subjectaccessreviews`;
  const resourceAttributes = { verb: "get", resource: "pods", namespace: "default", name: "x" };
  const { json } = await review(admin, path, { user: "ana", resourceAttributes });
  assert.deepEqual(json.status, {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "readers/default" of Role "reader" to User "ana"',
  });
  const none = await review(admin, path, { user: "bob", resourceAttributes });
  assert.deepEqual(none.json.status, { allowed: false });
  assert.equal((await review(as("ana"), path, { user: "bob", resourceAttributes })).status, 403);
});

test("LocalSubjectAccessReview asks about its own namespace only", async () => {
  const path = `${authorization}/namespaces/default/localsubjectaccessreviews`;
  const good = await review(admin, path, {
    user: "ana",
    resourceAttributes: { verb: "get", resource: "pods", namespace: "default" },
  });
  assert.equal(good.json.status.allowed, true);
  const other = await review(admin, path, {
    user: "ana",
    resourceAttributes: { verb: "get", resource: "pods", namespace: "kube-system" },
  });
  assert.equal(other.status, 422);
  assert.match(
    other.json.message,
    /spec\.resourceAttributes\.namespace: Invalid value: "kube-system": must match metadata\.namespace/,
  );
});

test("SelfSubjectRulesReview: all that I may in a namespace", async () => {
  const { json } = await review(as("ana"), `${authorization}/selfsubjectrulesreviews`, {
    namespace: "default",
  });
  assert.equal(json.status.incomplete, false);
  assert.ok(
    json.status.resourceRules.some(
      (rule: { verbs: string[]; resources: string[] }) =>
        rule.verbs.join() === "get,list" && rule.resources.join() === "pods",
    ),
  );
  assert.ok(
    json.status.nonResourceRules.some((rule: { nonResourceURLs: string[] }) =>
      rule.nonResourceURLs.includes("/healthz"),
    ),
  );
});

test("TokenReview: whose token is this", async () => {
  const path = `${authentication}/tokenreviews`;
  const issued = await ask(admin, "POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {
    body: {},
  });
  const { json } = await review(admin, path, { token: issued.json.status.token });
  assert.equal(json.status.authenticated, true);
  assert.equal(json.status.user.username, "system:serviceaccount:default:default");
  const forged = await review(admin, path, { token: "nonsense" });
  assert.equal(forged.status, 201);
  assert.ok(forged.json.status.authenticated !== true && forged.json.status.error !== "");
});

test("questions that ask nothing, or two things, are invalid", async () => {
  const self = `${authorization}/selfsubjectaccessreviews`;
  const rows: [string, object, RegExp][] = [
    [self, {}, /exactly one of nonResourceAttributes or resourceAttributes must be specified/],
    [
      self,
      { resourceAttributes: { verb: "get" }, nonResourceAttributes: { verb: "get" } },
      /spec\.nonResourceAttributes: Invalid value: .*cannot be specified in combination with resourceAttributes/,
    ],
    [
      `${authorization}/subjectaccessreviews`,
      { resourceAttributes: { verb: "get" } },
      /spec\.user: Invalid value: "": at least one of user or group must be specified/,
    ],
    [`${authorization}/selfsubjectrulesreviews`, {}, /spec\.namespace: Required value/],
    [`${authentication}/tokenreviews`, {}, /spec\.token: Required value/],
  ];
  for (const [path, spec, message] of rows) {
    const { status, json } = await review(admin, path, spec);
    assert.equal(status, 422, `${path} ${JSON.stringify(spec)}`);
    assert.match(json.message, message);
  }
  assert.equal((await ask(admin, "GET", self)).status, 405);
});

test("impersonation: who may, acts as another; who may not, is told what is missing", async () => {
  const headers = { "impersonate-user": "ana", "impersonate-group": "dev" };
  const whoami = await ask(admin, "POST", `${authentication}/selfsubjectreviews`, { body: {}, headers });
  assert.deepEqual(whoami.json.status.userInfo, { username: "ana", groups: ["dev", "system:authenticated"] });
  const refused = await ask(admin, "DELETE", "/api/v1/namespaces/default/pods/x", { headers });
  assert.equal(
    refused.json.message,
    'pods "x" is forbidden: User "ana" cannot delete resource "pods" in API group "" in the namespace "default"',
  );
  const mayNot = await ask(as("bob"), "GET", "/api/v1/pods", { headers });
  assert.equal(mayNot.status, 403);
  assert.equal(
    mayNot.json.message,
    'users "ana" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
});
