// Workloads on three real nodes, driven by a real kubectl 1.36: rollouts of all three kinds, ordered pods, Jobs, CronJobs,
// a drain that waits for its budget, preemption, quotas, and a namespace that goes with all that is in it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { realKubectl } from "../reference-clients.ts";
import { clusterUnderTest, reasonToSkip, until } from "./cluster-under-test.ts";

const real = realKubectl("1.36");
const skip = reasonToSkip() ?? (real === undefined ? "no kubectl 1.36 here" : false);
const cluster = clusterUnderTest("e2e-workloads", 3);
const msMax = 120_000;

const kubectl = (...args: string[]): Promise<string> => cluster.runOk([real ?? "kubectl", ...args]);
const refused = async (...args: string[]): Promise<string> => {
  const { code, stderr } = await cluster.run([real ?? "kubectl", ...args]);
  assert.notEqual(code, 0, `kubectl ${args.join(" ")} succeeded`);
  return stderr;
};
const apply = (manifest: object): Promise<string> =>
  cluster.runOk([real ?? "kubectl", "apply", "-f", "-"], JSON.stringify(manifest));
const field = (path: string, ...args: string[]): Promise<string> =>
  kubectl("get", ...args, "-o", `jsonpath=${path}`);
const rolledOut = (what: string): Promise<string> =>
  kubectl("rollout", "status", what, "--timeout", `${msMax / 1000}s`);
const oneContainer = { name: "c", image: "website:v1", command: ["sleep", "10000"] };

before(async () => {
  if (skip !== false) return;
  await cluster.run(["cluster/kube-down.sh"]);
  await cluster.runOk(["sh", "scripts/setup.sh"]);
  await cluster.runOk(["bin/leme", "up"]);
  await cluster.runOk(["examples/tutorial/prepare.sh"]);
  const nodes = (await field("{.items[*].metadata.name}", "nodes")).split(" ");
  for (const [at, node] of nodes.entries())
    await kubectl("label", "node", node, `topology.kubernetes.io/zone=zone-${at}`);
  await kubectl("apply", "-f", "test/e2e/manifests/workloads.yaml");
});

after(async () => {
  if (skip !== false) return;
  await cluster.run(["examples/tutorial/clean.sh"]);
  await cluster.remove();
});

test(
  "a Deployment: spread over zones, rolled out, undone, paused and resumed, scaled",
  { skip },
  async () => {
    assert.match(await rolledOut("deployment/web"), /deployment "web" successfully rolled out/);
    const nodes = (await field("{.items[*].spec.nodeName}", "pods", "-l", "app=web")).split(" ");
    const counts = [...Map.groupBy(nodes, (node) => node).values()].map(({ length }) => length).sort();
    assert.deepEqual(counts, [1, 1, 2], "four pods over three zones");
    const version = (): Promise<string> =>
      field("{.spec.template.spec.containers[0].env[0].value}", "deployment/web");
    await kubectl("set", "env", "deployment/web", "VERSION=2");
    await rolledOut("deployment/web");
    assert.match(await kubectl("rollout", "history", "deployment/web"), /^1 +<none>\n2 +<none>/m);
    assert.match(await kubectl("rollout", "undo", "deployment/web"), /rolled back/);
    await rolledOut("deployment/web");
    assert.equal(await version(), "1");
    await kubectl("rollout", "pause", "deployment/web");
    await kubectl("set", "env", "deployment/web", "VERSION=3");
    const sets = await field("{.items[*].metadata.name}", "replicasets", "-l", "app=web");
    assert.equal(sets.split(" ").length, 2, "no new ReplicaSet while it is paused");
    await kubectl("rollout", "resume", "deployment/web");
    await rolledOut("deployment/web");
    assert.equal(await version(), "3");
    await kubectl("scale", "deployment/web", "--replicas", "5");
    await rolledOut("deployment/web");
    assert.equal(await field("{.status.availableReplicas}", "deployment/web"), "5");
  },
);

