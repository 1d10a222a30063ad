// The objects that benchmarks work with, and the paths of their collections.

export const pods = "/api/v1/namespaces/default/pods";
export const configMaps = "/api/v1/namespaces/default/configmaps";

/** A pod as small services have them, of about a kilobyte when it is stored. */
export const pod = (name: string, namespace = "default"): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    namespace,
    labels: { app: "bench", tier: "web", shard: name.slice(-2).replace("-", "0") },
  },
  spec: {
    // No scheduler may take it: what is measured is the API server.
    schedulerName: "nobody",
    containers: [
      {
        name: "web",
        image: "website:v1",
        ports: [{ containerPort: 3000 }],
        env: [{ name: "A", value: "b" }],
        resources: { requests: { cpu: "100m", memory: "64Mi" } },
      },
    ],
  },
});

export const configMap = (name: string, bytes = 600): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data: { text: "x".repeat(bytes) },
});

export const boats = "/apis/bench.example.com/v1/namespaces/default/boats";

/** A kind of a user's own, with a schema and two rules. */
export const boatDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "boats.bench.example.com" },
  spec: {
    group: "bench.example.com",
    scope: "Namespaced",
    names: { plural: "boats", kind: "Boat" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                required: ["length"],
                properties: {
                  length: { type: "integer", minimum: 3 },
                  rig: { type: "string", enum: ["sloop", "schooner"], default: "sloop" },
                  crew: {
                    type: "array",
                    maxItems: 20,
                    items: { type: "object", properties: { name: { type: "string", maxLength: 63 } } },
                  },
                },
                "x-kubernetes-validations": [
                  { rule: "self.rig != 'schooner' || self.length >= 10" },
                  { rule: "!has(self.crew) || self.crew.all(one, one.name.size() > 1)" },
                ],
              },
            },
          },
        },
      },
    ],
  },
};

export const boat = (name: string): object => ({
  apiVersion: "bench.example.com/v1",
  kind: "Boat",
  metadata: { name },
  spec: { length: 12, rig: "schooner", crew: [{ name: "ana" }, { name: "rui" }] },
});
