// Who is calling, and what they may do: certificates, tokens, nobody; RBAC and the Node authorizer, word by word.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createAuthority, issue, type KeyPair } from "#pki/certificates.ts";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, createHttp1Transport, startApi, type Answer, type Api } from "./api-under-test.ts";
import { idlePod } from "./conformance.ts";

const hourMs = 3_600_000;
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const pods = "/api/v1/namespaces/default/pods";
let api: Api;
let direct: Transport;
let partners: KeyPair;

const leaf = (
  authority: KeyPair,
  commonName: string,
  organizations: string[] = [],
  notBeforeMs = Date.now() - hourMs,
) =>
  issue(authority, {
    subject: { commonName, organizations },
    usages: ["client"],
    notBeforeMs,
    validMs: 2 * hourMs,
  });
const withCertificate = ({ certificate, key }: KeyPair): Transport =>
  api.as({ clientCertificate: certificate, clientKey: key });
const withToken = (token: string): Transport => api.as({ token });
const as = (name: string, ...groups: string[]): Transport =>
  api.plane.server.direct({ name, groups: [...groups, "system:authenticated"] });

async function make(path: string, body: object): Promise<Answer> {
  const answer = await ask(direct, "POST", path, { body });
  assert.equal(answer.status, 201, answer.text);
  return answer;
}

async function isForbidden(answer: Answer, message: string): Promise<void> {
  assert.equal(answer.json.message, message);
  assert.deepEqual([answer.status, answer.json.reason, answer.json.code], [403, "Forbidden", 403]);
}

before(async () => {
  partners = await createAuthority("partners", Date.now() - hourMs, 24 * hourMs);
  api = await startApi({ clientAuthorities: [partners.certificate] });
  direct = api.transport("direct");
});
after(() => api.stop());

test("nobody in particular sees health, version and where to go, and is told what else is forbidden", async () => {
  const nobody = api.as({});
  for (const path of ["/healthz", "/livez", "/readyz", "/version"])
    assert.equal((await ask(nobody, "GET", path)).status, 200, path);
  assert.equal((await ask(nobody, "GET", "/ui")).status, 404);
  const refused = await ask(nobody, "GET", pods);
  await isForbidden(
    refused,
    'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  assert.deepEqual(refused.json.details, { kind: "pods" });
  const root = await ask(nobody, "GET", "/");
  await isForbidden(root, 'forbidden: User "system:anonymous" cannot get path "/"');
  assert.deepEqual(root.json.details, {});
});

test("credentials that nobody knows are no credentials", async () => {
  for (const authorization of ["Bearer wrong", "Bearer a.b.c", "Basic YWRtaW46YWRtaW4=", "Bearer"]) {
    const answer = await ask(api.as({}), "GET", "/healthz", { headers: { authorization } });
    assert.deepEqual(answer.json, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Unauthorized",
      reason: "Unauthorized",
      code: 401,
    });
    assert.equal(answer.status, 401);
  }
});

test("a certificate of the cluster's authority: its name is the user, its organizations the groups", async () => {
  const { authority } = api.plane.pki;
  const admin = withCertificate(await leaf(authority, "eve", ["system:masters"]));
  assert.equal((await ask(admin, "GET", "/api/v1/nodes")).status, 200);
  const plain = await leaf(authority, "eve", ["tenants"]);
  const message =
    'nodes is forbidden: User "eve" cannot list resource "nodes" in API group "" at the cluster scope';
  await isForbidden(await ask(withCertificate(plain), "GET", "/api/v1/nodes"), message);
  const http1 = createHttp1Transport({
    ...api.access,
    clientCertificate: plain.certificate,
    clientKey: plain.key,
  });
  await isForbidden(await ask(http1, "GET", "/api/v1/nodes"), message);
  await http1.close();
});

test("--client-ca-file: certificates of another authority count too", async () => {
  const partner = withCertificate(await leaf(partners, "partner", ["system:masters"]));
  assert.equal((await ask(partner, "GET", "/api/v1/nodes")).status, 200);
});

test("a certificate of nobody's, or of the past, is a 401", async () => {
  const strangers = await createAuthority("strangers", Date.now() - hourMs, 24 * hourMs);
  const forged = await createAuthority("kubernetes", Date.now() - hourMs, 24 * hourMs);
  for (const pair of [
    await leaf(strangers, "eve", ["system:masters"]),
    await leaf(forged, "eve", ["system:masters"]),
    await leaf(partners, "eve", ["system:masters"], Date.now() - 10 * hourMs),
  ]) {
    const answer = await ask(withCertificate(pair), "GET", "/healthz");
    assert.deepEqual([answer.status, answer.json.message], [401, "Unauthorized"]);
  }
  // A token that is good makes up for it.
  const pair = await leaf(strangers, "eve");
  const both = api.as({ clientCertificate: pair.certificate, clientKey: pair.key, token: "alice-token" });
  assert.equal((await ask(both, "GET", "/version")).status, 200);
});

