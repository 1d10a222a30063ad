// The controllers by name, in the order in which they start; `--controllers` chooses among them.

import type { Client } from "#client/client.ts";
import type { KeyPair } from "#pki/certificates.ts";
import type { TokenSigner } from "#pki/service-account-tokens.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import { startController, type ControllerDefinition, type ControllerDeps } from "#reconcile/controller.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { startComponents } from "#reconcile/manager.ts";
import { bootstrapSignerController, tokenCleanerController } from "./bootstrap-tokens.ts";
import {
  certificateApprovingController,
  certificateCleanerController,
  certificateSigningController,
} from "./certificates.ts";
import { clusterRoleAggregationController } from "./cluster-role-aggregation.ts";
import { cronJobController } from "./cron-job.ts";
import { daemonSetController } from "./daemon-set.ts";
import { deploymentController } from "./deployment.ts";
import { disruptionController } from "./disruption.ts";
import { endpointSliceMirroringController } from "./endpoint-slice-mirroring.ts";
import { endpointSliceController } from "./endpoint-slice.ts";
import { endpointsController } from "./endpoints.ts";
import { startGarbageCollector, type GarbageCollectorOptions } from "./garbage-collector.ts";
import { autoscalerController, type AutoscalerOptions } from "./horizontal-pod-autoscaler.ts";
import { jobController } from "./job.ts";
import { legacyTokenCleanerController, type LegacyTokenOptions } from "./legacy-token-cleaner.ts";
import { namespaceController } from "./namespace.ts";
import { nodeLifecycleController, type NodeLifecycleOptions } from "./node-lifecycle.ts";
import { podGcController, type PodGcOptions } from "./pod-gc.ts";
import { policyTypesController } from "./policy-types.ts";
import { replicaSetController } from "./replica-set.ts";
import { replicationController } from "./replication-controller.ts";
import { resourceQuotaController, type ResourceQuotaOptions } from "./resource-quota.ts";
import { rootCaController } from "./root-ca.ts";
import { serviceCidrsController } from "./service-cidrs.ts";
import { serviceAccountTokenController } from "./service-account-token.ts";
import { serviceAccountController } from "./service-account.ts";
import { statefulSetController } from "./stateful-set.ts";
import { storageVersionMigrationController } from "./storage-version-migration.ts";
import { taintEvictionController } from "./taint-eviction.ts";
import { ttlController } from "./ttl.ts";
import { ttlAfterFinishedController } from "./ttl-after-finished.ts";

export interface ControllerOptions
  extends
    NodeLifecycleOptions,
    PodGcOptions,
    GarbageCollectorOptions,
    AutoscalerOptions,
    ResourceQuotaOptions,
    LegacyTokenOptions {
  /** PEM of the CA that `kube-root-ca.crt` publishes; without one that controller does not run. */
  readonly rootCa?: string;
  /** Signs the tokens that Secrets hold; without one nobody fills those in. */
  readonly tokenSigner?: Pick<TokenSigner, "signForSecret">;
  /** Signs the certificates that are asked for; without one nobody does. */
  readonly authority?: KeyPair;
  /** StorageVersionMigrations are served. */
  readonly storageMigrations?: boolean;
  /** As `--controllers`: `*`, names, `-name`. */
  readonly controllers?: readonly string[];
}

export interface ControllersDeps extends Pick<Deps, "clock" | "random" | "log"> {
  /** A client with the identity of kube-system's service account of that name, for one controller's writes. */
  readonly clientFor: (serviceAccount: string) => Client;
  /** Shared by all; whoever made it starts and stops it. */
  readonly informers: InformerFactory;
  /** Lint every plan before it runs (tests, simulation). */
  readonly check?: boolean;
}

interface Entry {
  readonly name: string;
  /** The service account in kube-system whose role allows what it writes. */
  readonly account: string;
  /** What it runs; nothing, if the options leave out what it needs. */
  readonly start: (options: ControllerOptions, deps: ControllerDeps) => Component | undefined;
}

type Start = Entry["start"];
const loop =
  (definition: ControllerDefinition): Start =>
  (_options, deps) =>
    startController(definition, deps);

