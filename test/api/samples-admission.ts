// Samples of admissionregistration.k8s.io. Their rules are about a group that nobody serves.

const root = "/apis/admissionregistration.k8s.io/v1";
const metadata = { name: "x" };
const rule = {
  operations: ["CREATE"],
  apiGroups: ["none.example.com"],
  apiVersions: ["v1"],
  resources: ["none"],
};
const hook = {
  name: "a.example.com",
  clientConfig: { service: { namespace: "default", name: "a", path: "/p", port: 443 } },
  rules: [rule],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  matchConditions: [{ name: "a", expression: "true" }],
};
const matchConstraints = { resourceRules: [rule] };
const paramRef = { name: "a", namespace: "default", parameterNotFoundAction: "Allow" };

export const admission: readonly (readonly [collection: string, object: object])[] = [
  [`${root}/validatingwebhookconfigurations`, { metadata, webhooks: [hook] }],
  [
    `${root}/mutatingwebhookconfigurations`,
    { metadata, webhooks: [{ ...hook, reinvocationPolicy: "IfNeeded" }] },
  ],
  [
    `${root}/validatingadmissionpolicies`,
    {
      metadata,
      spec: {
        matchConstraints,
        paramKind: { apiVersion: "v1", kind: "ConfigMap" },
        variables: [{ name: "a", expression: "1" }],
        validations: [{ expression: "variables.a == 1", message: "m", reason: "Forbidden" }],
        auditAnnotations: [{ key: "k", valueExpression: "'v'" }],
      },
    },
  ],
  [
    `${root}/validatingadmissionpolicybindings`,
    { metadata, spec: { policyName: "p", paramRef, validationActions: ["Deny"] } },
  ],
  [
    `${root}/mutatingadmissionpolicies`,
    {
      metadata,
      spec: {
        matchConstraints,
        reinvocationPolicy: "Never",
        mutations: [
          {
            patchType: "JSONPatch",
            jsonPatch: { expression: "[JSONPatch{op: 'test', path: '/a', value: 1}]" },
          },
        ],
      },
    },
  ],
  [`${root}/mutatingadmissionpolicybindings`, { metadata, spec: { policyName: "p", paramRef } }],
];