test("a static token, and the roles of its user and groups", async () => {
  const alice = withToken("alice-token");
  const list =
    'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"';
  await isForbidden(await ask(alice, "GET", pods), list);
  await isForbidden(
    await ask(alice, "GET", `${pods}/p`),
    'pods "p" is forbidden: User "alice" cannot get resource "pods" in API group "" in the namespace "default"',
  );
  await isForbidden(
    await ask(alice, "GET", `${pods}/p/log`),
    'pods "p" is forbidden: User "alice" cannot get resource "pods/log" in API group "" in the namespace "default"',
  );
  await isForbidden(
    await ask(alice, "PATCH", `${rbac}/clusterroles/view`),
    'clusterroles.rbac.authorization.k8s.io "view" is forbidden: User "alice" cannot patch resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
  );
  assert.equal((await ask(alice, "GET", "/api")).status, 200, "discovery is for everybody who is known");
  await make(`${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: "staff-views" },
    roleRef: { kind: "ClusterRole", name: "view", apiGroup: "rbac.authorization.k8s.io" },
    subjects: [{ kind: "Group", name: "staff", apiGroup: "rbac.authorization.k8s.io" }],
  });
  await eventually(async () => (await ask(alice, "GET", pods)).status === 200);
  assert.equal((await ask(alice, "GET", `${pods}?watch=true&timeoutSeconds=1`)).status, 200);
  assert.equal((await ask(alice, "DELETE", pods)).status, 403);
  assert.equal((await ask(alice, "GET", "/api/v1/namespaces/kube-system/pods")).status, 403);
  assert.equal(
    (await ask(alice, "GET", "/api/v1/namespaces/default/secrets")).status,
    403,
    "view has no secrets",
  );
});

test("a role of names: reading one by its name, listing it by its name", async () => {
  await make(`${rbac}/namespaces/default/roles`, {
    metadata: { name: "one-map" },
    rules: [
      {
        apiGroups: [""],
        resources: ["configmaps"],
        verbs: ["get", "list", "watch"],
        resourceNames: ["mine"],
      },
    ],
  });
  await make(`${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: "one-map" },
    roleRef: { kind: "Role", name: "one-map", apiGroup: "rbac.authorization.k8s.io" },
    subjects: [{ kind: "User", name: "bob", apiGroup: "rbac.authorization.k8s.io" }],
  });
  const maps = "/api/v1/namespaces/default/configmaps";
  await make(maps, { metadata: { name: "mine" } });
  const bob = as("bob");
  await eventually(async () => (await ask(bob, "GET", `${maps}/mine`)).status === 200);
  assert.equal((await ask(bob, "GET", `${maps}/kube-root-ca.crt`)).status, 403);
  assert.equal((await ask(bob, "GET", maps)).status, 403);
  assert.equal((await ask(bob, "GET", `${maps}?fieldSelector=metadata.name%3Dmine`)).status, 200);
  assert.equal((await ask(bob, "GET", `${maps}?fieldSelector=metadata.name%3Dother`)).status, 403);
});

test("a binding to a role that is not there says so", async () => {
  await make(`${rbac}/clusterrolebindings`, {
    metadata: { name: "dangling" },
    roleRef: { kind: "ClusterRole", name: "ghost", apiGroup: "rbac.authorization.k8s.io" },
    subjects: [{ kind: "User", name: "carol", apiGroup: "rbac.authorization.k8s.io" }],
  });
  const message =
    'nodes is forbidden: User "carol" cannot list resource "nodes" in API group "" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "ghost" not found';
  await eventually(async () => (await ask(as("carol"), "GET", "/api/v1/nodes")).json.message === message);
});

test("a service account's token lives as long as what it is bound to", async () => {
  await make(pods, idlePod("token-pod"));
  const account = "/api/v1/namespaces/default/serviceaccounts";
  const request = (spec: object) => make(`${account}/default/token`, { spec });
  const bound = (await request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "token-pod" } }))
    .json;
  const caller = withToken(bound.status.token);
  await isForbidden(
    await ask(caller, "GET", pods),
    'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  assert.equal((await ask(caller, "GET", "/api")).status, 200);
  await ask(direct, "DELETE", `${pods}/token-pod`);
  assert.equal((await ask(caller, "GET", "/api")).status, 401);
  await make(pods, idlePod("token-pod"));
  assert.equal((await ask(caller, "GET", "/api")).status, 401, "another pod of that name is another pod");

  await make(account, { metadata: { name: "robot" } });
  const robot = (await make(`${account}/robot/token`, { spec: {} })).json;
  assert.equal((await ask(withToken(robot.status.token), "GET", "/api")).status, 200);
  await ask(direct, "DELETE", `${account}/robot`);
  assert.equal((await ask(withToken(robot.status.token), "GET", "/api")).status, 401);

  const elsewhere = (await request({ audiences: ["vault"] })).json;
  assert.equal((await ask(withToken(elsewhere.status.token), "GET", "/api")).status, 401);
  const [head, claims] = elsewhere.status.token.split(".");
  assert.equal((await ask(withToken(`${head}.${claims}.AAAA`), "GET", "/api")).status, 401);
});

