// What a pod's fields do on a real node: environment, volumes, init containers, probes, restart policies, limits,
// security contexts, graceful ends, name resolution. One node, all pods at once (manifests/pods.yaml).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Client } from "#client/client.ts";
import { Events, Pods } from "#client/refs.ts";
import type { ContainerStatus, Event, Pod } from "#machinery/gen/types/core-v1.ts";
import { clusterUnderTest, ourKubectl, reasonToSkip, until } from "./cluster-under-test.ts";
import { connect } from "./observed-pods.ts";

const skip = reasonToSkip() ?? false;
const cluster = clusterUnderTest("e2e-pods", 1);
const msMax = 120_000;
let client: Client;

const kubectl = (...args: string[]): Promise<string> => cluster.runOk([ourKubectl, ...args]);

before(async () => {
  if (skip !== false) return;
  await cluster.run(["cluster/kube-down.sh"]);
  await cluster.runOk(["sh", "scripts/setup.sh"]);
  await cluster.runOk(["bin/leme", "up"]);
  await cluster.runOk(["examples/tutorial/prepare.sh"]);
  client = await connect(cluster.kubeconfig);
  await kubectl("create", "-f", "test/e2e/manifests/pods.yaml");
});

after(async () => {
  if (skip !== false) return;
  await client?.transport.close();
  await cluster.run(["examples/tutorial/clean.sh"]);
  await cluster.remove();
});

/** The pod, once `check` holds for it. */
function podOnce(name: string, what: string, check: (pod: Pod) => boolean): Promise<Pod> {
  return until(`${name}: ${what}`, msMax, async (seen) => {
    const pod = await client.get<Pod>(Pods, "default", name);
    seen(JSON.stringify(pod.status, null, 1));
    return check(pod) ? pod : undefined;
  });
}

const inPhase =
  (phase: string) =>
  (pod: Pod): boolean =>
    pod.status?.phase === phase;

const statusOf = (pod: Pod, container = "c"): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === container);

/** What a pod that ends has printed. */
async function printed(name: string): Promise<string> {
  await podOnce(name, "Succeeded", inPhase("Succeeded"));
  return kubectl("logs", name);
}

test("environment: literals, references, expansion", { skip }, async () => {
  const pod = await podOnce("env", "Succeeded", inPhase("Succeeded"));
  const text = await kubectl("logs", "env");
  for (const expected of [
    "NAME=env COLOR=blue PW=s3cret EXPANDED=blue-env",
    "CPU=250 MEM=32 size=10",
    `ip=${pod.status?.podIP} node=${pod.spec?.nodeName} note=hello missing=[]`,
  ])
    assert.ok(text.includes(expected), `${expected} is not in: ${text}`);
});

test("volumes, in the order of init containers, with modes and groups", { skip }, async () => {
  await podOnce("volumes", "Running", inPhase("Running"));
  const text = await until("all of its output", msMax, async (seen) => {
    const log = await kubectl("logs", "volumes", "-c", "c");
    seen(log);
    return log.includes("/shared\n") ? log : undefined;
  });
  assert.ok(text.startsWith("1\n2\na=1\nblue"), text);
  assert.match(text, /^-r--r----- 1 0 2000 6 .* password$/m);
  assert.match(text, /^10app="volumes"$/m);
  assert.match(text, /^ca\.crt\nnamespace\ntoken$/m);
  assert.match(text, /groups=0\(root\),2000$/m);
  assert.match(text, /^tmpfs +1024 .* \/mem$/m);
  assert.match(text, /^drwxrwsrwx 2 0 2000 .* \/shared$/m);
});

test("probes decide readiness, and restart what does not live", { skip }, async () => {
  const before = await podOnce(
    "probes",
    "only http is ready",
    (pod) => statusOf(pod, "http")?.ready === true,
  );
  assert.equal(statusOf(before, "ready")?.ready, false);
  await kubectl("exec", "probes", "-c", "ready", "--", "touch", "/tmp/ready");
  await podOnce("probes", "ready is", (pod) => statusOf(pod, "ready")?.ready === true);
  await podOnce("probes", "live was restarted", (pod) => (statusOf(pod, "live")?.restartCount ?? 0) >= 1);
  await eventOf("probes", "Unhealthy", /^Liveness probe failed: cat: \/tmp\/ok: No such file/);
  await eventOf("probes", "Killing", /^Container live failed liveness probe, will be restarted$/);
});

