// Samples of networking.k8s.io.

const root = "/apis/networking.k8s.io/v1";
const metadata = { name: "x" };
const backend = { service: { name: "a", port: { number: 80 } } };

export const networking: readonly (readonly [collection: string, object: object])[] = [
  [
    `${root}/namespaces/default/ingresses`,
    {
      metadata,
      spec: {
        ingressClassName: "nginx",
        defaultBackend: { resource: { apiGroup: "a.b", kind: "K", name: "n" } },
        tls: [{ hosts: ["a.b"], secretName: "s" }],
        rules: [{ host: "a.b", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    },
  ],
  [
    `${root}/ingressclasses`,
    {
      metadata,
      spec: { controller: "a.b/c", parameters: { apiGroup: "a.b", kind: "K", name: "n", scope: "Cluster" } },
    },
  ],
  [
    `${root}/namespaces/default/networkpolicies`,
    {
      metadata,
      spec: {
        podSelector: { matchLabels: { a: "b" } },
        ingress: [{ from: [{ podSelector: {} }], ports: [{ protocol: "TCP", port: 80, endPort: 90 }] }],
        egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }],
        policyTypes: ["Ingress", "Egress"],
      },
    },
  ],
  [
    `${root}/ipaddresses`,
    {
      metadata: { name: "10.96.77.7" },
      spec: { parentRef: { resource: "services", namespace: "default", name: "a" } },
    },
  ],
  [`${root}/servicecidrs`, { metadata, spec: { cidrs: ["10.100.0.0/16"] } }],
];