test("a node sees its own, and what its pods need", async () => {
  const node = as("system:node:n1", "system:nodes");
  for (const name of ["n1", "n2"]) await make("/api/v1/nodes", { metadata: { name } });
  for (const name of ["used", "unused"])
    await make("/api/v1/namespaces/default/secrets", { metadata: { name } });
  const volume = { volumes: [{ name: "s", secret: { secretName: "used" } }] };
  await make(pods, idlePod("here", { nodeName: "n1", ...volume }));
  await make(pods, idlePod("there", { nodeName: "n2" }));
  const secrets = "/api/v1/namespaces/default/secrets";
  await eventually(async () => (await ask(node, "GET", `${secrets}/used`)).status === 200);
  const who = 'User "system:node:n1" cannot';
  const inDefault = 'in API group "" in the namespace "default"';
  const none = "no relationship found between node 'n1' and this object";
  const refusals: [string, string, string][] = [
    [
      "GET",
      `${secrets}/unused`,
      `secrets "unused" is forbidden: ${who} get resource "secrets" ${inDefault}: ${none}`,
    ],
    [
      "GET",
      secrets,
      `secrets is forbidden: ${who} list resource "secrets" ${inDefault}: No Object name found`,
    ],
    [
      "DELETE",
      `${secrets}/used`,
      `secrets "used" is forbidden: ${who} delete resource "secrets" ${inDefault}: can only read resources of this type`,
    ],
    [
      "GET",
      pods,
      `pods is forbidden: ${who} list resource "pods" ${inDefault}: can only list/watch pods with spec.nodeName field selector`,
    ],
    [
      "GET",
      `${pods}?fieldSelector=spec.nodeName%3Dn2`,
      `pods is forbidden: ${who} list resource "pods" ${inDefault}: can only list/watch pods with spec.nodeName field selector`,
    ],
    ["GET", `${pods}/there`, `pods "there" is forbidden: ${who} get resource "pods" ${inDefault}: ${none}`],
    [
      "GET",
      "/api/v1/nodes",
      `nodes is forbidden: ${who} list resource "nodes" in API group "" at the cluster scope: node 'n1' cannot read all nodes, only its own Node object`,
    ],
    [
      "GET",
      "/api/v1/nodes/n2",
      `nodes "n2" is forbidden: ${who} get resource "nodes" in API group "" at the cluster scope: node 'n1' cannot read 'n2', only its own Node object`,
    ],
    [
      "GET",
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2",
      `leases.coordination.k8s.io "n2" is forbidden: ${who} get resource "leases" in API group "coordination.k8s.io" in the namespace "kube-node-lease": can only access node lease with the same name as the requesting node`,
    ],
  ];
  for (const [method, path, message] of refusals) await isForbidden(await ask(node, method, path), message);
  const allowed = [
    "/api/v1/nodes/n1",
    "/api/v1/nodes?fieldSelector=metadata.name%3Dn1",
    "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1",
    `${pods}/here`,
    "/api/v1/services",
  ];
  for (const path of allowed) assert.equal((await ask(node, "GET", path)).status, 200, path);
  assert.equal((await ask(node, "GET", `${pods}/gone`)).status, 404);
});

test("a node changes its own, and nobody else's", async () => {
  const node = as("system:node:n1", "system:nodes");
  const headers = { "content-type": "application/strategic-merge-patch+json" };
  const patch = (url: string, body: object) => ask(node, "PATCH", url, { body, headers });
  assert.equal((await patch("/api/v1/nodes/n1/status", { status: {} })).status, 200);
  await isForbidden(
    await patch("/api/v1/nodes/n2", { metadata: { labels: { a: "b" } } }),
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  );
  await isForbidden(
    await patch("/api/v1/nodes/n1", { metadata: { labels: { "node-restriction.kubernetes.io/x": "y" } } }),
    'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/x',
  );
  assert.equal((await patch(`${pods}/here/status`, { status: { phase: "Running" } })).status, 200);
  await isForbidden(
    await patch(`${pods}/there/status`, { status: { phase: "Running" } }),
    'pods "there" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
  );
  assert.equal((await patch(`${pods}/gone/status`, { status: {} })).status, 404);
  await isForbidden(
    await ask(node, "DELETE", `${pods}/there`),
    'pods "there" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
  );
  await isForbidden(
    await ask(node, "POST", pods, { body: idlePod("new", { nodeName: "n1" }) }),
    'pods "new" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  );
  const token = (reference: object) =>
    ask(node, "POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {
      body: { spec: { boundObjectRef: { kind: "Pod", apiVersion: "v1", ...reference } } },
    });
  const uid = (await ask(direct, "GET", `${pods}/here`)).json.metadata.uid as string;
  assert.equal((await token({ name: "here", uid })).status, 201);
  await isForbidden(
    await token({ name: "there", uid: "x" }),
    'serviceaccounts "default" is forbidden: node requested token bound to a pod scheduled on a different node',
  );
  await isForbidden(
    await ask(node, "POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {
      body: { spec: {} },
    }),
    'serviceaccounts "default" is forbidden: node requested token not bound to a pod',
  );
});
