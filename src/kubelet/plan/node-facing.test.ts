import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod, Secret } from "#machinery/gen/types/core-v1.ts";
import { parseResolvConf, podDnsConfig } from "./dns-config.ts";
import { hostsFile, podNames } from "./hostname.ts";
import { imageAuths } from "./image-auth.ts";
import { isImageName, pullPolicy, registryOf, withDefaultTag } from "./image-reference.ts";
import { initialProbeState, probeStep } from "./probes.ts";
import { containerResources, podCgroup, qosClass } from "./resources.ts";
import { nonRootProblem } from "./security.ts";
import { volumeFiles, type VolumeSources } from "./volume-files.ts";

const pod = (spec: Partial<NonNullable<Pod["spec"]>>): Pod => ({
  metadata: { name: "p", namespace: "ns", uid: "u" },
  spec: { containers: [{ name: "c" }], ...spec },
});

const host = parseResolvConf(
  "# x\nnameserver 192.0.2.53\nsearch a.example b.example.\noptions timeout:1 rotate\n",
);
const cluster = { servers: ["10.96.0.10"], domain: "cluster.local" };

test("cluster DNS first, then the node's search domains", () => {
  assert.deepEqual(podDnsConfig(pod({}), cluster, host), {
    servers: ["10.96.0.10"],
    searches: ["ns.svc.cluster.local", "svc.cluster.local", "cluster.local", "a.example", "b.example"],
    options: ["ndots:5"],
  });
});

test("host-network pods use the node's DNS unless they ask otherwise", () => {
  assert.deepEqual(podDnsConfig(pod({ hostNetwork: true }), cluster, host), host);
  const asked = podDnsConfig(pod({ hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }), cluster, host);
  assert.deepEqual(asked.servers, ["10.96.0.10"]);
});

