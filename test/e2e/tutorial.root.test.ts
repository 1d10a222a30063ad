// The tutorial, from kube-up to kube-down: its commands in its order with its files, typed with our kubectl and then
// with a real one. Where the article shows output, what is asked here is today's form of it (examples/tutorial/README.md).

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import type { ClusterPlan } from "#cluster/plan.ts";
import { run } from "#host/run.ts";
import {
  clusterUnderTest,
  ourKubectl,
  reasonToSkip,
  repository,
  tutorial,
  until,
} from "./cluster-under-test.ts";
import { leftoversOf } from "./leftovers.ts";
import { podOf, visit, visitApiServer } from "./requests.ts";
import { atTerminal } from "./terminal.ts";

const skip = reasonToSkip() ?? false;
const cluster = clusterUnderTest("e2e-tutorial");
const runningMsMax = 180_000;
const goneMsMax = 90_000;
const visitsMax = 400;
let plan: ClusterPlan;

const recipe = (file: string): string => join(tutorial, file);

/** The lines of a table below its heading, as cells. */
function rows(table: string): string[][] {
  return table
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s{2,}/));
}

type Kubectl = (...args: string[]) => Promise<string>;
const kubectlOf =
  (binary: string): Kubectl =>
  (...args) =>
    cluster.runOk([binary, ...args]);

/** Names of the pods, once there are `count`, each with all containers ready. */
function allRunning(kubectl: Kubectl, count: number): Promise<string[]> {
  return until(`${count} pods Running`, runningMsMax, async (seen) => {
    const table = await kubectl("get", "pods");
    seen(table);
    const pods = rows(table);
    const good = pods.every(([, ready, status]) => ready === "1/1" && status === "Running");
    return pods.length === count && good ? pods.map(([name]) => name ?? "") : undefined;
  });
}

async function noneLeft(kubectl: Kubectl): Promise<void> {
  await until("no pods left", goneMsMax, async (seen) => {
    const table = await kubectl("get", "pods");
    seen(table);
    return table === "" || undefined;
  });
}

/** Visits until each of `pods` has answered; every answer must be a page of one of them. */
async function answeredByAll(url: string, pods: readonly string[], page: RegExp): Promise<void> {
  const answered = new Set<string>();
  await until(`${url} answers`, 30_000, async (seen) => {
    const { status, text } = await visit(url);
    seen(`${status} ${text}`);
    return status === 200 || undefined;
  });
  for (let visits = 0; answered.size < pods.length && visits < visitsMax; visits++) {
    const { status, text } = await visit(url);
    assert.equal(status, 200, text);
    assert.match(text, page);
    answered.add(podOf(text) ?? "");
  }
  assert.deepEqual([...answered].sort(), [...pods].sort());
}

before(async () => {
  if (skip === false) await cluster.run(["cluster/kube-down.sh"]);
});

after(async () => {
  if (skip !== false) return;
  await cluster.run(["examples/tutorial/clean.sh"]);
  await cluster.remove();
});

test("kube-up", { skip }, async () => {
  const first = await cluster.run(["cluster/kube-up.sh"]);
  assert.equal(first.code, 0, first.stdout + first.stderr);
  const expected = [
    /^\.\.\. Starting cluster using provider: local$/m,
    /^\.\.\. calling verify-prereqs$/m,
    /^\.\.\. calling kube-up$/m,
    /^\.\.\. calling validate-cluster$/m,
    /^Found 3 node\(s\)\.$/m,
    /^NAME +STATUS +ROLES +AGE +VERSION$/m,
    /^Validate output:$/m,
    /^NAME +STATUS +MESSAGE +ERROR$/m,
    /^Cluster validation succeeded$/m,
    /^Done, listing cluster services:$/m,
    /Kubernetes control plane.* is running at .*https:\/\//,
  ];
  let position = 0;
  for (const pattern of expected) {
    const rest = first.stdout.slice(position);
    const at = rest.search(pattern);
    assert.notEqual(at, -1, `${String(pattern)} is missing, or out of order, in:\n${first.stdout}`);
    position += at + 1;
  }
  plan = cluster.plan();
  const again = await cluster.run(["cluster/kube-up.sh"]);
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.match(again.stdout, /is up|already/i);
});

test("prepare, twice", { skip }, async () => {
  await cluster.runOk(["examples/tutorial/prepare.sh"]);
  await cluster.runOk(["examples/tutorial/prepare.sh"]);
});

