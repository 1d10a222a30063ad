// The standard roles and bindings that every cluster has, as data; reconciled at each start:
// missing objects and missing rules come back, additions by administrators stay
// (unless the object says `rbac.authorization.kubernetes.io/autoupdate: "false"`).

import type { PolicyRule, RbacSubject } from "./rbac.ts";

export interface BootstrapRole {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules: readonly PolicyRule[];
  /** Rules come from all roles with any of these labels. */
  readonly aggregate?: readonly Readonly<Record<string, string>>[];
}

export interface BootstrapBinding {
  readonly name: string;
  readonly role: string;
  readonly subjects: readonly RbacSubject[];
}

const rw = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];
const read = ["get", "list", "watch"];

const rule = (
  verbs: readonly string[],
  group: string | readonly string[],
  ...resources: string[]
): PolicyRule => ({
  verbs,
  apiGroups: typeof group === "string" ? [group] : group,
  resources,
});
const named = (base: PolicyRule, ...resourceNames: string[]): PolicyRule => ({ ...base, resourceNames });
const urls = (verbs: readonly string[], ...nonResourceURLs: string[]): PolicyRule => ({
  verbs,
  nonResourceURLs,
});
const events = rule(["create", "patch", "update"], ["", "events.k8s.io"], "events");
const leases = (name: string): PolicyRule[] => [
  rule(["create"], "coordination.k8s.io", "leases"),
  named(rule(["get", "update"], "coordination.k8s.io", "leases"), name),
];

const group = (name: string): RbacSubject => ({ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name });
const user = (name: string): RbacSubject => ({ kind: "User", apiGroup: "rbac.authorization.k8s.io", name });
const account = (name: string, namespace = "kube-system"): RbacSubject => ({
  kind: "ServiceAccount",
  name,
  namespace,
});

const workloads = [
  "deployments",
  "deployments/scale",
  "replicasets",
  "replicasets/scale",
  "statefulsets",
  "statefulsets/scale",
];
const batch = ["cronjobs", "jobs"];
const claims = ["resourceclaims", "resourceclaimtemplates"];
const networking = ["ingresses", "networkpolicies"];

const certificates = "certificates.k8s.io";
/** Signers of this system for which somebody may be trusted to approve. */
const signers = [
  "legacy-unknown",
  "kubelet-serving",
  "kube-apiserver-client",
  "kube-apiserver-client-kubelet",
];

