// HorizontalPodAutoscalers with the real control plane. What measures pods is played by custom resources under the paths
// of the metrics API.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, ResourceRef } from "#client/client.ts";
import {
  CustomResourceDefinitions,
  Events,
  HorizontalPodAutoscalers,
  Pods,
  ReplicationControllers,
} from "#client/refs.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
} from "#machinery/gen/types/autoscaling-v2.ts";
import type { Event, Pod, ReplicationController } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { eventually, startControlPlane } from "./control-plane.ts";

const podMetrics: ResourceRef = {
  group: "metrics.k8s.io",
  version: "v1beta1",
  resource: "pods",
  kind: "PodMetrics",
  namespaced: true,
};
const racks: ResourceRef = {
  group: "example.com",
  version: "v1",
  resource: "racks",
  kind: "Rack",
  namespaced: true,
};

async function withPlane(use: (admin: Client) => Promise<void>): Promise<void> {
  const plane = await startControlPlane({ scheduler: false, autoscalerSyncPeriodMs: 30 });
  try {
    await use(plane.admin);
  } finally {
    await plane.stop();
  }
}

/** Serves a custom kind; the controller that accepts its names is played. */
async function serve(
  admin: Client,
  { group, version, resource, kind }: ResourceRef,
  subresources = {},
): Promise<void> {
  const names = { plural: resource, kind };
  const name = `${resource}.${group}`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await admin.create(CustomResourceDefinitions, "", {
    metadata: { name, annotations: { "api-approved.kubernetes.io": "unapproved, for a test" } },
    spec: {
      group,
      scope: "Namespaced",
      names,
      versions: [{ name: version, served: true, storage: true, schema, subresources }],
    },
  } as KubeObject);
  const conditions = ["NamesAccepted", "Established"].map((type) => ({
    type,
    status: "True",
    reason: "Test",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  }));
  const status = {
    acceptedNames: { ...names, singular: kind.toLowerCase(), listKind: `${kind}List` },
    conditions,
  };
  await admin.patch(CustomResourceDefinitions, "", name, "merge", { status }, "status");
  await eventually(async () => {
    const answer = await admin.raw({
      method: "GET",
      path: `/apis/${group}/${version}/namespaces/default/${resource}`,
    });
    return answer.status === 200;
  });
}

async function createPods(admin: Client, count: number): Promise<void> {
  await admin.create<ReplicationController>(ReplicationControllers, "default", {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: count,
      selector: { app: "web" },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "c", image: "i", resources: { requests: { cpu: "100m" } } }] },
      },
    },
  });
}

/** All pods run, and use so much. */
async function measure(admin: Client, cpu: string): Promise<void> {
  const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
  const long = "2020-01-01T00:00:00Z";
  for (const { metadata, status } of items) {
    const name = metadata?.name ?? "";
    if (status?.phase === "Pending") {
      const conditions = [{ type: "Ready", status: "True", lastTransitionTime: long }];
      const running = { phase: "Running", startTime: long, conditions };
      await admin.patch(Pods, "default", name, "merge", { status: running }, "status");
    }
    const measured = {
      metadata: { name, namespace: "default", labels: { app: "web" } },
      timestamp: long,
      window: "30s",
      containers: [{ name: "c", usage: { cpu } }],
    };
    try {
      await admin.create(podMetrics, "default", measured);
    } catch {
      await admin.patch(podMetrics, "default", name, "merge", { containers: measured.containers });
    }
  }
}

async function autoscale(admin: Client, spec: Partial<HorizontalPodAutoscalerSpec>): Promise<void> {
  await admin.create<HorizontalPodAutoscaler>(HorizontalPodAutoscalers, "default", {
    metadata: { name: "web", namespace: "default" },
    spec: {
      scaleTargetRef: { apiVersion: "v1", kind: "ReplicationController", name: "web" },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
      ...spec,
    },
  });
}

const seen = (
  admin: Client,
  wanted: (now: HorizontalPodAutoscaler) => boolean,
): Promise<HorizontalPodAutoscaler> =>
  eventually(async () => {
    const now = await admin.get<HorizontalPodAutoscaler>(HorizontalPodAutoscalers, "default", "web");
    return wanted(now) && now;
  });
const conditionOf = ({ status }: HorizontalPodAutoscaler, wanted: string): string[] => {
  const found = status?.conditions?.find(({ type }) => type === wanted);
  return [found?.status ?? "", found?.reason ?? "", found?.message ?? ""];
};
const event = (admin: Client, reason: string): Promise<Event> =>
  eventually(async () => {
    const { items } = await admin.list<Event>(Events, { namespace: "default" });
    return items.find((one) => one.reason === reason);
  });
