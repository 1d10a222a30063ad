// The built-in resources that Leme's own components address, as references.

import type { ResourceRef } from "./client.ts";

const ref = (
  group: string,
  version: string,
  kind: string,
  resource: string,
  namespaced: boolean,
): ResourceRef => ({
  group,
  version,
  kind,
  resource,
  namespaced,
});
const core = (kind: string, resource: string, namespaced = true): ResourceRef =>
  ref("", "v1", kind, resource, namespaced);

export const Pods = core("Pod", "pods");
export const ReplicationControllers = core("ReplicationController", "replicationcontrollers");
export const Services = core("Service", "services");
export const Endpoints = core("Endpoints", "endpoints");
export const EndpointSlices = ref("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", true);
export const Nodes = core("Node", "nodes", false);
export const Namespaces = core("Namespace", "namespaces", false);
export const Events = core("Event", "events");
export const ConfigMaps = core("ConfigMap", "configmaps");
export const Secrets = core("Secret", "secrets");
export const LimitRanges = core("LimitRange", "limitranges");
export const ResourceQuotas = core("ResourceQuota", "resourcequotas");
export const PersistentVolumeClaims = core("PersistentVolumeClaim", "persistentvolumeclaims");
export const ServiceAccounts = core("ServiceAccount", "serviceaccounts");
export const Jobs = ref("batch", "v1", "Job", "jobs", true);
export const CronJobs = ref("batch", "v1", "CronJob", "cronjobs", true);
export const Deployments = ref("apps", "v1", "Deployment", "deployments", true);
export const ReplicaSets = ref("apps", "v1", "ReplicaSet", "replicasets", true);
export const StatefulSets = ref("apps", "v1", "StatefulSet", "statefulsets", true);
export const DaemonSets = ref("apps", "v1", "DaemonSet", "daemonsets", true);
export const ControllerRevisions = ref("apps", "v1", "ControllerRevision", "controllerrevisions", true);
export const PodDisruptionBudgets = ref("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", true);
export const HorizontalPodAutoscalers = ref(
  "autoscaling",
  "v2",
  "HorizontalPodAutoscaler",
  "horizontalpodautoscalers",
  true,
);
export const Leases = ref("coordination.k8s.io", "v1", "Lease", "leases", true);
export const PriorityClasses = ref("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", false);
export const FlowSchemas = ref("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", false);
export const PriorityLevelConfigurations = ref(
  "flowcontrol.apiserver.k8s.io",
  "v1",
  "PriorityLevelConfiguration",
  "prioritylevelconfigurations",
  false,
);
export const APIServices = ref("apiregistration.k8s.io", "v1", "APIService", "apiservices", false);
export const ServiceCIDRs = ref("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", false);
export const ResourceClaims = ref("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims", true);
export const Roles = ref("rbac.authorization.k8s.io", "v1", "Role", "roles", true);
export const ClusterRoles = ref("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", false);
export const RoleBindings = ref("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", true);
export const ClusterRoleBindings = ref(
  "rbac.authorization.k8s.io",
  "v1",
  "ClusterRoleBinding",
  "clusterrolebindings",
  false,
);
export const ValidatingAdmissionPolicies = ref(
  "admissionregistration.k8s.io",
  "v1",
  "ValidatingAdmissionPolicy",
  "validatingadmissionpolicies",
  false,
);
export const CertificateSigningRequests = ref(
  "certificates.k8s.io",
  "v1",
  "CertificateSigningRequest",
  "certificatesigningrequests",
  false,
);
export const StorageVersionMigrations = ref(
  "storagemigration.k8s.io",
  "v1beta1",
  "StorageVersionMigration",
  "storageversionmigrations",
  false,
);
export const CustomResourceDefinitions = ref(
  "apiextensions.k8s.io",
  "v1",
  "CustomResourceDefinition",
  "customresourcedefinitions",
  false,
);
