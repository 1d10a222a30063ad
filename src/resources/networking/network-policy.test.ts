import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "#machinery/gen/types/networking-v1.ts";
import { kindTable, type Change } from "../kind-table.ts";
import { networkPolicy } from "./network-policy.ts";

const kind = kindTable<NetworkPolicy>(networkPolicy, {
  metadata: { name: "x", namespace: "default", creationTimestamp: "2020-01-01T00:00:00Z" },
  spec: {
    podSelector: { matchLabels: { a: "b" } },
    ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }],
  },
});
const port =
  (one: NetworkPolicyPort): Change<NetworkPolicy> =>
  ({ spec }) => {
    spec!.ingress = [{ ports: [one] }];
  };
const peer =
  (one: NetworkPolicyPeer): Change<NetworkPolicy> =>
  ({ spec }) => {
    spec!.egress = [{ to: [one] }];
  };
const onPort = "spec.ingress[0].ports[0]";
const onPeer = "spec.egress[0].to[0]";
const notACidr = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

const cases: [string, Change<NetworkPolicy>, string[]][] = [
  ["nothing is wrong", () => undefined, []],
  [
    "a bad selector",
    ({ spec }) => (spec!.podSelector = { matchExpressions: [{ key: "a", operator: "Is" }] }),
    ['spec.podSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator'],
  ],
  [
    "another protocol",
    port({ protocol: "ICMP" }),
    [`${onPort}.protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`],
  ],
  [
    "a port of no number",
    port({ port: 0 }),
    [`${onPort}.port: Invalid value: 0: must be between 1 and 65535, inclusive`],
  ],
  [
    "a port of no name",
    port({ port: "A--" }),
    [
      "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
      "must contain at least one letter (a-z)",
      "must not contain consecutive hyphens",
      "must not begin or end with a hyphen",
    ].map((why) => `${onPort}.port: Invalid value: "A--": ${why}`),
  ],
  ["a range of ports", port({ port: 80, endPort: 90 }), []],
  [
    "a range that ends before it begins",
    port({ port: 80, endPort: 70 }),
    [`${onPort}.endPort: Invalid value: 80: must be greater than or equal to \`port\``],
  ],
  [
    "an end without a beginning",
    port({ endPort: 70 }),
    [`${onPort}.endPort: Invalid value: 70: may not be specified when \`port\` is not specified`],
  ],
  [
    "an end after a name",
    port({ port: "a", endPort: 70 }),
    [`${onPort}.endPort: Invalid value: 70: may not be specified when \`port\` is non-numeric`],
  ],
  ["nobody", peer({}), [`${onPeer}: Required value: must specify a peer`]],
  ["two selectors", peer({ podSelector: {}, namespaceSelector: {} }), []],
  [
    "a range and a selector",
    peer({ podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } }),
    [`${onPeer}: Forbidden: may not specify both ipBlock and another peer`],
  ],
  ["no range", peer({ ipBlock: { cidr: "" } }), [`${onPeer}.ipBlock.cidr: Required value`]],
  [
    "a range of nothing",
    peer({ ipBlock: { cidr: "10.0.0.0" } }),
    [`${onPeer}.ipBlock.cidr: Invalid value: "10.0.0.0": ${notACidr}`],
  ],
  [
    "exceptions",
    peer({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "a", "10.0.0.0/8", "11.0.0.0/16"] } }),
    [
      `${onPeer}.ipBlock.except[1]: Invalid value: "a": ${notACidr}`,
      `${onPeer}.ipBlock.except[2]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``,
      `${onPeer}.ipBlock.except[3]: Invalid value: "11.0.0.0/16": must be a strict subset of \`cidr\``,
    ],
  ],
  [
    "another type",
    ({ spec }) => (spec!.policyTypes = ["All"]),
    ['spec.policyTypes[0]: Unsupported value: "All": supported values: "Egress", "Ingress"'],
  ],
  [
    "three types",
    ({ spec }) => (spec!.policyTypes = ["Ingress", "Egress", "Ingress"]),
    [
      'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
    ],
  ],
];
for (const [title, change, causes] of cases)
  test(`NetworkPolicy: ${title}`, () => {
    assert.deepEqual(kind.onCreate(change), causes);
    assert.deepEqual(kind.onUpdate(change), causes);
  });

test("NetworkPolicy: what is left out", () => {
  const { spec } = kind.created();
  assert.deepEqual(spec?.policyTypes, ["Ingress"]);
  assert.equal(spec?.ingress?.[0]?.ports?.[0]?.protocol, "TCP");
  assert.deepEqual(kind.created(peer({ podSelector: {} })).spec?.policyTypes, ["Ingress", "Egress"]);
});

test("NetworkPolicy: ranges that one should not write so", () => {
  const told = (cidr: string): string[] => kind.warnings(peer({ ipBlock: { cidr } }));
  assert.deepEqual(told("10.0.0.0/8"), []);
  assert.deepEqual(told("10.1.0.1/8"), [
    `${onPeer}.ipBlock.cidr: CIDR value "10.1.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.1/32"?)`,
  ]);
  assert.deepEqual(told("010.0.0.0/8"), [
    `${onPeer}.ipBlock.cidr: non-standard CIDR value "010.0.0.0/8" will be considered invalid in a future Kubernetes release: use "10.0.0.0/8"`,
  ]);
  assert.deepEqual(told("2001:DB8::/64"), [
    `${onPeer}.ipBlock.cidr: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")`,
  ]);
});

test("NetworkPolicy: its row", () => {
  assert.deepEqual(kind.row(), ["x", "a=b", "24h"]);
  assert.equal(kind.row(({ spec }) => (spec!.podSelector = {}))[1], "<none>");
});
