// The priority levels and flow schemas that every cluster starts with, as data. Two of each are mandatory: what they
// say is fixed.

import type {
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
  Subject,
} from "#machinery/gen/types/flowcontrol-v1.ts";

const group = (name: string): Subject => ({ kind: "Group", group: { name } });
const user = (name: string): Subject => ({ kind: "User", user: { name } });
const account = (name: string): Subject => ({
  kind: "ServiceAccount",
  serviceAccount: { namespace: "kube-system", name },
});
const everybody = [group("system:unauthenticated"), group("system:authenticated")];
const all = ["*"];
const everything = {
  resourceRules: [{ verbs: all, apiGroups: all, resources: all, clusterScope: true, namespaces: all }],
  nonResourceRules: [{ verbs: all, nonResourceURLs: all }],
};
const within = (verbs: string[], apiGroup: string, resource: string) => ({
  verbs,
  apiGroups: [apiGroup],
  resources: [resource],
  namespaces: all,
});

function schema(
  level: string,
  matchingPrecedence: number,
  distinguishBy: "ByUser" | "ByNamespace" | undefined,
  ...rules: PolicyRulesWithSubjects[]
): FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence,
    ...(distinguishBy === undefined ? {} : { distinguisherMethod: { type: distinguishBy } }),
    rules,
  };
}

const limited = (
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
): PriorityLevelConfigurationSpec => ({
  type: "Limited",
  limited: {
    nominalConcurrencyShares,
    lendablePercent,
    limitResponse: { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 50 } },
  },
});

type Named<T> = Readonly<Record<string, T>>;

export const mandatoryLevels: Named<PriorityLevelConfigurationSpec> = {
  exempt: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  "catch-all": {
    type: "Limited",
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: "Reject" } },
  },
};

export const mandatorySchemas: Named<FlowSchemaSpec> = {
  exempt: schema("exempt", 1, undefined, { subjects: [group("system:masters")], ...everything }),
  "catch-all": schema("catch-all", 10_000, "ByUser", { subjects: everybody, ...everything }),
};

export const suggestedLevels: Named<PriorityLevelConfigurationSpec> = {
  system: limited(30, 33, 64, 6),
  "node-high": limited(40, 25, 64, 6),
  "leader-election": limited(10, 0, 16, 4),
  "workload-high": limited(40, 50, 128, 6),
  "workload-low": limited(100, 90, 128, 6),
  "global-default": limited(20, 50, 128, 6),
};

const manager = user("system:kube-controller-manager");
const scheduler = user("system:kube-scheduler");
const someWrites = ["get", "create", "update"];
const leases = within(someWrites, "coordination.k8s.io", "leases");

export const suggestedSchemas: Named<FlowSchemaSpec> = {
  "system-nodes": schema("system", 500, "ByUser", { subjects: [group("system:nodes")], ...everything }),
  "system-node-high": schema("node-high", 400, "ByUser", {
    subjects: [group("system:nodes")],
    resourceRules: [
      {
        verbs: all,
        apiGroups: [""],
        resources: ["nodes", "nodes/status"],
        clusterScope: true,
        namespaces: all,
      },
      within(all, "coordination.k8s.io", "leases"),
    ],
  }),
  probes: schema("exempt", 2, undefined, {
    subjects: everybody,
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
  }),
  "system-leader-election": schema("leader-election", 100, "ByUser", {
    subjects: [manager, scheduler],
    resourceRules: [leases],
  }),
  "workload-leader-election": schema("leader-election", 200, "ByUser", {
    subjects: [account("*")],
    resourceRules: [leases],
  }),
  "endpoint-controller": schema("workload-high", 150, "ByUser", {
    subjects: [manager, account("endpoint-controller"), account("endpointslicemirroring-controller")],
    resourceRules: [within(someWrites, "", "endpoints")],
  }),
  "kube-controller-manager": schema("workload-high", 800, "ByNamespace", {
    subjects: [manager],
    ...everything,
  }),
  "kube-scheduler": schema("workload-high", 800, "ByNamespace", { subjects: [scheduler], ...everything }),
  "kube-system-service-accounts": schema("workload-high", 900, "ByNamespace", {
    subjects: [account("*")],
    ...everything,
  }),
  "service-accounts": schema("workload-low", 9000, "ByUser", {
    subjects: [group("system:serviceaccounts")],
    ...everything,
  }),
  "global-default": schema("global-default", 9900, "ByUser", { subjects: everybody, ...everything }),
};
