// Samples of apps, batch, autoscaling, policy and scheduling.

const apps = "/apis/apps/v1/namespaces/default";
const batch = "/apis/batch/v1/namespaces/default";
const metadata = { name: "x" };
const labels = { a: "b" };
const selector = { matchLabels: labels };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
const job = {
  parallelism: 0,
  backoffLimit: 3,
  template: { spec: { ...template.spec, restartPolicy: "Never" } },
};

const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "x" };
/** What both versions of it know. */
const autoscaler = { metadata, spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 5 } };

export const workloads: readonly (readonly [collection: string, object: object])[] = [
  [`${apps}/controllerrevisions`, { metadata, revision: 1, data: { a: "b" } }],
  [`${apps}/daemonsets`, { metadata, spec: { selector, template, updateStrategy: { type: "OnDelete" } } }],
  [`${apps}/deployments`, { metadata, spec: { replicas: 0, selector, template, minReadySeconds: 1 } }],
  [`${apps}/replicasets`, { metadata, spec: { replicas: 0, selector, template } }],
  [`${apps}/statefulsets`, { metadata, spec: { replicas: 0, selector, template, serviceName: "s" } }],
  [`${batch}/cronjobs`, { metadata, spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: job } } }],
  [`${batch}/jobs`, { metadata, spec: job }],
  ...["v1", "v2"].map(
    (version) =>
      [`/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`, autoscaler] as const,
  ),
  [
    "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    { metadata, spec: { selector, maxUnavailable: "50%", unhealthyPodEvictionPolicy: "AlwaysAllow" } },
  ],
  [
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    { metadata, value: 5, preemptionPolicy: "Never", description: "A few." },
  ],
];
