// What objects count for in quotas, which scopes take them in, and what quotas answer: in tables.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec, ResourceQuota } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { formatAmounts } from "./amounts.ts";
import { askQuotas } from "./check.ts";
import { scopesTake } from "./scopes.ts";
import { quotaUsage, unsaidAmounts } from "./usage.ts";

const nowMs = Date.parse("2026-06-01T12:00:00Z");
const core = (resource: string) => ({ group: "", resource });
const pods = core("pods");

const container = (name: string, requests?: object, limits?: object) => ({
  name,
  image: "i",
  resources: { ...(requests && { requests }), ...(limits && { limits }) },
});
const pod = (spec: object, more: object = {}): Pod => ({
  metadata: { name: "p", namespace: "default" },
  spec: { containers: [container("c")], ...spec } as PodSpec,
  ...more,
});
const claim = (more: object = {}) => ({ spec: { resources: { requests: { storage: "2Gi" } }, ...more } });
const service = (type: string, count: number, more: object = {}) => ({
  spec: { type, ports: Array.from({ length: count }, (_, at) => ({ port: at + 1 })), ...more },
});

const usages: readonly (readonly [name: string, subject: typeof pods, object: object, used: object])[] = [
  ["a pod that asks for nothing", pods, pod({}), { "count/pods": "1", pods: "1" }],
  [
    "a pod's requests and limits",
    pods,
    pod({
      containers: [
        container("a", { cpu: "100m", memory: "1Gi" }, { cpu: "1", memory: "2Gi" }),
        container("b", { cpu: "50m" }),
      ],
    }),
    {
      "count/pods": "1",
      cpu: "150m",
      "limits.cpu": "1",
      "limits.memory": "2Gi",
      memory: "1Gi",
      pods: "1",
      "requests.cpu": "150m",
      "requests.memory": "1Gi",
    },
  ],
  [
    "a hungry init container, huge pages, devices of somebody's domain",
    pods,
    pod({
      initContainers: [container("i", { cpu: "2" })],
      containers: [
        container(
          "a",
          { cpu: "1", "hugepages-2Mi": "4Mi", "example.com/gpu": "2" },
          { "example.com/gpu": "2" },
        ),
      ],
    }),
    {
      "count/pods": "1",
      cpu: "2",
      "hugepages-2Mi": "4Mi",
      pods: "1",
      "requests.cpu": "2",
      "requests.example.com/gpu": "2",
      "requests.hugepages-2Mi": "4Mi",
    },
  ],
  ["a pod that is over", pods, pod({}, { status: { phase: "Failed" } }), { "count/pods": "1" }],
  [
    "a pod whose time to end is over",
    pods,
    pod({}, { metadata: { deletionTimestamp: "2026-06-01T11:59:00Z", deletionGracePeriodSeconds: 30 } }),
    { "count/pods": "1" },
  ],
  [
    "a pod that still ends",
    pods,
    pod({}, { metadata: { deletionTimestamp: "2026-06-01T11:59:50Z", deletionGracePeriodSeconds: 30 } }),
    { "count/pods": "1", pods: "1" },
  ],
  [
    "a Service inside the cluster",
    core("services"),
    service("ClusterIP", 2),
    { "count/services": "1", services: "1", "services.loadbalancers": "0", "services.nodeports": "0" },
  ],
  [
    "a Service on nodes' ports",
    core("services"),
    service("NodePort", 2),
    { "count/services": "1", services: "1", "services.loadbalancers": "0", "services.nodeports": "2" },
  ],
  [
    "a load balancer",
    core("services"),
    service("LoadBalancer", 2),
    { "count/services": "1", services: "1", "services.loadbalancers": "1", "services.nodeports": "2" },
  ],
  [
    "a load balancer without ports of nodes",
    core("services"),
    service("LoadBalancer", 2, { allocateLoadBalancerNodePorts: false }),
    { "count/services": "1", services: "1", "services.loadbalancers": "1", "services.nodeports": "0" },
  ],
  [
    "a claim of a class",
    core("persistentvolumeclaims"),
    claim({ storageClassName: "gold" }),
    {
      "count/persistentvolumeclaims": "1",
      "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
      "gold.storageclass.storage.k8s.io/requests.storage": "2Gi",
      persistentvolumeclaims: "1",
      "requests.storage": "2Gi",
    },
  ],
  [
    "devices: exactly, all there are, and the first of several that is there",
    { group: "resource.k8s.io", resource: "resourceclaims" },
    {
      spec: {
        devices: {
          requests: [
            { name: "a", exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 } },
            { name: "b", exactly: { deviceClassName: "nic", allocationMode: "All" } },
            {
              name: "c",
              firstAvailable: [
                { name: "x", deviceClassName: "gpu", count: 1 },
                { name: "y", deviceClassName: "gpu", count: 3 },
                { name: "z", deviceClassName: "small", count: 4 },
              ],
            },
          ],
        },
      },
    },
    {
      "count/resourceclaims.resource.k8s.io": "1",
      "gpu.deviceclass.resource.k8s.io/devices": "5",
      "nic.deviceclass.resource.k8s.io/devices": "32",
      "small.deviceclass.resource.k8s.io/devices": "4",
    },
  ],
  ["a secret", core("secrets"), {}, { "count/secrets": "1", secrets: "1" }],
  ["anything else", { group: "apps", resource: "deployments" }, {}, { "count/deployments.apps": "1" }],
];
for (const [name, subject, object, used] of usages)
  test(`usage: ${name}`, () => {
    assert.deepEqual(formatAmounts(quotaUsage(subject, object as KubeObject, nowMs)), used);
  });

