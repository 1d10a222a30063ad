// Samples of resource.k8s.io.

const root = "/apis/resource.k8s.io/v1";
const metadata = { name: "x" };
const spec = {
  devices: {
    requests: [
      {
        name: "r",
        exactly: {
          deviceClassName: "gpu",
          selectors: [{ cel: { expression: "true" } }],
          allocationMode: "ExactCount",
          count: 2,
        },
      },
    ],
    constraints: [{ requests: ["r"], matchAttribute: "a.b/c" }],
    config: [{ requests: ["r"], opaque: { driver: "a.b", parameters: { a: "b" } } }],
  },
};

export const devices: readonly (readonly [collection: string, object: object])[] = [
  [
    `${root}/deviceclasses`,
    { metadata, spec: { selectors: [{ cel: { expression: "true" } }], extendedResourceName: "a.b/gpu" } },
  ],
  [`${root}/namespaces/default/resourceclaims`, { metadata, spec }],
  [
    `${root}/namespaces/default/resourceclaimtemplates`,
    { metadata, spec: { metadata: { labels: { a: "b" } }, spec } },
  ],
  [
    `${root}/resourceslices`,
    {
      metadata,
      spec: {
        driver: "a.b",
        nodeName: "n",
        pool: { name: "p", generation: 1, resourceSliceCount: 1 },
        devices: [
          {
            name: "d",
            attributes: { a: { int: 1 }, "b.c/d": { string: "e" } },
            capacity: { memory: { value: "1Gi" } },
            taints: [{ key: "a", effect: "NoSchedule", timeAdded: "2020-01-01T00:00:00Z" }],
          },
        ],
      },
    },
  ],
];