const replicas = async (admin: Client): Promise<number | undefined> =>
  (await admin.get<ReplicationController>(ReplicationControllers, "default", "web")).spec?.replicas;

test("under load replicas are added, without it they are given up", () =>
  withPlane(async (admin) => {
    await serve(admin, podMetrics);
    await createPods(admin, 2);
    await eventually(async () => (await admin.list(Pods, { namespace: "default" })).items.length === 2);
    await measure(admin, "100m");
    const window = { stabilizationWindowSeconds: 0 };
    await autoscale(admin, { behavior: { scaleUp: window, scaleDown: window } });
    await eventually(async () => (await replicas(admin)) === 4);
    const { message, source } = await event(admin, "SuccessfulRescale");
    assert.equal(
      message,
      "New size: 4; reason: cpu resource utilization (percentage of request) above target",
    );
    assert.equal(source?.component, "horizontal-pod-autoscaler");
    const up = await seen(admin, (now) => conditionOf(now, "ScalingActive")[0] === "True");
    assert.deepEqual(conditionOf(up, "ScalingActive"), [
      "True",
      "ValidMetricFound",
      "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
    ]);
    assert.ok(up.status?.lastScaleTime !== undefined);
    await eventually(async () => (await admin.list(Pods, { namespace: "default" })).items.length === 4);
    await measure(admin, "10m");
    await eventually(async () => ((await replicas(admin)) ?? 9) <= 2);
    const down = await seen(admin, ({ status }) => status?.currentReplicas !== 4);
    assert.equal(down.status?.currentMetrics?.[0]?.resource?.current.averageUtilization, 10);
  }));

test("without anybody who measures, the autoscaler says so and leaves the scale alone", () =>
  withPlane(async (admin) => {
    await createPods(admin, 2);
    await autoscale(admin, {});
    const why =
      "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource " +
      "metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
    const now = await seen(admin, (one) => conditionOf(one, "ScalingActive")[0] === "False");
    assert.deepEqual(conditionOf(now, "AbleToScale").slice(0, 2), ["True", "SucceededGetScale"]);
    assert.deepEqual(conditionOf(now, "ScalingActive"), [
      "False",
      "FailedGetResourceMetric",
      `the HPA was unable to compute the replica count: ${why}`,
    ]);
    assert.equal((await event(admin, "FailedGetResourceMetric")).message, why);
    assert.equal(
      (await event(admin, "FailedComputeMetricsReplicas")).message,
      `invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
    );
    assert.equal(await replicas(admin), 2);
  }));

test("bounds hold without metrics, and a target at zero is left there", () =>
  withPlane(async (admin) => {
    await createPods(admin, 5);
    await autoscale(admin, { maxReplicas: 3 });
    await eventually(async () => (await replicas(admin)) === 3);
    assert.equal(
      (await event(admin, "SuccessfulRescale")).message,
      "New size: 3; reason: Current number of replicas above Spec.MaxReplicas",
    );
    await admin.patch(ReplicationControllers, "default", "web", "merge", { spec: { replicas: 0 } });
    const now = await seen(admin, (one) => conditionOf(one, "ScalingActive")[1] === "ScalingDisabled");
    assert.equal(now.status?.desiredReplicas, 0);
    assert.equal(await replicas(admin), 0);
  }));

test("a target that is not there, or whose kind nobody serves", () =>
  withPlane(async (admin) => {
    await autoscale(admin, { scaleTargetRef: { apiVersion: "example.com/v1", kind: "Rack", name: "r" } });
    const now = await seen(admin, (one) => conditionOf(one, "AbleToScale")[0] === "False");
    assert.deepEqual(conditionOf(now, "AbleToScale"), [
      "False",
      "FailedGetScale",
      `the HPA controller was unable to get the target's current scale: no matches for kind "Rack" in group "example.com"`,
    ]);
    await event(admin, "FailedGetScale");
  }));

test("custom resources with a scale are scaled like any other", () =>
  withPlane(async (admin) => {
    const scale = {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    };
    await serve(admin, racks, { status: {}, scale });
    await admin.create(racks, "default", { metadata: { name: "r" }, spec: { replicas: 1 } } as KubeObject);
    await autoscale(admin, {
      scaleTargetRef: { apiVersion: "example.com/v1", kind: "Rack", name: "r" },
      minReplicas: 4,
    });
    await eventually(async () => {
      const rack = await admin.get<KubeObject & { spec?: { replicas?: number } }>(racks, "default", "r");
      return rack.spec?.replicas === 4;
    });
  }));
