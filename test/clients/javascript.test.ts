// The official JavaScript client against this server: reading, writing, patching, applying, watching, informers, errors,
// workloads, custom resources.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ApiException,
  ApiextensionsV1Api,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  loadYaml,
  makeInformer,
  PatchStrategy,
  RbacAuthorizationV1Api,
  setHeaderOptions,
  Watch,
  type V1ConfigMap,
  type V1CustomResourceDefinition,
} from "@kubernetes/client-node";
import { eventually } from "../control-plane/control-plane.ts";
import { startApi, type Api } from "../api/api-under-test.ts";

const namespace = "default";
let api: Api;
let config: KubeConfig;
let core: CoreV1Api;

const encode = (text: string | undefined): string => Buffer.from(text ?? "").toString("base64");

before(async () => {
  api = await startApi();
  config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "test", server: api.url, caData: encode(api.access.certificateAuthority), skipTLSVerify: false },
    {
      name: "admin",
      certData: encode(api.access.clientCertificate),
      keyData: encode(api.access.clientKey),
    },
  );
  core = config.makeApiClient(CoreV1Api);
});
after(() => api.stop());

test("create, read, list, replace, delete", async () => {
  const made = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: "a", labels: { mine: "1" } }, data: { x: "1" } },
  });
  assert.equal(made.kind, "ConfigMap");
  assert.ok(made.metadata?.creationTimestamp instanceof Date);
  const read = await core.readNamespacedConfigMap({ namespace, name: "a" });
  assert.deepEqual(read, made);
  const replaced = await core.replaceNamespacedConfigMap({
    namespace,
    name: "a",
    body: { ...read, data: { x: "2" } },
  });
  assert.deepEqual(replaced.data, { x: "2" });
  const list = await core.listNamespacedConfigMap({ namespace, labelSelector: "mine=1", limit: 1 });
  assert.deepEqual(
    list.items.map(({ metadata }) => metadata?.name),
    ["a"],
  );
  const status = await core.deleteNamespacedConfigMap({ namespace, name: "a" });
  assert.equal(status.status, "Success");
});

test("what is refused is an exception with the Status", async () => {
  const body = { metadata: { name: "twice" } };
  await core.createNamespacedConfigMap({ namespace, body });
  await assert.rejects(core.createNamespacedConfigMap({ namespace, body }), (error) => {
    assert.ok(error instanceof ApiException);
    assert.equal(error.code, 409);
    assert.equal((JSON.parse(error.body as string) as { reason: string }).reason, "AlreadyExists");
    return true;
  });
  await assert.rejects(
    core.readNamespacedPod({ namespace, name: "ghost" }),
    (error) => error instanceof ApiException && error.code === 404,
  );
});

test("patches of each kind", async () => {
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "p" }, data: { x: "1" } } });
  const name = "p";
  const merged = await core.patchNamespacedConfigMap(
    { namespace, name, body: { data: { y: "2" } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  assert.deepEqual(merged.data, { x: "1", y: "2" });
  const patched = await core.patchNamespacedConfigMap(
    { namespace, name, body: [{ op: "remove", path: "/data/x" }] },
    setHeaderOptions("Content-Type", PatchStrategy.JsonPatch),
  );
  assert.deepEqual(patched.data, { y: "2" });
  const strategic = await core.patchNamespacedConfigMap(
    { namespace, name, body: { metadata: { labels: { l: "1" } } } },
    setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
  );
  assert.deepEqual(strategic.metadata?.labels, { l: "1" });
});

test("a watch", async () => {
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  const controller = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { labelSelector: "watched=1" },
    (type, object: V1ConfigMap) => {
      seen.push(`${type} ${object.metadata?.name}`);
      if (type === "DELETED") done.resolve();
    },
    (error: unknown) => done.reject(error as Error),
  );
  const body = { metadata: { name: "w", labels: { watched: "1" } } };
  await core.createNamespacedConfigMap({ namespace, body });
  await core.deleteNamespacedConfigMap({ namespace, name: "w" });
  await done.promise;
  assert.deepEqual(seen, ["ADDED w", "DELETED w"]);
  controller.abort();
});

test("an informer", async () => {
  const selector = "informed=1";
  const informer = makeInformer<V1ConfigMap>(
    config,
    `/api/v1/namespaces/${namespace}/configmaps`,
    () => core.listNamespacedConfigMap({ namespace, labelSelector: selector }),
    selector,
  );
  const added = Promise.withResolvers<V1ConfigMap>();
  informer.on("add", (object) => added.resolve(object));
  await informer.start();
  await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: "i", labels: { informed: "1" } } },
  });
  assert.equal((await added.promise).metadata?.name, "i");
  await informer.stop();
});

test("any object, found by discovery", async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "from-js" },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  };
  await objects.create(role);
  const read = await config.makeApiClient(RbacAuthorizationV1Api).readClusterRole({ name: "from-js" });
  assert.deepEqual({ ...read.rules?.[0] }, role.rules[0]);
  await objects.delete(role);
});