const affinity = (term: object) => ({
  affinity: {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "k", ...term }] },
  },
});
const priority = (operator: string, ...values: string[]) => ({
  scopeSelector: {
    matchExpressions: [{ scopeName: "PriorityClass", operator, ...(values.length && { values }) }],
  },
});
const asks = { containers: [container("c", { cpu: "1" })] };
const scopes: readonly (readonly [spec: object, pod: object, takes: boolean])[] = [
  [{}, {}, true],
  [{ scopes: ["BestEffort"] }, {}, true],
  [{ scopes: ["BestEffort"] }, asks, false],
  [{ scopes: ["NotBestEffort"] }, asks, true],
  [{ scopes: ["Terminating"] }, {}, false],
  [{ scopes: ["Terminating"] }, { activeDeadlineSeconds: 5 }, true],
  [{ scopes: ["NotTerminating"] }, { activeDeadlineSeconds: 5 }, false],
  [{ scopes: ["Terminating", "BestEffort"] }, { activeDeadlineSeconds: 5, ...asks }, false],
  [{ scopes: ["PriorityClass"] }, { priorityClassName: "high" }, true],
  [{ scopes: ["PriorityClass"] }, {}, false],
  [priority("In", "high", "low"), { priorityClassName: "low" }, true],
  [priority("In", "high"), { priorityClassName: "low" }, false],
  [priority("NotIn", "high"), { priorityClassName: "low" }, true],
  [priority("NotIn", "high"), {}, true],
  [priority("DoesNotExist"), {}, true],
  [priority("DoesNotExist"), { priorityClassName: "low" }, false],
  [{ scopes: ["CrossNamespacePodAffinity"] }, affinity({ namespaces: ["other"] }), true],
  [{ scopes: ["CrossNamespacePodAffinity"] }, affinity({ namespaceSelector: {} }), true],
  [{ scopes: ["CrossNamespacePodAffinity"] }, affinity({}), false],
];
for (const [spec, given, takes] of scopes)
  test(`scopes: ${JSON.stringify(spec)} of ${JSON.stringify(given)}`, () => {
    const quota = { metadata: { name: "q" }, spec } as ResourceQuota;
    assert.equal(scopesTake(quota, pods, pod(given)), takes);
    const isFree = Object.keys(spec).length === 0;
    assert.equal(scopesTake(quota, core("services"), {}), isFree);
  });

test("scopes of claims are by the attributes that they have or are to have", () => {
  const quota = {
    spec: {
      scopeSelector: {
        matchExpressions: [{ scopeName: "VolumeAttributesClass", operator: "In", values: ["fast"] }],
      },
    },
  };
  const of = (object: object): boolean =>
    scopesTake(quota, core("persistentvolumeclaims"), object as KubeObject);
  assert.equal(of(claim()), false);
  assert.equal(of(claim({ volumeAttributesClassName: "fast" })), true);
  assert.equal(of({ ...claim(), status: { currentVolumeAttributesClassName: "fast" } }), true);
  assert.equal(of(claim({ volumeAttributesClassName: "slow" })), false);
});

test("containers that do not say what a quota must know", () => {
  const given = pod({
    containers: [container("b", { cpu: "1" }), container("a")],
    initContainers: [container("i")],
  });
  assert.deepEqual(unsaidAmounts(given, ["limits.memory", "cpu", "pods", "services"]), [
    "cpu for: a,i",
    "limits.memory for: a,b,i",
  ]);
});

const quota = (
  name: string,
  hard: Record<string, string>,
  used: Record<string, string> | undefined,
): ResourceQuota => ({
  metadata: { name, namespace: "default" },
  spec: { hard },
  status: { hard, ...(used === undefined ? {} : { used }) },
});
const ask = (quotas: ResourceQuota[], object: KubeObject, old?: KubeObject, subject = pods) => {
  const { used, refusal } = askQuotas(quotas, new Map(), { subject, object, old }, nowMs);
  return refusal ?? Object.fromEntries([...used].map(([name, amounts]) => [name, formatAmounts(amounts)]));
};

test("every quota that is concerned is charged; one without room refuses for all", () => {
  const wide = quota("wide", { pods: "5", services: "1" }, { pods: "1", services: "0" });
  const narrow = quota("narrow", { "requests.cpu": "1", pods: "2" }, { "requests.cpu": "500m", pods: "2" });
  assert.deepEqual(ask([wide], pod(asks)), { wide: { pods: "2", services: "0" } });
  assert.equal(
    ask([wide, narrow], pod(asks)),
    "exceeded quota: narrow, requested: pods=1,requests.cpu=1, used: pods=2,requests.cpu=500m, limited: pods=2,requests.cpu=1",
  );
  assert.equal(
    ask([quota("new", { pods: "5" }, undefined)], pod({})),
    "status unknown for quota: new, resources: pods",
  );
  assert.deepEqual(ask([quota("other", { secrets: "0" }, { secrets: "0" })], pod({})), {});
});

test("a change is charged with what is more, and gives back what is less", () => {
  const services = core("services");
  const old = service("NodePort", 2) as KubeObject;
  const full = quota(
    "q",
    { "services.nodeports": "2", services: "1" },
    { "services.nodeports": "2", services: "1" },
  );
  assert.deepEqual(ask([full], old, old, services), {});
  assert.deepEqual(ask([full], service("ClusterIP", 2) as KubeObject, old, services), {
    q: { services: "1", "services.nodeports": "0" },
  });
  assert.equal(
    ask([full], service("NodePort", 3) as KubeObject, old, services),
    "exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2",
  );
});