export const controllers: readonly Entry[] = [
  {
    name: "serviceaccount-controller",
    account: "service-account-controller",
    start: loop(serviceAccountController),
  },
  {
    name: "root-ca-certificate-publisher-controller",
    account: "root-ca-cert-publisher",
    start: ({ rootCa }, deps) =>
      rootCa === undefined ? undefined : startController(rootCaController(rootCa), deps),
  },
  {
    name: "serviceaccount-token-controller",
    account: "serviceaccount-token-controller",
    start: ({ tokenSigner, rootCa }, deps) =>
      tokenSigner === undefined
        ? undefined
        : startController(serviceAccountTokenController(tokenSigner, rootCa), deps),
  },
  {
    name: "legacy-serviceaccount-token-cleaner-controller",
    account: "legacy-service-account-token-cleaner",
    start: (options, deps) => startController(legacyTokenCleanerController(options), deps),
  },
  {
    name: "replicationcontroller-controller",
    account: "replication-controller",
    start: loop(replicationController),
  },
  { name: "replicaset-controller", account: "replicaset-controller", start: loop(replicaSetController) },
  { name: "deployment-controller", account: "deployment-controller", start: loop(deploymentController) },
  { name: "statefulset-controller", account: "statefulset-controller", start: loop(statefulSetController) },
  {
    name: "daemonset-controller",
    account: "daemon-set-controller",
    start: (_options, deps) => startController(daemonSetController(), deps),
  },
  { name: "job-controller", account: "job-controller", start: loop(jobController) },
  { name: "cronjob-controller", account: "cronjob-controller", start: loop(cronJobController) },
  {
    name: "ttl-after-finished-controller",
    account: "ttl-after-finished-controller",
    start: loop(ttlAfterFinishedController),
  },
  {
    name: "horizontal-pod-autoscaler-controller",
    account: "horizontal-pod-autoscaler",
    start: (options, deps) => startController(autoscalerController(options, deps.clock), deps),
  },
  {
    name: "disruption-controller",
    account: "disruption-controller",
    start: (_options, deps) => startController(disruptionController(deps.clock), deps),
  },
  {
    name: "resourcequota-controller",
    account: "resourcequota-controller",
    start: (options, deps) => startController(resourceQuotaController(options, deps.clock), deps),
  },
  { name: "endpoints-controller", account: "endpoint-controller", start: loop(endpointsController) },
  {
    name: "endpointslice-controller",
    account: "endpointslice-controller",
    start: loop(endpointSliceController),
  },
  {
    name: "endpointslice-mirroring-controller",
    account: "endpointslicemirroring-controller",
    start: loop(endpointSliceMirroringController),
  },
  {
    name: "clusterrole-aggregation-controller",
    account: "clusterrole-aggregation-controller",
    start: loop(clusterRoleAggregationController),
  },
  {
    name: "certificatesigningrequest-signing-controller",
    account: "certificate-controller",
    start: ({ authority }, deps) =>
      authority === undefined ? undefined : startController(certificateSigningController(authority), deps),
  },
  {
    name: "certificatesigningrequest-approving-controller",
    account: "certificate-controller",
    start: loop(certificateApprovingController),
  },
  {
    name: "certificatesigningrequest-cleaner-controller",
    account: "certificate-controller",
    start: loop(certificateCleanerController),
  },
  {
    name: "bootstrap-signer-controller",
    account: "bootstrap-signer",
    start: loop(bootstrapSignerController),
  },
  { name: "token-cleaner-controller", account: "token-cleaner", start: loop(tokenCleanerController) },
  {
    name: "service-cidr-controller",
    account: "service-cidrs-controller",
    start: loop(serviceCidrsController),
  },
  {
    name: "storage-version-migrator-controller",
    account: "storage-version-migrator-controller",
    start: ({ storageMigrations }, deps) =>
      storageMigrations === true
        ? startController(storageVersionMigrationController(deps.clock), deps)
        : undefined,
  },
  {
    name: "ttl-controller",
    account: "ttl-controller",
    start: (_options, deps) => startController(ttlController(), deps),
  },
  {
    name: "node-lifecycle-controller",
    account: "node-controller",
    start: (options, deps) =>
      startController(
        nodeLifecycleController(options, () => deps.clock.monotonic()),
        deps,
      ),
  },
  {
    name: "taint-eviction-controller",
    account: "node-controller",
    start: (_options, deps) => startController(taintEvictionController(deps.clock), deps),
  },
  { name: "namespace-controller", account: "namespace-controller", start: loop(namespaceController) },
  {
    name: "garbage-collector-controller",
    account: "generic-garbage-collector",
    start: (options, deps) => startGarbageCollector(options, deps),
  },
  {
    name: "validatingadmissionpolicy-status-controller",
    account: "validatingadmissionpolicy-status-controller",
    start: loop(policyTypesController),
  },
  {
    name: "pod-garbage-collector-controller",
    account: "pod-garbage-collector",
    start: (options, deps) =>
      startController(
        podGcController(options, () => deps.clock.monotonic()),
        deps,
      ),
  },
];