const clients = [
  { client: "our kubectl", binary: (): Promise<string> => Promise.resolve(ourKubectl) },
  { client: "kubectl 1.36", binary: (): Promise<string> => referenceKubectl("1.36") },
];

async function referenceKubectl(version: string): Promise<string> {
  const { code, stdout, stderr } = await run(["scripts/reference-kubectl.sh", version], {
    cwd: repository,
    timeoutMs: 300_000,
  });
  return code === 0 ? (stdout.trim().split("\n").at(-1) ?? "") : Promise.reject(new Error(stderr));
}

for (const { client, binary } of clients) {
  test(`the tutorial, with ${client}`, { skip }, async (t) => {
    const path = await orSkip(t, client, binary());
    if (path === undefined) return;
    const kubectl = kubectlOf(path);
    await t.test("get nodes", async () => {
      const nodes = rows(await kubectl("get", "nodes"));
      assert.equal(nodes.length, 3);
      for (const [, status] of nodes) assert.equal(status, "Ready");
    });
    await t.test("a pod", () => crontab(kubectl, path));
    await t.test("a replication controller and a service", () => website(kubectl, path));
    await t.test("the Rails application", (tt) => rails(kubectl, path, (name, body) => tt.test(name, body)));
  });
}

/** Skips the test where this machine cannot get the program. */
async function orSkip(t: TestContext, client: string, binary: Promise<string>): Promise<string | undefined> {
  try {
    return await binary;
  } catch (error) {
    t.skip(`${client} cannot be had here: ${error instanceof Error ? error.message.trim() : String(error)}`);
    return undefined;
  }
}

// Its own checks know the fields of its time only, and nothing of warnings instead of refusals.
test("a recipe, with kubectl 1.20 and --validate=false", { skip }, async (t) => {
  const path = await orSkip(t, "kubectl 1.20", referenceKubectl("1.20"));
  if (path === undefined) return;
  const kubectl = kubectlOf(path);
  const file = recipe("crontab-pod.yaml");
  assert.equal(await kubectl("create", "--validate=false", "-f", file), "pod/crontab created\n");
  assert.deepEqual(await allRunning(kubectl, 1), ["crontab"]);
  assert.match(await kubectl("exec", "crontab", "--", "echo", "hello"), /^hello$/m);
  await kubectl("delete", "-f", file);
  await noneLeft(kubectl);
});

async function crontab(kubectl: Kubectl, binary: string): Promise<void> {
  const created = await cluster.run([binary, "create", "-f", recipe("crontab-pod.yaml")]);
  assert.equal(created.code, 0, created.stderr);
  assert.equal(created.stdout, "pod/crontab created\n");
  for (const field of ["id", "spec.version", "spec.name"])
    assert.match(created.stderr, new RegExp(`^Warning: .*"${field.replace(".", "\\.")}"`, "m"));
  await allRunning(kubectl, 1);
  await until("a line of the cron job", 90_000, async (seen) => {
    const log = await kubectl("logs", "crontab");
    seen(log);
    return /cron job .* in pod crontab/.test(log) || undefined;
  });
}

async function website(kubectl: Kubectl, binary: string): Promise<void> {
  assert.equal(
    await kubectl("create", "-f", recipe("app-rc.yaml")),
    "replicationcontroller/website created\n",
  );
  const pods = (await allRunning(kubectl, 5)).filter((name) => name.startsWith("website-"));
  assert.equal(pods.length, 4);

  const refused = await cluster.run([binary, "create", "-f", recipe("nginx-service.yaml")]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /The Service "nginx" is invalid/);
  assert.match(refused.stderr, /(externalIPs|publicIPs)\[0\]: Invalid value: "xxx\.xxx\.xxx\.xxx"/);
  assert.doesNotMatch(await kubectl("get", "services"), /nginx/);

  const { address, file, remove } = usableService();
  try {
    const accepted = await cluster.run([binary, "create", "-f", file]);
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.equal(accepted.stdout, "service/nginx created\n");
    assert.match(accepted.stderr, /^Warning: .*publicIPs.*externalIPs/m);
    await answeredByAll(`http://${address}/`, pods, /website:v1/);
    for (const each of [file, recipe("app-rc.yaml"), recipe("crontab-pod.yaml")])
      await kubectl("delete", "-f", each);
  } finally {
    remove();
  }
  await noneLeft(kubectl);
}

