// Every built-in kind that is served. One line here, one file there.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { customResourceDefinition } from "./apiextensions/custom-resource-definition.ts";
import { controllerRevision } from "./apps/controller-revision.ts";
import { daemonSet } from "./apps/daemon-set.ts";
import { deployment } from "./apps/deployment.ts";
import { replicaSet } from "./apps/replica-set.ts";
import { statefulSet } from "./apps/stateful-set.ts";
import { mutatingAdmissionPolicyKind } from "./admissionregistration/mutating-admission-policy.ts";
import { mutatingAdmissionPolicyBinding } from "./admissionregistration/mutating-admission-policy-binding.ts";
import { mutatingWebhookConfiguration } from "./admissionregistration/mutating-webhook-configuration.ts";
import { validatingAdmissionPolicyKind } from "./admissionregistration/validating-admission-policy.ts";
import { validatingAdmissionPolicyBinding } from "./admissionregistration/validating-admission-policy-binding.ts";
import { validatingWebhookConfiguration } from "./admissionregistration/validating-webhook-configuration.ts";
import { selfSubjectReview } from "./authentication/self-subject-review.ts";
import { tokenReview } from "./authentication/token-review.ts";
import { localSubjectAccessReview } from "./authorization/local-subject-access-review.ts";
import { selfSubjectAccessReview } from "./authorization/self-subject-access-review.ts";
import { selfSubjectRulesReview } from "./authorization/self-subject-rules-review.ts";
import { subjectAccessReview } from "./authorization/subject-access-review.ts";
import { horizontalPodAutoscaler } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { horizontalPodAutoscalerV1 } from "./autoscaling/horizontal-pod-autoscaler-v1.ts";
import { cronJob } from "./batch/cron-job.ts";
import { job } from "./batch/job.ts";
import { apiService } from "./apiregistration/api-service.ts";
import { certificateSigningRequest } from "./certificates/certificate-signing-request.ts";
import { lease } from "./coordination/lease.ts";
import { componentStatus } from "./core/component-status.ts";
import { configMap } from "./core/config-map.ts";
import { endpoints } from "./core/endpoints.ts";
import { event } from "./core/event.ts";
import { namespace } from "./core/namespace.ts";
import { node } from "./core/node.ts";
import { limitRange } from "./core/limit-range.ts";
import { persistentVolumeClaim } from "./core/persistent-volume-claim.ts";
import { persistentVolume } from "./core/persistent-volume.ts";
import { podTemplate } from "./core/pod-template.ts";
import { pod } from "./core/pod.ts";
import { replicationController } from "./core/replication-controller.ts";
import { resourceQuota } from "./core/resource-quota.ts";
import { secret } from "./core/secret.ts";
import { service } from "./core/service.ts";
import { serviceAccount } from "./core/service-account.ts";
import { endpointSlice } from "./discovery/endpoint-slice.ts";
import { newerEvent } from "./events/event.ts";
import { flowSchema } from "./flowcontrol/flow-schema.ts";
import { priorityLevelConfiguration } from "./flowcontrol/priority-level-configuration.ts";
import { nodeMetrics } from "./metrics/node-metrics.ts";
import { podMetrics } from "./metrics/pod-metrics.ts";
import { ingress } from "./networking/ingress.ts";
import { ingressClass } from "./networking/ingress-class.ts";
import { ipAddressKind } from "./networking/ip-address.ts";
import { networkPolicy } from "./networking/network-policy.ts";
import { serviceCidr } from "./networking/service-cidr.ts";
import { podDisruptionBudget } from "./policy/pod-disruption-budget.ts";
import { runtimeClass } from "./node/runtime-class.ts";
import { clusterRole } from "./rbac/cluster-role.ts";
import { clusterRoleBinding } from "./rbac/cluster-role-binding.ts";
import { role } from "./rbac/role.ts";
import { roleBinding } from "./rbac/role-binding.ts";
import { deviceClass } from "./resource/device-class.ts";
import { resourceClaim } from "./resource/resource-claim.ts";
import { resourceClaimTemplate } from "./resource/resource-claim-template.ts";
import { resourceSlice } from "./resource/resource-slice.ts";
import { priorityClass } from "./scheduling/priority-class.ts";
import { csiDriver } from "./storage/csi-driver.ts";
import { csiNode } from "./storage/csi-node.ts";
import { csiStorageCapacity } from "./storage/csi-storage-capacity.ts";
import { storageClass } from "./storage/storage-class.ts";
import { volumeAttachment } from "./storage/volume-attachment.ts";
import { volumeAttributesClass } from "./storage/volume-attributes-class.ts";

/** A definition knows its own kind; whoever holds many of them knows only that each is an object. */
const any = <T extends KubeObject>(definition: ResourceDefinition<T>): ResourceDefinition =>
  definition as unknown as ResourceDefinition;

export const builtinResources: readonly ResourceDefinition[] = [
  any(componentStatus),
  any(configMap),
  any(endpoints),
  any(event),
  any(limitRange),
  any(namespace),
  any(node),
  any(persistentVolumeClaim),
  any(persistentVolume),
  any(pod),
  any(podTemplate),
  any(replicationController),
  any(resourceQuota),
  any(secret),
  any(service),
  any(serviceAccount),
  any(controllerRevision),
  any(daemonSet),
  any(deployment),
  any(replicaSet),
  any(statefulSet),
  any(selfSubjectReview),
  any(tokenReview),
  any(localSubjectAccessReview),
  any(selfSubjectAccessReview),
  any(selfSubjectRulesReview),
  any(subjectAccessReview),
  any(horizontalPodAutoscaler),
  any(horizontalPodAutoscalerV1),
  any(cronJob),
  any(job),
  any(lease),
  any(endpointSlice),
  any(mutatingAdmissionPolicyBinding),
  any(mutatingAdmissionPolicyKind),
  any(mutatingWebhookConfiguration),
  any(validatingAdmissionPolicyBinding),
  any(validatingAdmissionPolicyKind),
  any(validatingWebhookConfiguration),
  any(csiDriver),
  any(csiNode),
  any(csiStorageCapacity),
  any(storageClass),
  any(volumeAttachment),
  any(volumeAttributesClass),
  any(ingress),
  any(apiService),
  any(deviceClass),
  any(resourceClaim),
  any(resourceClaimTemplate),
  any(resourceSlice),
  any(newerEvent),
  any(certificateSigningRequest),
  any(flowSchema),
  any(priorityLevelConfiguration),
  any(runtimeClass),
  any(ingressClass),
  any(ipAddressKind),
  any(networkPolicy),
  any(serviceCidr),
  any(podDisruptionBudget),
  any(clusterRoleBinding),
  any(clusterRole),
  any(roleBinding),
  any(role),
  any(customResourceDefinition),
  any(priorityClass),
];

/** Served where somebody measures: they are computed, and stored nowhere. */
export const measuredResources: readonly ResourceDefinition[] = [any(nodeMetrics), any(podMetrics)];