test("dnsConfig adds and overrides", () => {
  const spec = {
    dnsPolicy: "None",
    dnsConfig: {
      nameservers: ["1.1.1.1"],
      searches: ["x"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
    },
  };
  assert.deepEqual(podDnsConfig(pod(spec), cluster, host), {
    servers: ["1.1.1.1"],
    searches: ["x"],
    options: ["ndots:2", "edns0"],
  });
  const merged = podDnsConfig(
    pod({ dnsConfig: { options: [{ name: "ndots", value: "1" }] } }),
    cluster,
    host,
  );
  assert.deepEqual(merged.options, ["ndots:1"]);
});

test("hostnames", () => {
  assert.deepEqual(podNames(pod({}), "d"), { hostname: "p", domain: "" });
  assert.deepEqual(podNames(pod({ hostname: "h", subdomain: "s" }), "d"), {
    hostname: "h",
    domain: "s.ns.svc.d",
  });
  const fqdn = podNames(pod({ subdomain: "s", setHostnameAsFQDN: true }), "d");
  assert.equal(fqdn.hostname, "p.s.ns.svc.d");
  const long = podNames({ ...pod({}), metadata: { name: `${"a".repeat(62)}.b`, namespace: "ns" } }, "d");
  assert.equal(long.hostname, "a".repeat(62));
});

test("/etc/hosts", () => {
  const spec = pod({
    hostname: "h",
    subdomain: "s",
    hostAliases: [{ ip: "1.2.3.4", hostnames: ["x", "y"] }],
  });
  const lines = hostsFile(spec, ["10.0.0.2"], podNames(spec, "d"), "").split("\n");
  assert.equal(lines[0], "# Kubernetes-managed hosts file.");
  assert.deepEqual(lines.slice(-5), [
    "10.0.0.2\th.s.ns.svc.d\th",
    "",
    "# Entries added by HostAliases.",
    "1.2.3.4\tx\ty",
    "",
  ]);
});

test("image names", () => {
  assert.equal(withDefaultTag("busybox"), "busybox:latest");
  assert.equal(withDefaultTag("127.0.0.1:5000/x"), "127.0.0.1:5000/x:latest");
  assert.equal(withDefaultTag(`x@sha256:${"0".repeat(64)}`), `x@sha256:${"0".repeat(64)}`);
  assert.deepEqual(["busybox", "library/x", "quay.io/x", "localhost/x", "h:5000/x"].map(registryOf), [
    "docker.io",
    "docker.io",
    "quay.io",
    "localhost",
    "h:5000",
  ]);
  assert.equal(pullPolicy("x", undefined), "Always");
  assert.equal(pullPolicy("x:1", undefined), "IfNotPresent");
  assert.deepEqual(["x:1", "UPPER", "a b", "h:5000/x/y:t", "", "http://x"].map(isImageName), [
    true,
    false,
    false,
    true,
    false,
    false,
  ]);
});

test("credentials of the image's registry, the closest first", () => {
  const secret = (auths: object): Secret => ({
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
  });
  const auth = Buffer.from("u:p").toString("base64");
  const found = imageAuths("quay.io/org/app:1", [
    secret({
      "quay.io": { username: "wide", password: "x" },
      "https://quay.io/org": { auth },
      "other.io": { auth },
    }),
    secret({ "*.io": { username: "pattern", password: "y" } }),
    { data: { ".dockerconfigjson": "bm90IGpzb24=" } },
  ]);
  assert.deepEqual(found, [
    { username: "u", password: "p" },
    { username: "wide", password: "x" },
    { username: "pattern", password: "y" },
  ]);
  assert.equal(imageAuths("busybox", [secret({ "https://index.docker.io/v1/": { auth } })]).length, 1);
});

const resources = (
  requests: Record<string, string> | undefined,
  limits?: Record<string, string>,
): Container => ({
  name: "c",
  resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
});

test("quality of service", () => {
  const rows: [Container, string][] = [
    [{ name: "c" }, "BestEffort"],
    [resources({ cpu: "1" }), "Burstable"],
    [resources(undefined, { cpu: "1", memory: "1Gi" }), "Guaranteed"],
    [resources({ cpu: "1", memory: "1Gi" }, { cpu: "1000m", memory: "1024Mi" }), "Guaranteed"],
    [resources({ cpu: "500m" }, { cpu: "1", memory: "1Gi" }), "Burstable"],
    [resources(undefined, { cpu: "1" }), "Burstable"],
  ];
  for (const [container, expected] of rows)
    assert.equal(qosClass(pod({ containers: [container] })), expected);
  assert.equal(podCgroup("kubepods-n1", pod({})), "/kubepods-n1/besteffort/podu");
});

test("limits in the runtime's terms", () => {
  const container = resources({ cpu: "250m", memory: "64Mi" }, { cpu: "1500m", memory: "128Mi" });
  assert.deepEqual(containerResources(pod({ containers: [container] }), container, 2 ** 30), {
    cpuShares: 256,
    cpuPeriod: 100_000,
    cpuQuota: 150_000,
    memoryLimitInBytes: 128 * 2 ** 20,
    oomScoreAdj: 937,
  });
  assert.deepEqual(containerResources(pod({}), { name: "c" }, 2 ** 30), { cpuShares: 2, oomScoreAdj: 1000 });
});

test("runAsNonRoot", () => {
  const check = (context: object, image: { uid: number | undefined; username: string }): boolean =>
    nonRootProblem(
      pod({ securityContext: { runAsNonRoot: true } }),
      { name: "c", securityContext: context },
      image,
    ) === undefined;
  assert.equal(check({}, { uid: 0, username: "" }), false);
  assert.equal(check({}, { uid: 5, username: "" }), true);
  assert.equal(check({}, { uid: undefined, username: "www" }), false);
  assert.equal(check({ runAsUser: 7 }, { uid: 0, username: "" }), true);
  assert.equal(check({ runAsUser: 0 }, { uid: 5, username: "" }), false);
  assert.equal(check({ runAsNonRoot: false }, { uid: 0, username: "" }), true);
});

test("probe thresholds", () => {
  const probe = { failureThreshold: 2, successThreshold: 2 };
  let state = initialProbeState("readiness");
  const results: boolean[] = [];
  for (const ok of [true, true, false, true, false, false, true, true]) {
    state = probeStep(state, ok, probe);
    results.push(state.result);
  }
  assert.deepEqual(results, [false, true, true, true, true, false, false, true]);
  assert.equal(initialProbeState("liveness").result, true);
});

const sources: VolumeSources = {
  configMap: (name) => (name === "cm" ? { data: { a: "1", b: "2" }, binaryData: { z: "AAE=" } } : undefined),
  secret: (name) => (name === "s" ? { data: { k: "dg==" } } : undefined),
  token: (audience, seconds) => `${audience ?? "default"}/${seconds}`,
};
const facts = { nodeName: "n", hostIps: [], podIps: [], allocatable: {} };

test("files of a projected volume", () => {
  const result = volumeFiles(
    pod({}),
    {
      name: "v",
      projected: {
        defaultMode: 0o400,
        sources: [
          { configMap: { name: "cm", items: [{ key: "a", path: "x/a", mode: 0o600 }] } },
          { secret: { name: "s" } },
          { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
          { downwardAPI: { items: [{ path: "ns", fieldRef: { fieldPath: "metadata.namespace" } }] } },
          { configMap: { name: "absent", optional: true } },
        ],
      },
    },
    sources,
    facts,
  );
  assert("files" in result);
  assert.deepEqual(
    [...result.files].map(([path, { data, mode }]) => [path, data.toString(), mode]),
    [
      ["x/a", "1", 0o600],
      ["k", "v", 0o400],
      ["token", "default/3607", 0o400],
      ["ns", "ns", 0o400],
    ],
  );
});

test("what is missing is a problem", () => {
  const problem = (volume: object): string => {
    const result = volumeFiles(pod({}), { name: "v", ...volume }, sources, facts);
    return "problem" in result ? result.problem : "";
  };
  assert.equal(problem({ configMap: { name: "no" } }), 'configmap "no" not found');
  assert.equal(problem({ secret: { secretName: "no" } }), 'secret "no" not found');
  assert.equal(
    problem({ configMap: { name: "cm", items: [{ key: "q", path: "q" }] } }),
    "references non-existent config key: q",
  );
  assert.equal(problem({ configMap: { name: "no", optional: true } }), "");
});
