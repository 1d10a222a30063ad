// Samples of the core group's kinds for quotas, limits, templates and storage.

const core = "/api/v1/namespaces/default";
const metadata = { name: "x" };

export const coreSamples: readonly (readonly [collection: string, object: object])[] = [
  [
    `${core}/podtemplates`,
    {
      metadata,
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  ],
  [
    `${core}/limitranges`,
    { metadata, spec: { limits: [{ type: "Container", max: { cpu: "2" }, min: { cpu: "100m" } }] } },
  ],
  [
    `${core}/resourcequotas`,
    { metadata, spec: { hard: { pods: "10", "requests.cpu": "4" }, scopes: ["NotTerminating"] } },
  ],
  [
    `${core}/persistentvolumeclaims`,
    { metadata, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  ],
  [
    "/api/v1/persistentvolumes",
    {
      metadata,
      spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } },
    },
  ],
];

export const definitionSamples: readonly (readonly [collection: string, object: object])[] = [
  [
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    {
      metadata: { name: "samples.kinds.example.com" },
      spec: {
        group: "kinds.example.com",
        scope: "Namespaced",
        names: { plural: "samples", kind: "Sample" },
        versions: [
          { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
        ],
      },
    },
  ],
];
