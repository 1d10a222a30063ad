// What `kubectl explain` says of types that no installed library describes: by the name of the type, its own text under
// "", those of its fields under their names.

const measured = {
  timestamp: "When the use was measured: the end of the window.",
  window: "The time over which CPU was measured, up to the timestamp.",
};
const typeMeta = {
  apiVersion: "The version of the schema that this object is written in: metrics.k8s.io/v1beta1.",
  kind: "The kind of this object.",
};
const listMeta = "The revision that the list was read at.";

export const ownDescriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "metrics/v1beta1.NodeMetrics": {
    "": "What a node uses: of CPU on average over a window of time, of memory at its end.",
    ...typeMeta,
    metadata: "The name and labels of the node that was measured.",
    ...measured,
    usage: "How much is used, by resource: cpu and memory.",
  },
  "metrics/v1beta1.NodeMetricsList": {
    "": "What several nodes use.",
    ...typeMeta,
    metadata: listMeta,
    items: "What each of them uses.",
  },
  "metrics/v1beta1.PodMetrics": {
    "": "What each container of a pod uses: of CPU on average over a window of time, of memory at its end.",
    ...typeMeta,
    metadata: "The name, namespace and labels of the pod that was measured.",
    ...measured,
    containers: "The containers that run, each with what it uses.",
  },
  "metrics/v1beta1.PodMetricsList": {
    "": "What the containers of several pods use.",
    ...typeMeta,
    metadata: listMeta,
    items: "What each of the pods uses.",
  },
  "metrics/v1beta1.ContainerMetrics": {
    "": "What one container uses.",
    name: "The name of the container in its pod.",
    usage: "How much is used, by resource: cpu and memory.",
  },
};
