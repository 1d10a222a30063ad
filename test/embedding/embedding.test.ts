// The package as a library: the example runs, a real client is answered, and `stop` leaves nothing behind.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import {
  ConfigMaps,
  CronJobs,
  isApiError,
  Jobs,
  Namespaces,
  Pods,
  simulate,
  startCluster,
  type core,
} from "leme";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

async function scratchDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "leme-test-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test("the example runs to its end, and its certificates go with it", async (t) => {
  const temporary = await scratchDir(t);
  const { stdout } = await run(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "examples/embedding/replicas.ts"],
    { cwd: root, env: { ...process.env, TMPDIR: temporary } },
  );
  assert.equal(stdout, "3 pods wait for a node\n");
  assert.deepEqual(await readdir(temporary), []);
});

test("the kubeconfig serves a real client", async (t) => {
  const cluster = await startCluster({ name: "embedded" });
  t.after(() => cluster.stop());
  const config = new KubeConfig();
  config.loadFromString(JSON.stringify(cluster.kubeconfig));
  assert.equal(config.getCurrentContext(), "embedded");
  assert.equal(config.getCurrentCluster()?.server, cluster.url);
  const { items } = await config.makeApiClient(CoreV1Api).listNamespace();
  assert.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    ["default", "kube-node-lease", "kube-public", "kube-system"],
  );
});

test("pods can be created at once", async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster.stop());
  const pod: core.Pod = {
    metadata: { name: "web", namespace: "default" },
    spec: { containers: [{ name: "web", image: "web:v1" }] },
  };
  const { spec } = await cluster.client.create<core.Pod>(Pods, "default", pod);
  assert.equal(spec?.serviceAccountName, "default");
});

test("a client of somebody else may do what authorization allows", async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster.stop());
  const stranger = cluster.clientAs({ name: "stranger" });
  await assert.rejects(stranger.list(Namespaces), (error) => isApiError(error, "Forbidden"));
});

test("with a data directory, objects are there again", async (t) => {
  const dataDir = await scratchDir(t);
  const first = await startCluster({ dataDir });
  await first.client.create<core.ConfigMap>(ConfigMaps, "default", {
    metadata: { name: "kept" },
    data: { a: "1" },
  });
  await first.stop();
  const second = await startCluster({ dataDir });
  t.after(() => second.stop());
  const kept = await second.client.get<core.ConfigMap>(ConfigMaps, "default", "kept");
  assert.deepEqual(kept.data, { a: "1" });
  assert.equal(second.kubeconfig["current-context"], "leme");
});

test("hours of a CronJob, in a moment: time goes on when the test says so", async (t) => {
  const cluster = await startCluster({ virtualTime: true, hollowNodes: 1 });
  t.after(() => cluster.stop());
  const { client } = cluster;
  await client.create(CronJobs, "default", {
    metadata: { name: "hourly" },
    spec: {
      schedule: "0 * * * *",
      successfulJobsHistoryLimit: 100,
      jobTemplate: {
        spec: {
          template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "job:v1" }] } },
        },
      },
    },
  } as object);
  await cluster.advance("3h");
  const { items } = await client.list(Jobs, { namespace: "default" });
  assert.equal(items.length, 3);
  const done = items.filter((job) =>
    (job as { status?: { conditions?: { type: string }[] } }).status?.conditions?.some(
      ({ type }) => type === "Complete",
    ),
  );
  assert.ok(done.length >= 2, `${done.length} of 3 are complete`);
  const real = await startCluster();
  t.after(() => real.stop());
  await assert.rejects(real.advance("1s"), /time is real here/);
});

test("simulated clusters are for everybody", async () => {
  const { violations, simulatedMs } = await simulate({ seed: 3, minutes: 1, faults: ["crashes", "watches"] });
  assert.deepEqual(violations, []);
  assert.ok(simulatedMs >= 60_000);
});
