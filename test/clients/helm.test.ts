// Helm 4 against this server: a chart with hooks, a CRD and an object of it is installed, upgraded, rolled back, removed.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { realHelm, realKubectl } from "../reference-clients.ts";
import { playWorkloads, startClientCluster, type ClientCluster } from "./client-cluster.ts";

const helm = realHelm() ?? "";
const kubectl = realKubectl("1.36") ?? "";
const skip = (helm === "" || kubectl === "") && "no Helm 4 or no kubectl 1.36 here";

describe("Helm 4", { skip }, () => {
  let plane: ClientCluster;
  let stopPlaying: () => Promise<void>;
  before(async () => {
    plane = await startClientCluster();
    stopPlaying = playWorkloads(plane.cluster.client);
  });
  after(async () => {
    await stopPlaying();
    await plane.stop();
  });

  const run = async (binary: string, line: string): Promise<string> => {
    const { code, stdout, stderr } = await plane.run(binary, line);
    assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
    return stdout;
  };
  const printsOf = (line: string): Promise<string> => run(helm, line);
  const field = (what: string, path: string): Promise<string> =>
    run(kubectl, `get ${what} -o jsonpath={${path}}`);

  test("install waits for its hooks and for what it installs", async () => {
    const out = await printsOf("install porto ./chart --wait --timeout 60s");
    assert.match(out, /STATUS: deployed\nREVISION: 1\n/);
    assert.match(out, /bom dia, porto!/);
    assert.equal(await field("configmap porto-settings", ".data.greeting"), "bom dia");
    assert.equal(await field("boats.harbour.example.com porto", ".spec.crew"), "1");
    const jobs = await run(kubectl, "get jobs -o name");
    assert.equal(jobs, "job.batch/porto-post-install\njob.batch/porto-pre-install\n");
    assert.equal(
      await field("deployment porto-web", ".metadata.labels.app\\.kubernetes\\.io/managed-by"),
      "Helm",
    );
  });

  test("what is there already is not taken over", async () => {
    const { code, stderr } = await plane.run(helm, "install porto ./chart");
    assert.notEqual(code, 0);
    assert.match(stderr, /cannot re-?use a name that is still in use/);
    await run(kubectl, "create configmap vila-settings --from-literal=greeting=mine");
    const refused = await plane.run(helm, "install vila ./chart --skip-crds");
    assert.notEqual(refused.code, 0);
    assert.match(
      refused.stderr,
      /ConfigMap "vila-settings" in namespace "default" exists and cannot be imported/,
    );
    assert.equal(await field("configmap vila-settings", ".data.greeting"), "mine");
  });

  test("upgrade changes what differs, rollback takes it back", async () => {
    await printsOf("upgrade porto ./chart --set greeting=boa-noite,replicas=3 --wait --timeout 60s");
    assert.equal(await field("configmap porto-settings", ".data.greeting"), "boa-noite");
    assert.equal(await field("deployment porto-web", ".spec.replicas"), "3");
    await printsOf("rollback porto 1 --wait --timeout 60s");
    assert.equal(await field("configmap porto-settings", ".data.greeting"), "bom dia");
    assert.equal(await field("deployment porto-web", ".spec.replicas"), "1");
    const history = await printsOf("history porto -o json");
    const rows = JSON.parse(history) as { revision: number; status: string }[];
    assert.deepEqual(
      rows.map(({ revision, status }) => [revision, status]),
      [
        [1, "superseded"],
        [2, "superseded"],
        [3, "deployed"],
      ],
    );
  });

  test("an upgrade that the server refuses fails, and leaves the release as it was", async () => {
    const { code, stderr } = await plane.run(helm, "upgrade porto ./chart --set replicas=-1");
    assert.notEqual(code, 0);
    assert.match(stderr, /spec\.replicas: Invalid value: -1: must be greater than or equal to 0/);
    assert.equal(await field("deployment porto-web", ".spec.replicas"), "1");
    const history = JSON.parse(await printsOf("history porto -o json")) as { status: string }[];
    assert.equal(history.at(-1)?.status, "failed");
    await printsOf("upgrade porto ./chart --wait --timeout 60s");
  });

  test("a dry run on the server changes nothing", async () => {
    const out = await printsOf("upgrade porto ./chart --set greeting=ola --dry-run=server");
    assert.match(out, /greeting: "ola"/);
    assert.equal(await field("configmap porto-settings", ".data.greeting"), "bom dia");
  });

  test("uninstall removes all but the CRD and the hooks", async () => {
    await printsOf("uninstall porto --wait --timeout 60s");
    assert.equal(
      await run(kubectl, "get deployments,services -l app.kubernetes.io/managed-by=Helm -o name"),
      "",
    );
    assert.equal(await run(kubectl, "get boats.harbour.example.com -o name"), "");
    assert.equal(
      await run(kubectl, "get crd boats.harbour.example.com -o name"),
      "customresourcedefinition.apiextensions.k8s.io/boats.harbour.example.com\n",
    );
    assert.equal(await printsOf("list -q"), "");
  });
});
