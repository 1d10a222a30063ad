// What the roles view, edit and admin may do with workloads, Jobs, autoscalers and budgets; and with what is the cluster's.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, type Api } from "./api-under-test.ts";

let api: Api;
const roles = ["view", "edit", "admin"] as const;

before(async () => {
  api = await startApi();
  for (const name of roles) {
    const body = {
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }],
    };
    const path = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    const { status, text } = await ask(api.transport("direct"), "POST", path, { body });
    assert.equal(status, 201, text);
  }
  const list = "/apis/apps/v1/namespaces/default/deployments";
  await eventually(async () => (await ask(as("admin"), "GET", list)).status === 200);
});
after(() => api.stop());

const as = (name: string) => api.plane.server.direct({ name, groups: ["system:authenticated"] });

const resources = [
  ...["deployments", "replicasets", "statefulsets", "daemonsets"].map((one) => `apps/v1/${one}`),
  "batch/v1/jobs",
  "batch/v1/cronjobs",
  "autoscaling/v1/horizontalpodautoscalers",
  "autoscaling/v2/horizontalpodautoscalers",
  "policy/v1/poddisruptionbudgets",
].map((path) => path.split("/") as [group: string, version: string, resource: string]);

for (const [group, version, resource] of resources) {
  const collection = `/apis/${group}/${version}/namespaces/default/${resource}`;
  test(`${resource}.${version}.${group}`, async () => {
    for (const role of roles) {
      const may = async (method: string, path: string, body?: object): Promise<boolean> => {
        const options = body === undefined ? {} : { body };
        const { status } = await ask(as(role), method, path, options);
        return status !== 403;
      };
      const writes = role !== "view";
      assert.equal(await may("GET", collection), true, `${role} lists`);
      assert.equal(await may("GET", `${collection}/x/status`), true, `${role} reads the status`);
      assert.equal(await may("POST", collection, { metadata: { name: "" } }), writes, `${role} creates`);
      assert.equal(await may("DELETE", `${collection}/x`), writes, `${role} deletes`);
      assert.equal(await may("PUT", `${collection}/x/status`, {}), false, `${role} writes no status`);
    }
  });
}

test("scales go with what they scale, revisions are read, classes are the cluster's", async () => {
  const may = async (role: string, method: string, path: string): Promise<boolean> =>
    (await ask(as(role), method, path, method === "GET" ? {} : { body: {} })).status !== 403;
  const apps = "/apis/apps/v1/namespaces/default";
  for (const resource of ["deployments", "replicasets", "statefulsets"]) {
    assert.equal(await may("view", "GET", `${apps}/${resource}/x/scale`), true);
    assert.equal(await may("view", "PUT", `${apps}/${resource}/x/scale`), false);
    assert.equal(await may("edit", "PUT", `${apps}/${resource}/x/scale`), true);
  }
  assert.equal(await may("view", "GET", `${apps}/controllerrevisions`), true);
  assert.equal(await may("admin", "POST", `${apps}/controllerrevisions`), false);
  assert.equal(await may("admin", "GET", "/apis/scheduling.k8s.io/v1/priorityclasses"), false);
});