/** Names that controllers had before, and that are still understood. */
const formerNames: Readonly<Record<string, string>> = {
  "serviceaccount-token": "serviceaccount-token-controller",
  endpoint: "endpoints-controller",
  endpointslice: "endpointslice-controller",
  endpointslicemirroring: "endpointslice-mirroring-controller",
  replicationcontroller: "replicationcontroller-controller",
  podgc: "pod-garbage-collector-controller",
  resourcequota: "resourcequota-controller",
  namespace: "namespace-controller",
  serviceaccount: "serviceaccount-controller",
  garbagecollector: "garbage-collector-controller",
  daemonset: "daemonset-controller",
  job: "job-controller",
  deployment: "deployment-controller",
  replicaset: "replicaset-controller",
  horizontalpodautoscaling: "horizontal-pod-autoscaler-controller",
  disruption: "disruption-controller",
  statefulset: "statefulset-controller",
  cronjob: "cronjob-controller",
  csrsigning: "certificatesigningrequest-signing-controller",
  csrapproving: "certificatesigningrequest-approving-controller",
  csrcleaner: "certificatesigningrequest-cleaner-controller",
  ttl: "ttl-controller",
  bootstrapsigner: "bootstrap-signer-controller",
  tokencleaner: "token-cleaner-controller",
  nodelifecycle: "node-lifecycle-controller",
  "clusterrole-aggregation": "clusterrole-aggregation-controller",
  "ttl-after-finished": "ttl-after-finished-controller",
  "root-ca-cert-publisher": "root-ca-certificate-publisher-controller",
  "legacy-service-account-token-cleaner": "legacy-serviceaccount-token-cleaner-controller",
  "validatingadmissionpolicy-status": "validatingadmissionpolicy-status-controller",
};

/** The name as it is now; `-` in front stays. */
function nameOf(item: string): string {
  const isNot = item.startsWith("-");
  const name = isNot ? item.slice(1) : item;
  const now = Object.hasOwn(formerNames, name) ? (formerNames[name] ?? name) : name;
  return isNot ? `-${now}` : now;
}

/** The entries that `--controllers` asks for. Throws on a name that nothing has. */
export function selectControllers(given: readonly string[] = ["*"]): readonly Entry[] {
  const wanted = given.map(nameOf);
  const known = new Set(controllers.map(({ name }) => name));
  for (const item of wanted) {
    const name = item.startsWith("-") ? item.slice(1) : item;
    if (item !== "*" && !known.has(name))
      throw new Error(`${JSON.stringify(name)} is not in the list of known controllers`);
  }
  return controllers.filter(
    ({ name }) => wanted.includes(name) || (wanted.includes("*") && !wanted.includes(`-${name}`)),
  );
}

/** Starts the chosen controllers as one component. The informers must be started by their owner. */
export function startControllers(options: ControllerOptions, deps: ControllersDeps): Component {
  const list = selectControllers(options.controllers).map(({ name, account, start }) => ({
    name,
    early: true,
    start: () => start(options, { ...deps, client: deps.clientFor(account) }),
  }));
  return startComponents("controllers", list, deps.log);
}
