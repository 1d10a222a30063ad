// Nobody gives away rights that they do not have.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, type Answer, type Api } from "./api-under-test.ts";
import { mergePatch } from "./conformance.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const here = `${rbac}/namespaces/default`;
const apiGroup = "rbac.authorization.k8s.io";
let api: Api;
let root: Transport;
/** Holds `edit` in the namespace, and may write roles and bindings there. */
let ann: Transport;

const rule = (verbs: string[], ...resources: string[]) => ({ apiGroups: [""], resources, verbs });
const role = (name: string, ...rules: object[]) => ({ metadata: { name }, rules });
const binding = (name: string, kind: string, to: string) => ({
  metadata: { name },
  roleRef: { apiGroup, kind, name: to },
  subjects: [{ apiGroup, kind: "User", name: "friend" }],
});
const post = (who: Transport, path: string, body: object): Promise<Answer> =>
  ask(who, "POST", path, { body });
const made = async (path: string, body: object): Promise<void> =>
  assert.equal((await post(root, path, body)).status, 201);

before(async () => {
  api = await startApi();
  root = api.transport("direct");
  ann = api.plane.server.direct({ name: "ann", groups: ["staff", "system:authenticated"] });
  const writes = {
    apiGroups: [apiGroup],
    resources: ["roles", "rolebindings"],
    verbs: ["create", "patch", "update"],
  };
  await made(`${here}/roles`, role("role-writer", writes));
  for (const [name, kind, to] of [
    ["ann-edits", "ClusterRole", "edit"],
    ["ann-writes-roles", "Role", "role-writer"],
  ] as const)
    await made(`${here}/rolebindings`, {
      ...binding(name, kind, to),
      subjects: [{ apiGroup, kind: "User", name: "ann" }],
    });
  await eventually(async () => (await post(ann, `${here}/roles?dryRun=All`, role("probe"))).status === 201);
  await eventually(async () => (await ask(ann, "GET", "/api/v1/namespaces/default/pods")).status === 200);
});
after(() => api.stop());

test("a role of what one has", async () => {
  const answer = await post(
    ann,
    `${here}/roles`,
    role("reader", rule(["get", "list"], "pods", "configmaps")),
  );
  assert.equal(answer.status, 201, answer.text);
});

test("a role of more", async () => {
  const more = role("more", rule(["get"], "pods"), rule(["get", "list"], "nodes"));
  const { status, json } = await post(ann, `${here}/roles`, more);
  assert.equal(status, 403);
  assert.equal(
    json.message,
    'roles.rbac.authorization.k8s.io "more" is forbidden: user "ann" (groups=["staff" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}',
  );
  assert.equal((await post(root, `${here}/roles`, more)).status, 201, "system:masters may");
});

test("changing a role", async () => {
  const url = `${here}/roles/reader`;
  const patch = (body: object) => ask(ann, "PATCH", url, { body, headers: mergePatch });
  assert.equal((await patch({ metadata: { labels: { a: "b" } } })).status, 200);
  assert.equal((await patch({ rules: [rule(["get"], "nodes")] })).status, 403);
  const labelled = await ask(ann, "PATCH", `${here}/roles/more`, {
    body: { metadata: { labels: { a: "b" } } },
    headers: mergePatch,
  });
  assert.equal(labelled.status, 200, "the rules stay as they are");
});

test("binding a role", async () => {
  assert.equal((await post(ann, `${here}/rolebindings`, binding("read", "Role", "reader"))).status, 201);
  assert.equal((await post(ann, `${here}/rolebindings`, binding("view", "ClusterRole", "view"))).status, 201);
  const admin = await post(ann, `${here}/rolebindings`, binding("all", "ClusterRole", "cluster-admin"));
  assert.equal(admin.status, 403);
  assert.match(
    admin.json.message,
    /^rolebindings\.rbac\.authorization\.k8s\.io "all" is forbidden: user "ann" /,
  );
  assert.match(
    admin.json.message,
    /\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}\n\{NonResourceURLs:\["\*"\], Verbs:\["\*"\]\}$/,
  );
  const ghost = await post(ann, `${here}/rolebindings`, binding("ghost", "ClusterRole", "ghost"));
  assert.equal(ghost.json.message, 'clusterroles.rbac.authorization.k8s.io "ghost" not found');
});

test("who may bind or escalate may", async () => {
  const special = [
    { apiGroups: [apiGroup], resources: ["clusterroles"], verbs: ["bind"], resourceNames: ["admin"] },
    { apiGroups: [apiGroup], resources: ["roles"], verbs: ["escalate"] },
  ];
  await made(`${here}/roles`, role("special", ...special));
  await made(`${here}/rolebindings`, {
    ...binding("ann-special", "Role", "special"),
    subjects: [{ apiGroup, kind: "User", name: "ann" }],
  });
  const bound = binding("admins", "ClusterRole", "admin");
  await eventually(async () => (await post(ann, `${here}/rolebindings`, bound)).status === 201);
  assert.equal((await post(ann, `${here}/roles`, role("escalated", rule(["*"], "*")))).status, 201);
  assert.equal(
    (await post(ann, `${here}/rolebindings`, binding("root", "ClusterRole", "cluster-admin"))).status,
    403,
  );
});
