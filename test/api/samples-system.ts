// Samples of the groups about the cluster itself: certificates, flow control, runtimes, other API servers.

import { requestSample } from "#resources/certificates/pem-samples.ts";

const flowcontrol = "/apis/flowcontrol.apiserver.k8s.io/v1";
const metadata = { name: "x" };

export const system: readonly (readonly [collection: string, object: object])[] = [
  [
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
    {
      metadata,
      spec: {
        request: requestSample,
        signerName: "example.com/signer",
        usages: ["client auth"],
        expirationSeconds: 3600,
      },
    },
  ],
  [
    `${flowcontrol}/flowschemas`,
    {
      metadata,
      spec: {
        priorityLevelConfiguration: { name: "x" },
        matchingPrecedence: 9999,
        distinguisherMethod: { type: "ByUser" },
        rules: [
          {
            subjects: [
              { kind: "User", user: { name: "a" } },
              { kind: "ServiceAccount", serviceAccount: { namespace: "default", name: "a" } },
            ],
            resourceRules: [
              { verbs: ["get"], apiGroups: [""], resources: ["pods"], namespaces: ["default"] },
            ],
            nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/a/*"] }],
          },
        ],
      },
    },
  ],
  [
    `${flowcontrol}/prioritylevelconfigurations`,
    {
      metadata,
      spec: {
        type: "Limited",
        limited: {
          nominalConcurrencyShares: 5,
          lendablePercent: 10,
          borrowingLimitPercent: 10,
          limitResponse: { type: "Queue", queuing: { queues: 8, handSize: 2, queueLengthLimit: 5 } },
        },
      },
    },
  ],
  [
    "/apis/node.k8s.io/v1/runtimeclasses",
    {
      metadata,
      handler: "runc",
      overhead: { podFixed: { cpu: "10m" } },
      scheduling: { nodeSelector: { a: "b" }, tolerations: [{ key: "a", operator: "Exists" }] },
    },
  ],
  [
    "/apis/apiregistration.k8s.io/v1/apiservices",
    {
      metadata: { name: "v1.none.example.com" },
      spec: {
        group: "none.example.com",
        version: "v1",
        service: { namespace: "default", name: "a", port: 443 },
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 1000,
        versionPriority: 15,
      },
    },
  ],
];

/** Shares its storage with the core group's: its collection holds their samples, too. */
export const newerEvent = [
  "/apis/events.k8s.io/v1/namespaces/default/events",
  {
    metadata: { name: "newer" },
    eventTime: "2020-01-01T00:00:00.000000Z",
    reportingController: "example.com/c",
    reportingInstance: "i",
    action: "A",
    reason: "R",
    type: "Normal",
    regarding: { kind: "Pod", namespace: "default", name: "x" },
    note: "n",
    series: { count: 2, lastObservedTime: "2020-01-01T00:00:00.000000Z" },
  },
] as const;
