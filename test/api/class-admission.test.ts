// What admission does with the objects of other kinds: default classes, runtime classes, signers of certificates.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import {
  certificateSample,
  mastersRequestSample,
  requestSample,
} from "#resources/certificates/pem-samples.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, type Api } from "./api-under-test.ts";

let api: Api;
let admin: Transport;
let alice: Transport;
before(async () => {
  api = await startApi();
  admin = api.transport("direct");
  alice = api.as({ token: "alice-token" });
});
after(() => api.stop());

async function expect(status: number, method: string, url: string, body?: unknown, transport = admin) {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const answer = await ask(transport, method, url, {
    ...(body === undefined ? {} : { body, headers: { "content-type": type } }),
  });
  assert.equal(answer.status, status, `${method} ${url}: ${answer.text}`);
  return answer.json;
}

const networking = "/apis/networking.k8s.io/v1";
const pods = "/api/v1/namespaces/default/pods";
const pod = (name: string, spec: object) => ({
  metadata: { name },
  spec: { containers: [{ name: "c", image: "i" }], schedulerName: "none", ...spec },
});

test("an Ingress gets the class that is the default, unless it names one", async () => {
  const collection = `${networking}/namespaces/default/ingresses`;
  const ingress = (name: string, spec = {}) => ({
    metadata: { name },
    spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } }, ...spec },
  });
  const before = await expect(201, "POST", collection, ingress("before"));
  assert.equal(before.spec.ingressClassName, undefined);
  await expect(201, "POST", `${networking}/ingressclasses`, {
    metadata: { name: "usual", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
    spec: { controller: "a.b/c" },
  });
  const after = await expect(201, "POST", collection, ingress("after"));
  assert.equal(after.spec.ingressClassName, "usual");
  const named = await expect(201, "POST", collection, ingress("named", { ingressClassName: "other" }));
  assert.equal(named.spec.ingressClassName, "other");
});

test("a claim gets the storage class that is the default", async () => {
  const claim = (name: string, spec = {}) => ({
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });
  const collection = "/api/v1/namespaces/default/persistentvolumeclaims";
  await expect(201, "POST", "/apis/storage.k8s.io/v1/storageclasses", {
    metadata: { name: "usual", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "a.b/c",
  });
  assert.equal((await expect(201, "POST", collection, claim("a"))).spec.storageClassName, "usual");
  const none = await expect(201, "POST", collection, claim("b", { storageClassName: "" }));
  assert.equal(none.spec.storageClassName, "");
});

test("a pod of a runtime class gets its overhead and its nodes", async () => {
  await expect(201, "POST", "/apis/node.k8s.io/v1/runtimeclasses", {
    metadata: { name: "heavy" },
    handler: "kata",
    overhead: { podFixed: { cpu: "10m" } },
    scheduling: { nodeSelector: { kata: "yes" }, tolerations: [{ key: "kata", operator: "Exists" }] },
  });
  const { spec } = await expect(201, "POST", pods, pod("a", { runtimeClassName: "heavy" }));
  assert.deepEqual(spec.overhead, { cpu: "10m" });
  assert.deepEqual(spec.nodeSelector, { kata: "yes" });
  assert.ok(spec.tolerations.some(({ key }: any) => key === "kata"));
  const other = pod("b", { runtimeClassName: "heavy", nodeSelector: { kata: "no" } });
  assert.match((await expect(403, "POST", pods, other)).message, /pod rejected: conflict: runtimeClass/);
  const absent = await expect(403, "POST", pods, pod("c", { runtimeClassName: "light" }));
  assert.equal(absent.message, 'pods "c" is forbidden: pod rejected: RuntimeClass "light" not found');
});

test("certificates are approved and signed by whoever may do so for their signer", async () => {
  const collection = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const request = (signerName: string, bytes = requestSample) => ({
    metadata: { name: signerName.split("/")[1] ?? "" },
    spec: { request: bytes, signerName, usages: ["client auth"] },
  });
  const role = (rules: object[]) => ({ metadata: { name: "alice-certificates" }, rules });
  const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  const rule = {
    apiGroups: ["certificates.k8s.io"],
    resources: ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
    verbs: ["patch"],
  };
  await expect(201, "POST", roles, role([rule]));
  await expect(201, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    metadata: { name: "alice-certificates" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "alice-certificates" },
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "alice" }],
  });
  await expect(201, "POST", collection, request("example.com/mine"));
  const url = `${collection}/mine`;
  const approval = { status: { conditions: [{ type: "Approved", status: "True" }] } };
  const certificate = { status: { certificate: certificateSample } };
  const told = 'user not permitted to approve requests with signerName "example.com/mine"';
  await eventually(async () => {
    const { json } = await ask(alice, "PATCH", `${url}/approval`, {
      body: approval,
      headers: { "content-type": "application/merge-patch+json" },
    });
    return String(json.message).endsWith(told);
  });
  const sign = await expect(403, "PATCH", `${url}/status`, certificate, alice);
  assert.match(sign.message, /user not permitted to sign requests with signerName "example\.com\/mine"$/);
  const signers = { apiGroups: ["certificates.k8s.io"], resources: ["signers"], verbs: ["approve", "sign"] };
  await expect(
    200,
    "PUT",
    `${roles}/alice-certificates`,
    role([rule, { ...signers, resourceNames: ["example.com/*"] }]),
  );
  await eventually(async () => {
    const { status } = await ask(alice, "PATCH", `${url}/approval`, {
      body: approval,
      headers: { "content-type": "application/merge-patch+json" },
    });
    return status === 200;
  });
  await expect(200, "PATCH", `${url}/status`, certificate, alice);
  const masters = await expect(
    403,
    "POST",
    collection,
    request("kubernetes.io/kube-apiserver-client", mastersRequestSample),
  );
  assert.match(masters.message, /signer with system:masters group is not allowed$/);
});