test("a StatefulSet: started in order, updated from the last to the first, undone", { skip }, async () => {
  await rolledOut("statefulset/db");
  const started = async (): Promise<string[]> => {
    const table = await field(
      '{range .items[*]}{.status.startTime} {.metadata.name}{"\\n"}{end}',
      "pods",
      "-l",
      "app=db",
    );
    return table.trim().split("\n").sort();
  };
  const first = await started();
  assert.deepEqual(
    first.map((line) => line.split(" ")[1]),
    ["db-0", "db-1", "db-2"],
  );
  await kubectl("set", "env", "statefulset/db", "VERSION=2");
  assert.match(await rolledOut("statefulset/db"), /roll out complete: 3 new pods have been updated/);
  const deleted = await kubectl("get", "events", "--field-selector", "reason=SuccessfulDelete", "-o", "name");
  assert.ok(deleted.includes("db."), deleted);
  assert.match(await kubectl("rollout", "undo", "statefulset/db"), /rolled back/);
  await rolledOut("statefulset/db");
  assert.equal(await field("{.spec.template.spec.containers[0].env[0].value}", "statefulset/db"), "1");
});

test("a DaemonSet: on each node, updated, undone", { skip }, async () => {
  await rolledOut("daemonset/agent");
  assert.equal(await field("{.status.numberAvailable}", "daemonset/agent"), "3");
  await kubectl("set", "env", "daemonset/agent", "VERSION=2");
  assert.match(await rolledOut("daemonset/agent"), /successfully rolled out/);
  await kubectl("rollout", "undo", "daemonset/agent");
  await rolledOut("daemonset/agent");
  assert.equal(await field("{.spec.template.spec.containers[0].env[0].value}", "daemonset/agent"), "1");
});

test("an indexed Job of which one index fails; a CronJob that fires", { skip }, async () => {
  await kubectl("wait", "--for=condition=Failed", "job/indexed", "--timeout", "120s");
  assert.equal(await field("{.status.completedIndexes} {.status.failedIndexes}", "job/indexed"), "0,1,3 2");
  await until("a Job of the CronJob that is complete", msMax, async (seen) => {
    const jobs = await kubectl("get", "jobs");
    seen(jobs);
    return /^minutely-\d+ +Complete +1\/1/m.test(jobs) ? jobs : undefined;
  });
});

test("a Job whose containers fail at first, and are restarted where they are", { skip }, async () => {
  // Each pod fails once, and remembers it in a volume of its own.
  const command = ["sh", "-c", "test -e /memory/failed || { touch /memory/failed; exit 1; }"];
  const volumeMounts = [{ name: "memory", mountPath: "/memory" }];
  await apply({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "stumbling" },
    spec: {
      completions: 2,
      parallelism: 2,
      template: {
        spec: {
          restartPolicy: "OnFailure",
          volumes: [{ name: "memory", emptyDir: {} }],
          containers: [{ ...oneContainer, command, volumeMounts }],
        },
      },
    },
  });
  await kubectl("wait", "--for=condition=Complete", "job/stumbling", "--timeout", "120s");
  const restarts = "{.items[*].status.containerStatuses[0].restartCount}";
  assert.equal(await field(restarts, "pods", "-l", "job-name=stumbling"), "1 1");
  assert.equal(await field("{.status.succeeded} {.status.failed}", "job/stumbling"), "2 ");
});

test(
  "an autoscaler makes more pods under load, and fewer when it is over; kubectl top shows it",
  { skip },
  async () => {
    // A fifth of a core at most, and only while the file is there.
    const command = ["sh", "-c", "while :; do [ -e /tmp/load ] || sleep 0.2; done"];
    const resources = { requests: { cpu: "100m" }, limits: { cpu: "200m" } };
    const metadata = { name: "busy", labels: { app: "busy" } };
    await apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        selector: { matchLabels: metadata.labels },
        template: {
          metadata: { labels: metadata.labels },
          spec: { terminationGracePeriodSeconds: 0, containers: [{ ...oneContainer, command, resources }] },
        },
      },
    });
    await rolledOut("deployment/busy");
    await kubectl("autoscale", "deployment/busy", "--min=1", "--max=3", "--cpu=50%");
    const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } };
    await kubectl("patch", "hpa", "busy", "-p", JSON.stringify({ spec: { behavior } }));
    const sized = (replicas: string): Promise<string> =>
      until(`deployment/busy with ${replicas}`, msMax, async (seen) => {
        seen(await kubectl("describe", "hpa", "busy"));
        return (await field("{.status.readyReplicas}", "deployment/busy")) === replicas
          ? replicas
          : undefined;
      });
    const [pod = ""] = (await field("{.items[*].metadata.name}", "pods", "-l", "app=busy")).split(" ");
    await kubectl("exec", pod, "--", "touch", "/tmp/load");
    await sized("3");
    assert.match(
      await kubectl("top", "pods", "-l", "app=busy"),
      /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nbusy-/,
    );
    assert.match(
      await kubectl("top", "pod", pod, "--containers"),
      new RegExp(`^${pod} +c +\\d+m +\\d+Mi`, "m"),
    );
    const node = await field("{.spec.nodeName}", "pod", pod);
    assert.match(
      await kubectl("get", "--raw", `/api/v1/nodes/${node}/proxy/metrics/resource`),
      new RegExp(
        `^container_cpu_usage_seconds_total\\{container="c",namespace="default",pod="${pod}"\\} `,
        "m",
      ),
    );
    assert.equal((await kubectl("top", "nodes", "--no-headers")).trim().split("\n").length, 3);
    await kubectl("exec", pod, "--", "rm", "/tmp/load");
    await sized("1");
    assert.match(
      await kubectl("describe", "hpa", "busy"),
      /SuccessfulRescale .*New size: 1; reason: All metrics below target/,
    );
    await kubectl("delete", "hpa/busy", "deployment/busy");
  },
);