const editCore: readonly PolicyRule[] = [
  rule(read, "", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"),
  rule(["impersonate"], "", "serviceaccounts"),
  rule(write, "", "pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"),
  rule(["create"], "", "pods/eviction"),
  rule(
    write,
    "",
    "configmaps",
    "events",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "secrets",
    "serviceaccounts",
    "services",
    "services/proxy",
  ),
  rule(["create"], "", "serviceaccounts/token"),
  rule(write, "apps", "daemonsets", ...workloads, "deployments/rollback"),
  rule(write, "autoscaling", "horizontalpodautoscalers"),
  rule(write, "batch", ...batch),
  rule(write, "policy", "poddisruptionbudgets"),
  rule(write, "networking.k8s.io", ...networking),
  rule(rw, "coordination.k8s.io", "leases"),
  rule(write, "resource.k8s.io", ...claims),
];

const viewCore: readonly PolicyRule[] = [
  rule(
    read,
    "",
    "configmaps",
    "endpoints",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "pods",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "serviceaccounts",
    "services",
    "services/status",
  ),
  rule(
    read,
    "",
    "bindings",
    "events",
    "limitranges",
    "namespaces/status",
    "pods/log",
    "pods/status",
    "replicationcontrollers/status",
    "resourcequotas",
    "resourcequotas/status",
  ),
  rule(read, "", "namespaces"),
  rule(read, "discovery.k8s.io", "endpointslices"),
  rule(
    read,
    "apps",
    "controllerrevisions",
    "daemonsets",
    "daemonsets/status",
    ...workloads,
    "deployments/status",
    "replicasets/status",
    "statefulsets/status",
  ),
  rule(read, "autoscaling", "horizontalpodautoscalers", "horizontalpodautoscalers/status"),
  rule(read, "batch", ...batch, "cronjobs/status", "jobs/status"),
  rule(read, "policy", "poddisruptionbudgets", "poddisruptionbudgets/status"),
  rule(read, "networking.k8s.io", ...networking, "ingresses/status"),
  rule(read, "resource.k8s.io", ...claims, "resourceclaims/status"),
];

const aggregateLabel = (role: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${role}`]: "true",
});

export const bootstrapRoles: readonly BootstrapRole[] = [
  { name: "cluster-admin", rules: [rule(["*"], "*", "*"), urls(["*"], "*")] },
  {
    name: "system:discovery",
    rules: [
      urls(
        ["get"],
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
        "/version/",
      ),
    ],
  },
  {
    name: "system:monitoring",
    rules: [
      urls(
        ["get"],
        "/healthz",
        "/healthz/*",
        "/livez",
        "/livez/*",
        "/metrics",
        "/metrics/slis",
        "/readyz",
        "/readyz/*",
      ),
    ],
  },
  {
    name: "system:public-info-viewer",
    rules: [urls(["get"], "/healthz", "/livez", "/readyz", "/version", "/version/")],
  },
  {
    name: "system:basic-user",
    rules: [
      rule(["create"], "authorization.k8s.io", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
      rule(["create"], "authentication.k8s.io", "selfsubjectreviews"),
    ],
  },
  { name: "admin", rules: [], aggregate: [aggregateLabel("admin")] },
  { name: "edit", labels: aggregateLabel("admin"), rules: [], aggregate: [aggregateLabel("edit")] },
  { name: "view", labels: aggregateLabel("edit"), rules: [], aggregate: [aggregateLabel("view")] },
  {
    name: "system:aggregate-to-admin",
    labels: aggregateLabel("admin"),
    rules: [
      rule(["create"], "authorization.k8s.io", "localsubjectaccessreviews"),
      rule(rw, "rbac.authorization.k8s.io", "rolebindings", "roles"),
    ],
  },
  { name: "system:aggregate-to-edit", labels: aggregateLabel("edit"), rules: editCore },
  { name: "system:aggregate-to-view", labels: aggregateLabel("view"), rules: viewCore },
  {
    name: "system:aggregated-metrics-reader",
    labels: { ...aggregateLabel("admin"), ...aggregateLabel("edit"), ...aggregateLabel("view") },
    rules: [rule(["get", "list", "watch"], "metrics.k8s.io", "nodes", "pods")],
  },
  {
    name: "system:auth-delegator",
    rules: [
      rule(["create"], "authentication.k8s.io", "tokenreviews"),
      rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  {
    name: "system:heapster",
    rules: [rule(read, "", "events", "namespaces", "nodes", "pods"), rule(read, "apps", "deployments")],
  },
  {
    name: "system:kubelet-api-admin",
    rules: [
      rule(read, "", "nodes"),
      rule(["proxy"], "", "nodes"),
      rule(["*"], "", "nodes/log", "nodes/metrics", "nodes/proxy", "nodes/stats"),
    ],
  },
  { name: "system:node", rules: [] },
  {
    name: "system:node-proxier",
    rules: [
      rule(["list", "watch"], "", "services", "endpoints"),
      rule(read, "", "nodes"),
      events,
      rule(["list", "watch"], "discovery.k8s.io", "endpointslices"),
    ],
  },
  {
    name: "system:node-problem-detector",
    rules: [rule(["get"], "", "nodes"), rule(["patch"], "", "nodes/status"), events],
  },
  { name: "system:kube-dns", rules: [rule(["list", "watch"], "", "endpoints", "services")] },
  {
    name: "system:service-account-issuer-discovery",
    rules: [
      urls(
        ["get"],
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/",
        "/openid/v1/jwks",
        "/openid/v1/jwks/",
      ),
    ],
  },
  {
    name: "system:node-bootstrapper",
    rules: [rule(["create", "get", "list", "watch"], certificates, "certificatesigningrequests")],
  },
  ...["nodeclient", "selfnodeclient"].map((kind) => ({
    name: `system:certificates.k8s.io:certificatesigningrequests:${kind}`,
    rules: [rule(["create"], certificates, `certificatesigningrequests/${kind}`)],
  })),
  ...signers.map((signer) => ({
    name: `system:certificates.k8s.io:${signer}-approver`,
    rules: [named(rule(["approve"], certificates, "signers"), `kubernetes.io/${signer}`)],
  })),
  {
    name: "system:kube-aggregator",
    rules: [rule(read, "", "endpoints", "services")],
  },
  {
    name: "system:volume-scheduler",
    rules: [
      rule(["get", "list", "patch", "update", "watch"], "", "persistentvolumes"),
      rule(read, "storage.k8s.io", "storageclasses"),
      rule(["get", "list", "patch", "update", "watch"], "", "persistentvolumeclaims"),
    ],
  },
  {
    name: "system:persistent-volume-provisioner",
    rules: [
      rule(["create", "delete", "get", "list", "watch"], "", "persistentvolumes"),
      rule(["get", "list", "update", "watch"], "", "persistentvolumeclaims"),
      rule(read, "storage.k8s.io", "storageclasses"),
      rule(["watch"], "", "events"),
      events,
    ],
  },
  {
    name: "system:kube-scheduler",
    rules: [
      events,
      ...leases("kube-scheduler"),
      rule(
        read,
        "",
        "nodes",
        "namespaces",
        "replicationcontrollers",
        "services",
        "persistentvolumeclaims",
        "persistentvolumes",
      ),
      rule(["delete", "get", "list", "watch"], "", "pods"),
      rule(["create"], "", "bindings", "pods/binding"),
      rule(["patch", "update"], "", "pods/status"),
      rule(read, "apps", "replicasets", "statefulsets"),
      rule(read, "policy", "poddisruptionbudgets"),
      rule(read, "storage.k8s.io", "csidrivers", "csinodes", "csistoragecapacities", "storageclasses"),
      rule(read, "resource.k8s.io", "deviceclasses", "resourceslices"),
      rule(["get", "list", "patch", "update", "watch"], "resource.k8s.io", "resourceclaims"),
      rule(["patch", "update"], "resource.k8s.io", "resourceclaims/status"),
      rule(["create"], "authentication.k8s.io", "tokenreviews"),
      rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  {
    name: "system:kube-controller-manager",
    rules: [
      events,
      ...leases("kube-controller-manager"),
      rule(["create"], "", "secrets", "serviceaccounts"),
      rule(["delete"], "", "secrets"),
      rule(["get"], "", "configmaps", "namespaces", "secrets", "serviceaccounts"),
      rule(["update"], "", "secrets", "serviceaccounts"),
      rule(["create"], "authentication.k8s.io", "tokenreviews"),
      rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
      rule(["list", "watch"], "*", "*"),
      rule(["create"], "", "serviceaccounts/token"),
    ],
  },
];

/** What each controller may do beyond reading: it runs as the service account kube-system/NAME. */
const controllerRules: Readonly<Record<string, readonly PolicyRule[]>> = {
  "replication-controller": [
    rule(["get", "list", "update", "watch"], "", "replicationcontrollers"),
    rule(["update"], "", "replicationcontrollers/finalizers", "replicationcontrollers/status"),
    rule(["create", "delete", "list", "patch", "watch", "get"], "", "pods"),
    events,
  ],
  "replicaset-controller": [
    rule(["get", "list", "update", "watch"], "apps", "replicasets"),
    rule(["update"], "apps", "replicasets/finalizers", "replicasets/status"),
    rule(["create", "delete", "list", "patch", "watch"], "", "pods"),
    events,
  ],
  "deployment-controller": [
    rule(["get", "list", "update", "watch"], "apps", "deployments"),
    rule(["update"], "apps", "deployments/finalizers", "deployments/status"),
    rule(["create", "delete", "get", "list", "patch", "update", "watch"], "apps", "replicasets"),
    rule(["get", "list", "update", "watch"], "", "pods"),
    events,
  ],
  "statefulset-controller": [
    rule(read, "apps", "statefulsets"),
    rule(["update"], "apps", "statefulsets/finalizers", "statefulsets/status"),
    rule(["create", "delete", "get", "list", "patch", "update", "watch"], "", "pods"),
    rule(["create", "delete", "get", "list", "patch", "update", "watch"], "apps", "controllerrevisions"),
    rule(["create", "delete", "get", "list", "update", "watch"], "", "persistentvolumeclaims"),
    events,
  ],
  "daemon-set-controller": [
    rule(read, "apps", "daemonsets"),
    rule(["update"], "apps", "daemonsets/finalizers", "daemonsets/status"),
    rule(["list", "watch"], "", "nodes"),
    rule(["create", "delete", "list", "patch", "watch"], "", "pods"),
    rule(["create"], "", "pods/binding"),
    rule(["create", "delete", "get", "list", "patch", "update", "watch"], "apps", "controllerrevisions"),
    events,
  ],
  "endpoint-controller": [
    rule(read, "", "pods", "services"),
    rule(["create", "delete", "get", "list", "update", "watch"], "", "endpoints"),
    rule(["create"], "", "endpoints/restricted"),
    events,
  ],
  "endpointslice-controller": [
    rule(read, "", "nodes", "pods", "services"),
    rule(["update"], "", "services/finalizers"),
    rule(["create", "delete", "get", "list", "update", "watch"], "discovery.k8s.io", "endpointslices"),
    rule(["create"], "discovery.k8s.io", "endpointslices/restricted"),
    events,
  ],
  "node-controller": [
    rule(["delete", "get", "list", "patch", "update", "watch"], "", "nodes"),
    rule(["patch", "update"], "", "nodes/status"),
    rule(["patch", "update"], "", "pods/status"),
    rule(["delete", "get", "list", "watch"], "", "pods"),
    rule(read, "coordination.k8s.io", "leases"),
    events,
  ],
  "namespace-controller": [
    rule(["delete", "get", "list", "watch"], "", "namespaces"),
    rule(["update"], "", "namespaces/finalize", "namespaces/status"),
    rule(["delete", "deletecollection", "get", "list"], "*", "*"),
  ],
  "validatingadmissionpolicy-status-controller": [
    rule(read, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
    rule(["get", "patch", "update"], "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
    events,
  ],
  "service-account-controller": [
    rule(["create", "get", "list", "watch"], "", "serviceaccounts"),
    rule(read, "", "namespaces"),
    events,
  ],
  "root-ca-cert-publisher": [
    rule(["create", "get", "list", "update", "watch"], "", "configmaps"),
    rule(read, "", "namespaces"),
    events,
  ],
  "generic-garbage-collector": [
    rule(["delete", "get", "list", "patch", "update", "watch"], "*", "*"),
    events,
  ],
  "job-controller": [
    rule(["get", "list", "patch", "update", "watch"], "batch", "jobs"),
    rule(["update"], "batch", "jobs/finalizers", "jobs/status"),
    rule(["create", "delete", "get", "list", "patch", "watch"], "", "pods"),
    events,
  ],
  "ttl-after-finished-controller": [rule(["delete", "get", "list", "watch"], "batch", "jobs"), events],
  "cronjob-controller": [
    rule(["get", "list", "update", "watch"], "batch", "cronjobs"),
    rule(["create", "delete", "get", "list", "patch", "update", "watch"], "batch", "jobs"),
    rule(["update"], "batch", "cronjobs/finalizers", "cronjobs/status"),
    rule(["delete", "list"], "", "pods"),
    events,
  ],
  "horizontal-pod-autoscaler": [
    rule(read, "autoscaling", "horizontalpodautoscalers"),
    rule(["update"], "autoscaling", "horizontalpodautoscalers/status"),
    rule(["get", "update"], "*", "*/scale"),
    rule(["list"], "", "pods"),
    rule(["get", "list"], "metrics.k8s.io", "pods"),
    rule(["get", "list"], "custom.metrics.k8s.io", "*"),
    rule(["get", "list"], "external.metrics.k8s.io", "*"),
    events,
  ],
  "disruption-controller": [
    rule(read, "apps", "deployments", "replicasets", "statefulsets"),
    rule(read, "", "replicationcontrollers"),
    rule(read, "policy", "poddisruptionbudgets"),
    rule(["patch", "update"], "policy", "poddisruptionbudgets/status"),
    rule(["get", "list", "watch"], "", "pods"),
    rule(["patch", "update"], "", "pods/status"),
    rule(["get"], "*", "*/scale"),
    events,
  ],
  "resourcequota-controller": [
    rule(["list", "watch"], "*", "*"),
    rule(["update"], "", "resourcequotas/status"),
    events,
  ],
  "endpointslicemirroring-controller": [
    rule(read, "", "endpoints", "services"),
    rule(["update"], "", "services/finalizers", "endpoints/finalizers"),
    rule(["create", "delete", "get", "list", "update", "watch"], "discovery.k8s.io", "endpointslices"),
    rule(["create"], "discovery.k8s.io", "endpointslices/restricted"),
    events,
  ],
  "clusterrole-aggregation-controller": [
    rule(
      ["escalate", "get", "list", "patch", "update", "watch"],
      "rbac.authorization.k8s.io",
      "clusterroles",
    ),
  ],
  "ttl-controller": [rule(["list", "patch", "update", "watch"], "", "nodes"), events],
  "legacy-service-account-token-cleaner": [
    rule(["get"], "", "configmaps"),
    rule(["delete", "patch"], "", "secrets"),
  ],
  "serviceaccount-token-controller": [
    rule(["delete", "get", "list", "update", "watch"], "", "secrets"),
    rule(read, "", "serviceaccounts"),
    events,
  ],
  "certificate-controller": [
    rule(["delete", "get", "list", "watch"], certificates, "certificatesigningrequests"),
    rule(
      ["update"],
      certificates,
      "certificatesigningrequests/approval",
      "certificatesigningrequests/status",
    ),
    named(rule(["approve"], certificates, "signers"), "kubernetes.io/kube-apiserver-client-kubelet"),
    named(rule(["sign"], certificates, "signers"), ...signers.map((signer) => `kubernetes.io/${signer}`)),
    rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
    events,
  ],
  "bootstrap-signer": [
    rule(read, "", "secrets"),
    named(rule(["get", "list", "update", "watch"], "", "configmaps"), "cluster-info"),
    events,
  ],
  "token-cleaner": [rule(["delete", "get", "list", "watch"], "", "secrets"), events],
  "service-cidrs-controller": [
    rule(["get", "list", "patch", "update", "watch"], "networking.k8s.io", "servicecidrs"),
    rule(["patch", "update"], "networking.k8s.io", "servicecidrs/finalizers", "servicecidrs/status"),
    rule(read, "networking.k8s.io", "ipaddresses"),
    events,
  ],
  "storage-version-migrator-controller": [
    rule(["list", "watch"], "storagemigration.k8s.io", "storageversionmigrations"),
    rule(["update"], "storagemigration.k8s.io", "storageversionmigrations/status"),
    rule(["get", "list", "update"], "*", "*"),
    events,
  ],
  "pod-garbage-collector": [
    rule(["delete", "get", "list", "watch"], "", "pods"),
    rule(["patch"], "", "pods/status"),
    rule(["get", "list"], "", "nodes"),
    events,
  ],
  "service-controller": [
    rule(read, "", "services"),
    rule(["patch", "update"], "", "services/status"),
    rule(["patch", "update"], "", "services"),
    rule(["list", "watch"], "", "nodes"),
    events,
  ],
};

export const controllerRoles: readonly BootstrapRole[] = Object.entries(controllerRules).map(
  ([name, rules]) => ({
    name: `system:controller:${name}`,
    rules,
  }),
);

export const bootstrapBindings: readonly BootstrapBinding[] = [
  { name: "cluster-admin", role: "cluster-admin", subjects: [group("system:masters")] },
  { name: "system:discovery", role: "system:discovery", subjects: [group("system:authenticated")] },
  { name: "system:basic-user", role: "system:basic-user", subjects: [group("system:authenticated")] },
  {
    name: "system:public-info-viewer",
    role: "system:public-info-viewer",
    subjects: [group("system:authenticated"), group("system:unauthenticated")],
  },
  { name: "system:monitoring", role: "system:monitoring", subjects: [group("system:monitoring")] },
  {
    name: "system:node-proxier",
    role: "system:node-proxier",
    subjects: [user("system:kube-proxy")],
  },
  { name: "system:node", role: "system:node", subjects: [] },
  { name: "system:kube-scheduler", role: "system:kube-scheduler", subjects: [user("system:kube-scheduler")] },
  {
    name: "system:kube-controller-manager",
    role: "system:kube-controller-manager",
    subjects: [user("system:kube-controller-manager")],
  },
  {
    name: "system:volume-scheduler",
    role: "system:volume-scheduler",
    subjects: [user("system:kube-scheduler")],
  },
  { name: "system:kube-dns", role: "system:kube-dns", subjects: [account("kube-dns")] },
  {
    name: "system:service-account-issuer-discovery",
    role: "system:service-account-issuer-discovery",
    subjects: [group("system:serviceaccounts")],
  },
  ...Object.keys(controllerRules).map((name) => ({
    name: `system:controller:${name}`,
    role: `system:controller:${name}`,
    subjects: [account(name)],
  })),
];

/** Every standard object carries this label and annotation. */
export const bootstrapLabels = { "kubernetes.io/bootstrapping": "rbac-defaults" } as const;
export const autoupdateAnnotation = "rbac.authorization.kubernetes.io/autoupdate";