/** The recipe's copy with a usable address: as it is on the first cluster of a machine, moved into others' pools. */
function usableService(): { address: string; file: string; remove(): void } {
  const text = readFileSync(recipe("nginx-service-usable.yaml"), "utf8");
  const written = /publicIPs: \["([\d.]+)"\]/.exec(text)?.[1] ?? "";
  const address = written.replace(/^10\.200\.0\./, plan.subnets.nodes.replace(/0\/24$/, ""));
  const folder = mkdtempSync(join(tmpdir(), "leme-recipe-"));
  const file = join(folder, "nginx-service.yaml");
  writeFileSync(file, text.replace(written, address));
  return { address, file, remove: () => rmSync(folder, { recursive: true }) };
}

async function rails(
  kubectl: Kubectl,
  binary: string,
  step: (name: string, body: () => Promise<void>) => Promise<void>,
): Promise<void> {
  assert.equal(
    await kubectl("create", "-f", recipe("app-rc.yml")),
    "replicationcontroller/k8s-rails-demo created\n",
  );
  const pods = await allRunning(kubectl, 4);
  for (const pod of pods) assert.match(pod, /^k8s-rails-demo-[a-z0-9]{5}$/);
  await step("exec -it POD bash", () => shellIn(binary, pods[0] ?? ""));
  await step("config view", async () => {
    const view = await kubectl("config", "view");
    assert.match(view, /^current-context: e2e-tutorial$/m);
    assert.match(view, new RegExp(`^    server: ${plan.apiServer}$`, "m"));
    assert.match(view, /certificate-authority-data: DATA\+OMITTED/);
    assert.match(view, /client-key-data: DATA\+OMITTED/);
  });
  await step("/ui", async () => {
    const { status, text } = await visitApiServer(`${plan.apiServer}/ui`);
    assert.equal(status, 404, text);
    assert.match(text, /dashboard/i);
  });
  await step("a balancer", async () => {
    assert.equal(await kubectl("create", "-f", recipe("app-service.yml")), "service/app created\n");
    const address = await until("an address of the balancer", 30_000, async (seen) => {
      const table = await kubectl("get", "services");
      seen(table);
      const row = rows(table).find(([name]) => name === "app");
      return row !== undefined && /^[\d.]+$/.test(row[3] ?? "") ? row[3] : undefined;
    });
    await answeredByAll(`http://${address}/`, pods, /Introdução ao Kubernetes[\s\S]*Replication Controller/);
  });
  await kubectl("delete", "-f", recipe("app-service.yml"));
  await kubectl("delete", "-f", recipe("app-rc.yml"));
  await noneLeft(kubectl);
}

/** As the article types it; kubectl of today wants `--` before the command, and says so. */
async function shellIn(binary: string, pod: string): Promise<void> {
  const command = ["env", `KUBECONFIG=${cluster.kubeconfig}`, binary, "exec", "-it", pod];
  const verbatim = atTerminal([...command, "bash"]);
  await verbatim.waitFor(/app# |exec \[POD\] -- \[COMMAND\]/);
  const refused = /exec \[POD\] -- \[COMMAND\]/.test(verbatim.shown()) && !/app# /.test(verbatim.shown());
  if (refused) assert.notEqual(await verbatim.ended(), 0);
  const shell = refused ? atTerminal([...command, "--", "bash"]) : verbatim;
  await shell.waitFor(new RegExp(`root@${pod}:/app# `));
  shell.type("echo $((6 * 7)); exit 7\n");
  assert.equal(await shell.ended(), 7, shell.shown());
  assert.match(shell.shown(), /^42\r?$/m);
}

test("kube-down leaves nothing behind", { skip }, async () => {
  await cluster.runOk(["examples/tutorial/clean.sh"]);
  await cluster.runOk(["examples/tutorial/clean.sh"]);
  const output = await cluster.runOk(["cluster/kube-down.sh"]);
  assert.match(output, /^Bringing down cluster using provider: local\n[\s\S]*^Done$/m);
  assert.deepEqual(await leftoversOf(plan, cluster.kubeconfig), []);
  const addresses = await run(["ip", "-o", "address", "show", "to", "10.142.0.3/32"]);
  assert.equal(addresses.stdout, "");
  await cluster.runOk(["cluster/kube-down.sh"]);
});