/** An event about the pod, once there is one of this reason with such a message. */
function eventOf(pod: string, reason: string, message: RegExp): Promise<Event> {
  return until(`an event ${reason} of ${pod}`, msMax, async (seen) => {
    const fieldSelector = `involvedObject.name=${pod},reason=${reason}`;
    const { items } = await client.list<Event>(Events, { namespace: "default", fieldSelector });
    seen(items.map((event) => event.message ?? "").join("\n"));
    return items.find((event) => message.test(event.message ?? ""));
  });
}

test("how containers end, and what is done about it", { skip }, async () => {
  await podOnce("completed", "Succeeded", inPhase("Succeeded"));
  const crash = await podOnce(
    "crash",
    "CrashLoopBackOff",
    (pod) =>
      statusOf(pod)?.state?.waiting?.reason === "CrashLoopBackOff" && (statusOf(pod)?.restartCount ?? 0) > 0,
  );
  const last = statusOf(crash)?.lastState?.terminated;
  assert.deepEqual([last?.exitCode, last?.reason, last?.message], [4, "Error", "last words\n"]);
  const initfails = await podOnce("initfails", "Failed", inPhase("Failed"));
  assert.equal(initfails.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 1);
  const oom = await podOnce("oom", "Failed", inPhase("Failed"));
  const killed = statusOf(oom)?.state?.terminated;
  assert.deepEqual([killed?.exitCode, killed?.reason], [137, "OOMKilled"]);
  const deadline = await podOnce("deadline", "Failed", inPhase("Failed"));
  assert.equal(deadline.status?.reason, "DeadlineExceeded");
});

test("what keeps a pod from starting is said, and mended when its cause goes", { skip }, async () => {
  const waiting = (reason: RegExp) => (pod: Pod) => reason.test(statusOf(pod)?.state?.waiting?.reason ?? "");
  await podOnce("badimage", "waits for its image", waiting(/^(ErrImagePull|ImagePullBackOff)$/));
  await eventOf("badimage", "Failed", /^Failed to pull image "nosuchimage:v9": /);
  const nowhere = await podOnce("nowhere", "Unschedulable", (pod) =>
    (pod.status?.conditions ?? []).some(({ reason }) => reason === "Unschedulable"),
  );
  assert.match(
    nowhere.status?.conditions?.find(({ type }) => type === "PodScheduled")?.message ?? "",
    /^0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\./,
  );
  const bad = await podOnce("badconfig", "waits for its ConfigMap", waiting(/^CreateContainerConfigError$/));
  assert.equal(statusOf(bad)?.state?.waiting?.message, 'configmap "later" not found');
  await kubectl("create", "configmap", "later", "--from-literal=a=b");
  await podOnce("badconfig", "Running", inPhase("Running"));
});

test("security contexts", { skip }, async () => {
  const text = await printed("secure");
  assert.match(text, /^uid=1000 gid=3000 groups=3000$/m);
  assert.match(text, /^readonly$/m);
  assert.match(text, /^CapEff:\t0000000000000000$/m);
  assert.match(text, /^NoNewPrivs:\t1$/m);
});

test("names resolve: short, long, and none", { skip }, async () => {
  const text = await printed("dns");
  assert.match(text, /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local$/m);
  assert.match(text, /^\S+ +kubernetes\.default\.svc\.cluster\.local$/m);
  assert.match(text, /^\S+ +kube-dns\.kube-system\.svc\.cluster\.local$/m);
  assert.match(text, /^none$/m);
});

test("a pod that is deleted hears it first, and may finish", { skip }, async () => {
  await podOnce("graceful", "Running", inPhase("Running"));
  assert.equal(await kubectl("exec", "graceful", "--", "cat", "/tmp/post"), "post\n");
  const following = kubectl("logs", "-f", "graceful");
  await until("its first words", msMax, async () =>
    (await kubectl("logs", "graceful")).includes("up") ? true : undefined,
  );
  await kubectl("delete", "pod", "graceful");
  assert.equal(await following, "up\nprestop\ngot TERM\n");
});
