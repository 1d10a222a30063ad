// Samples of storage.k8s.io.

const root = "/apis/storage.k8s.io/v1";
const metadata = { name: "x" };

export const storage: readonly (readonly [collection: string, object: object])[] = [
  [
    `${root}/storageclasses`,
    {
      metadata,
      provisioner: "a.b/c",
      parameters: { a: "b" },
      mountOptions: ["ro"],
      allowVolumeExpansion: true,
      allowedTopologies: [{ matchLabelExpressions: [{ key: "a", values: ["b"] }] }],
    },
  ],
  [
    `${root}/volumeattachments`,
    { metadata, spec: { attacher: "a.b", nodeName: "n", source: { persistentVolumeName: "pv" } } },
  ],
  [
    `${root}/csidrivers`,
    { metadata, spec: { attachRequired: false, tokenRequests: [{ audience: "a", expirationSeconds: 600 }] } },
  ],
  [
    `${root}/csinodes`,
    {
      metadata,
      spec: { drivers: [{ name: "a.b", nodeID: "n", topologyKeys: ["a"], allocatable: { count: 1 } }] },
    },
  ],
  [
    `${root}/namespaces/default/csistoragecapacities`,
    { metadata, storageClassName: "a", capacity: "1Gi", nodeTopology: { matchLabels: { a: "b" } } },
  ],
  [`${root}/volumeattributesclasses`, { metadata, driverName: "a.b", parameters: { a: "b" } }],
];