test("scale, and a pod by its own way", async () => {
  const labels = { app: "js" };
  await core.createNamespacedReplicationController({
    namespace,
    body: {
      metadata: { name: "js" },
      spec: {
        replicas: 0,
        template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
      },
    },
  });
  const scale = await core.readNamespacedReplicationControllerScale({ namespace, name: "js" });
  const next = { ...scale, spec: { replicas: 3 } };
  const scaled = await core.replaceNamespacedReplicationControllerScale({
    namespace,
    name: "js",
    body: next,
  });
  assert.equal(scaled.spec?.replicas, 3);
  assert.equal(scaled.status?.selector, "app=js");
  const deleted = await core.deleteCollectionNamespacedReplicationController({
    namespace,
    labelSelector: "app=js",
  });
  assert.equal(deleted.kind, "ReplicationControllerList");
});

test("server-side apply: ownership, conflict, force", async () => {
  const apply = setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply);
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" }, data: { x: "1" } };
  const request = { namespace, name: "applied", body, fieldManager: "one" };
  const made = await core.patchNamespacedConfigMap(request, apply);
  assert.deepEqual(
    made.metadata?.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [["one", "Apply"]],
  );
  const other = { ...request, body: { ...body, data: { x: "2" } }, fieldManager: "two" };
  await assert.rejects(
    core.patchNamespacedConfigMap(other, apply),
    (error) => error instanceof ApiException && error.code === 409 && /\.data\.x/.test(String(error.body)),
  );
  const forced = await core.patchNamespacedConfigMap({ ...other, force: true }, apply);
  assert.deepEqual(forced.data, { x: "2" });
});

test("a Deployment, its scale and its status", async () => {
  const apps = config.makeApiClient(AppsV1Api);
  const labels = { app: "js-web" };
  const made = await apps.createNamespacedDeployment({
    namespace,
    body: {
      metadata: { name: "js-web" },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
      },
    },
  });
  assert.equal(made.spec?.strategy?.type, "RollingUpdate");
  assert.equal(made.spec?.strategy?.rollingUpdate?.maxSurge, "25%");
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name: "js-web" });
  await apps.replaceNamespacedDeploymentScale({
    namespace,
    name: "js-web",
    body: { ...scale, spec: { replicas: 3 } },
  });
  const status = await apps.patchNamespacedDeploymentStatus(
    { namespace, name: "js-web", body: { status: { replicas: 3 }, spec: { replicas: 7 } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  assert.deepEqual([status.spec?.replicas, status.status?.replicas, status.metadata?.generation], [3, 3, 2]);
});

test("a custom resource: defined, created, listed, watched, patched, refused", async () => {
  const extensions = config.makeApiClient(ApiextensionsV1Api);
  const manifest = readFileSync(join(import.meta.dirname, "manifests/crd.yaml"), "utf8");
  const definition = loadYaml<V1CustomResourceDefinition>(manifest);
  await extensions.createCustomResourceDefinition({ body: definition });
  const established = async (): Promise<boolean> => {
    const { status } = await extensions.readCustomResourceDefinition({ name: "boats.sea.example.com" });
    return (
      status?.conditions?.some(({ type, status: is }) => type === "Established" && is === "True") ?? false
    );
  };
  await eventually(established);
  const custom = config.makeApiClient(CustomObjectsApi);
  const boats = { group: "sea.example.com", version: "v1", namespace, plural: "boats" };
  const boat = {
    apiVersion: "sea.example.com/v1",
    kind: "Boat",
    metadata: { name: "js" },
    spec: { length: 7 },
  };
  const made = (await custom.createNamespacedCustomObject({ ...boats, body: boat })) as {
    spec: { length: number; rig: string; crew: number };
  };
  assert.deepEqual({ ...made.spec }, { length: 7, rig: "sloop", crew: 1 });
  await assert.rejects(
    custom.createNamespacedCustomObject({ ...boats, body: { ...boat, metadata: { name: "x" }, spec: {} } }),
    (error) => error instanceof ApiException && error.code === 422,
  );
  const patched = (await custom.patchNamespacedCustomObject(
    { ...boats, name: "js", body: { spec: { crew: 2 } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  )) as { spec: { crew: number } };
  assert.equal(patched.spec.crew, 2);
  const list = (await custom.listNamespacedCustomObject(boats)) as { items: unknown[] };
  assert.equal(list.items.length, 1);
  await extensions.deleteCustomResourceDefinition({ name: "boats.sea.example.com" });
  await eventually(async () => {
    const gone = await extensions.readCustomResourceDefinition({ name: "boats.sea.example.com" }).then(
      () => false,
      (error: unknown) => error instanceof ApiException && error.code === 404,
    );
    return gone;
  });
});