test("a drain waits for the budget, and goes on when there is room", { skip }, async () => {
  await rolledOut("deployment/web");
  const [node = ""] = (await field("{.items[*].spec.nodeName}", "pods", "-l", "app=web")).split(" ");
  // Two on one node: one may go at once, the second when the first is back elsewhere.
  const text = await kubectl(
    "drain",
    node,
    "--ignore-daemonsets",
    "--delete-emptydir-data",
    "--force",
    "--timeout",
    "100s",
  );
  assert.match(text, new RegExp(`node/${node} drained`));
  const left = await field("{.items[*].spec.nodeName}", "pods", "-l", "app=web");
  assert.ok(!left.split(" ").includes(node), left);
  await kubectl("uncordon", node);
});

test("a more important pod takes the place of others, which say why they went", { skip }, async () => {
  await apply({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "important" },
    value: 1000,
  });
  const cpus = Number(await field("{.items[0].status.allocatable.cpu}", "nodes"));
  const pod = (name: string, more: object): object => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { test: "preemption" } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ ...oneContainer, resources: { requests: { cpu: `${cpus * 800}m` } } }],
      ...more,
    },
  });
  for (const at of [0, 1, 2]) await apply(pod(`filler-${at}`, {}));
  await kubectl("wait", "--for=condition=Ready", "pod", "-l", "test=preemption", "--timeout", "60s");
  await apply(pod("important", { priorityClassName: "important" }));
  await kubectl("wait", "--for=condition=Ready", "pod/important", "--timeout", "60s");
  const table = await kubectl("get", "pods", "-l", "test=preemption", "--no-headers");
  assert.equal(table.trim().split("\n").length, 3, table);
  const events = await kubectl("get", "events", "--field-selector", "reason=Preempted");
  assert.match(events, /Preempted by pod [0-9a-f-]{36} on node/);
  await kubectl("delete", "pods", "-l", "test=preemption", "--now");
});

test("a quota refuses, and a namespace goes with all that is in it", { skip }, async () => {
  await kubectl("create", "namespace", "small");
  await kubectl("create", "quota", "two", "--hard=pods=2", "-n", "small");
  for (const name of ["a", "b"])
    await kubectl("run", name, "--image=website:v1", "-n", "small", "--", "sleep", "10000");
  assert.match(
    await refused("run", "c", "--image=website:v1", "-n", "small"),
    /pods "c" is forbidden: exceeded quota: two, requested: pods=1, used: pods=2, limited: pods=2/,
  );
  await apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", namespace: "small", finalizers: ["example.com/hold"] },
  });
  await kubectl("delete", "namespace", "small", "--wait=false");
  await until("the namespace says what it waits for", msMax, async (seen) => {
    const conditions = await field("{.status.conditions[*].message}", "namespace/small");
    seen(conditions);
    return conditions.includes("example.com/hold in 1 resource instances") ? conditions : undefined;
  });
  await kubectl(
    "patch",
    "configmap",
    "held",
    "-n",
    "small",
    "--type=json",
    "-p",
    '[{"op":"remove","path":"/metadata/finalizers"}]',
  );
  await kubectl("wait", "--for=delete", "namespace/small", "--timeout", "60s");
});
