// The control plane in one process: store, API server, controllers, scheduler and addons, joined by `direct`
// transports, each component with its own identity, authorization and admission.

import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { toError } from "#base/assert.ts";
import { realClock, type Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { realRandom, type Random } from "#base/random.ts";
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
} from "#apiserver/admission/certificate-signers.ts";
import { defaultIngressClass, defaultStorageClass } from "#apiserver/admission/default-class.ts";
import { resourceQuotaAdmission } from "#apiserver/admission/resource-quota.ts";
import { runtimeClassAdmission } from "#apiserver/admission/runtime-class.ts";
import { defaultTolerationSeconds } from "#apiserver/admission/default-toleration-seconds.ts";
import { limitRanger } from "#apiserver/admission/limit-ranger.ts";
import { namespaceLifecycle } from "#apiserver/admission/namespace-lifecycle.ts";
import { nodeRestriction } from "#apiserver/admission/node-restriction.ts";
import { priorityAdmission } from "#apiserver/admission/priority.ts";
import { serviceAccountAdmission } from "#apiserver/admission/service-account.ts";
import { mutatingAdmissionPolicy } from "#apiserver/admission/mutating-policy.ts";
import { validatingAdmissionPolicy } from "#apiserver/admission/validating-policy.ts";
import { mutatingWebhooks, validatingWebhooks } from "#apiserver/admission/webhooks.ts";
import type { AdmissionPlugin, AdmissionReads } from "#apiserver/admission/contract.ts";
import {
  bootstrapTokenAuthenticator,
  certificateAuthenticator,
  serviceAccountAuthenticator,
  serviceAccountCaller,
  tokenFileAuthenticator,
  unionAuthenticator,
} from "#apiserver/auth/authenticators.ts";
import {
  alwaysAllow,
  alwaysDeny,
  chainAuthorizers,
  privilegedGroupAuthorizer,
} from "#apiserver/auth/authorizers.ts";
import type { Authenticator, Authorizer } from "#apiserver/auth/contract.ts";
import { nodeAuthorizer } from "#apiserver/auth/node-authorizer.ts";
import { escalationCheck } from "#apiserver/auth/escalation.ts";
import { rbacAuthorizer, rulesFor, type RbacView } from "#apiserver/auth/rbac.ts";
import { reconcileBootstrapRoles } from "#apiserver/auth/reconcile-bootstrap.ts";
import { createNodeView, createRbacView } from "#apiserver/auth/views.ts";
import { startListener, type Listener } from "#apiserver/http/listener.ts";
import type { ComputedObjects, FeatureGate } from "#apiserver/context.ts";
import { createApiServer, type ApiServer } from "#apiserver/server.ts";
import { coreSubresources } from "#apiserver/subresources/table.ts";
import { createClient, type Client } from "#client/client.ts";
import type { Pool } from "#cloud/address-plan.ts";
import { startLoadBalancer } from "#cloud/load-balancer.ts";
import { startControllers, type ControllerOptions } from "#controllers/index.ts";
import { customResourceCleanupController } from "#controllers/custom-resource-cleanup.ts";
import { customResourceNamesController } from "#controllers/custom-resource-names.ts";
import { kubernetesServiceController } from "#controllers/kubernetes-service.ts";
import { systemNamespacesController } from "#controllers/system-namespaces.ts";
import { Secrets } from "#client/refs.ts";
import { lastUsedLabel } from "#resources/core/legacy-token.ts";
import { startDnsService } from "#dns/service.ts";
import type { Caller } from "#machinery/api-request.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { startHollowNodes, type HollowNodesOptions } from "#kubelet/hollow/hollow-nodes.ts";
import { startResourceMetrics, type ResourceMetrics } from "#metrics/resource-metrics.ts";
import { createTokenSigner, type TokenSigner } from "#pki/service-account-tokens.ts";
import { ensureClusterPki, type ClusterPki } from "#pki/cluster-pki.ts";
import type { Component } from "#reconcile/component.ts";
import { startController } from "#reconcile/controller.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import { startLeaderElection } from "#reconcile/leader-election.ts";
import { betaResources } from "#resources/beta-versions.ts";
import { builtinResources, measuredResources } from "#resources/index.ts";
import { startScheduler, type SchedulerOptions } from "#scheduler/index.ts";
import { openStore, type StoreOptions } from "#store/open.ts";
import type { Store } from "#store/store.ts";
import { ensureBootstrapObjects } from "./bootstrap-objects.ts";
import { ensureFixedObjects } from "./fixed-objects.ts";

export type AuthorizationMode = "RBAC" | "Node" | "AlwaysAllow" | "AlwaysDeny";

export interface ControlPlaneOptions {
  readonly dataDir: string;
  readonly store: StoreOptions;
  readonly bindAddress: string;
  readonly securePort: number;
  /** The address that nodes and the `kubernetes` Service use. */
  readonly advertiseAddress: string;
  readonly clusterName: string;
  readonly serviceClusterIpRange: string;
  readonly serviceNodePortRange: { readonly from: number; readonly to: number };
  readonly clusterDns: string;
  readonly authorizationModes: readonly AuthorizationMode[];
  /** Names of admission plug-ins that run. */
  readonly admissionPlugins: ReadonlySet<string>;
  readonly tokens?: ReadonlyMap<string, Caller>;
  /** Secrets with bootstrap tokens let nodes in. */
  readonly bootstrapTokens?: boolean;
  /** More authorities (PEM) whose client certificates say who is calling. */
  readonly clientAuthorities?: readonly string[];
  readonly defaultTolerationSeconds: { readonly notReady: number; readonly unreachable: number };
  /** As `--controllers`. */
  readonly controllers: readonly string[];
  /** How controllers do what they do, where that is not the default. */
  readonly controllerOptions?: Partial<ControllerOptions>;
  readonly loadBalancerPool?: Pool;
  /** Several servers share one store: controllers and scheduler run where the Lease is held. */
  readonly leaderElect?: boolean;
  /** Features that are off unless asked for. */
  readonly features?: ReadonlySet<FeatureGate>;
  /** Beta versions (`GROUP/VERSION`) that are served beside the stable ones. */
  readonly betaVersions?: ReadonlySet<string>;
  readonly extraNames: readonly string[];
  /** As a KubeSchedulerConfiguration has them. */
  readonly scheduler?: SchedulerOptions;
  /** Nodes that run nothing, in this process. */
  readonly hollowNodes?: HollowNodesOptions;
  /** How often watches are told how far they are; a minute. */
  readonly bookmarkEveryMs?: number;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface ControlPlane {
  readonly server: ApiServer;
  readonly pki: ClusterPki;
  readonly port: number;
  /** As the administrator. */
  readonly client: Client;
  /** Changes with every write, and with every request of a component in this process. */
  readonly activity: () => number;
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export const admissionPluginNames = [
  "NamespaceLifecycle",
  "LimitRanger",
  "ServiceAccount",
  "Priority",
  "DefaultTolerationSeconds",
  "DefaultStorageClass",
  "RuntimeClass",
  "CertificateApproval",
  "CertificateSigning",
  "CertificateSubjectRestriction",
  "DefaultIngressClass",
  "NodeRestriction",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionWebhook",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionWebhook",
  "ResourceQuota",
] as const;

const issuer = "https://kubernetes.default.svc.cluster.local";
const loopback: Caller = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };
const user = (name: string): Caller => ({ name, groups: ["system:authenticated"] });

/** The first address of a range is the `kubernetes` Service's. */
export function firstAddress(cidr: string): string {
  const parts = (cidr.split("/")[0] as string).split(".").map(Number);
  parts[3] = (parts[3] as number) + 1;
  return parts.join(".");
}

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).filter(({ family }) => family === "IPv4").map(({ address }) => address),
  );
}

function makePki(options: ControlPlaneOptions, clock: Clock): Promise<ClusterPki> {
  const { dataDir, advertiseAddress, bindAddress, serviceClusterIpRange, extraNames } = options;
  const isIp = (name: string): boolean => /^[\d.]+$|:/.test(name);
  const bound = bindAddress === "0.0.0.0" ? localAddresses() : [bindAddress];
  const names = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ];
  return ensureClusterPki({
    dir: join(dataDir, "pki"),
    nowMs: clock.now(),
    dnsNames: [...names, ...extraNames.filter((name) => !isIp(name))],
    ipAddresses: [
      ...new Set([
        "127.0.0.1",
        firstAddress(serviceClusterIpRange),
        advertiseAddress,
        ...bound,
        ...extraNames.filter(isIp),
      ]),
    ],
  });
}

/** What `get componentstatuses` shows: component → why it is not healthy, or undefined. */
type Health = Map<string, string | undefined>;

function componentStatuses(health: Health): KubeObject[] {
  return [...health].sort().map(([name, error]) => ({
    metadata: { name },
    conditions: [
      {
        type: "Healthy",
        status: error === undefined ? "True" : "False",
        ...(error === undefined ? { message: "ok" } : { error }),
      },
    ],
  }));
}

/** Follows a component's life into the health table. */
function follow(health: Health, name: string, component: Component): Component {
  health.set(name, "starting");
  component.ready.then(
    () => health.set(name, undefined),
    (error: unknown) => health.set(name, toError(error).message),
  );
  component.done.catch((error: unknown) => health.set(name, toError(error).message));
  return component;
}

interface Late<T> {
  value: T | undefined;
}

/** What needs the server that needs it. */
interface Lates {
  readonly authorizer: Late<Authorizer>;
  readonly rbac: Late<RbacView>;
  readonly server: Late<ApiServer>;
  readonly metrics: Late<ResourceMetrics>;
}

/** Authorizers look at objects, which the server that they guard serves: they are set once it stands. */
function lateAuthorizer(late: Late<Authorizer>): Authorizer {
  return {
    authorize(attributes) {
      const first = privilegedGroupAuthorizer.authorize(attributes);
      if (!(first instanceof Promise) && first.verdict === "allow") return first;
      return (
        late.value?.authorize(attributes) ?? { verdict: "no-opinion", reason: "the server is still starting" }
      );
    },
  };
}

function plugins(
  options: ControlPlaneOptions,
  reads: AdmissionReads,
  { random, clock }: { random: Random; clock: Clock },
  authorizer: Authorizer,
  escalation: AdmissionPlugin,
): AdmissionPlugin[] {
  const all: AdmissionPlugin[] = [
    namespaceLifecycle(reads),
    limitRanger(reads),
    serviceAccountAdmission(reads, random),
    priorityAdmission(reads),
    defaultTolerationSeconds(options.defaultTolerationSeconds),
    defaultStorageClass(reads),
    runtimeClassAdmission(reads),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(reads),
    nodeRestriction(reads),
    mutatingAdmissionPolicy(reads, authorizer),
    mutatingWebhooks({ reads, authorizer, random }),
    validatingAdmissionPolicy(reads, authorizer),
    validatingWebhooks({ reads, authorizer, random }),
    // The last: what somebody else refuses is not charged.
    resourceQuotaAdmission(reads, clock),
  ];
  const chosen = all.filter(({ name }) => options.admissionPlugins.has(name));
  // Part of RBAC rather than a plug-in that one may leave out.
  return options.authorizationModes.includes("RBAC") ? [...chosen, escalation] : chosen;
}

function authorizersFor(
  modes: readonly AuthorizationMode[],
  view: { rbac: Authorizer; node: Authorizer },
): Authorizer {
  const byMode: Record<AuthorizationMode, Authorizer> = {
    RBAC: view.rbac,
    Node: view.node,
    AlwaysAllow: alwaysAllow,
    AlwaysDeny: alwaysDeny,
  };
  return chainAuthorizers(modes.map((mode) => byMode[mode]));
}

/** Starts everything; resolves when the API answers. Controllers and scheduler follow on their own. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { log, clock = realClock, random = realRandom } = options;
  const [pki, store] = await Promise.all([makePki(options, clock), openStore(options.store, clock)]);
  try {
    return await startOver(options, { pki, store, log, clock, random });
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Base {
  readonly pki: ClusterPki;
  readonly store: Store;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

async function startOver(options: ControlPlaneOptions, base: Base): Promise<ControlPlane> {
  const { pki, store, log, clock, random } = base;
  const signer = createTokenSigner({ privateKey: pki.serviceAccountKey, issuer });
  const late: Lates = {
    authorizer: { value: undefined },
    rbac: { value: undefined },
    server: { value: undefined },
    metrics: { value: undefined },
  };
  const lookup = {
    get: async (resource: string, namespace: string, name: string) =>
      late.server.value?.reads.get("", resource, namespace, name),
    noteUse: (namespace: string, name: string, day: string): void => {
      if (late.server.value === undefined) return;
      const patch = { metadata: { labels: { [lastUsedLabel]: day } } };
      createClient(late.server.value.direct(loopback))
        .patch(Secrets, namespace, name, "merge", patch)
        .catch((error: unknown) =>
          log.debug("the use of a token was not noted", { name, error: toError(error) }),
        );
    },
  };
  const health: Health = new Map([["etcd-0", undefined]]);
  const tokens = { signer, audiences: [issuer], lookup, clock, random };
  const authorizer = lateAuthorizer(late.authorizer);
  const escalation = escalationCheck({ view: () => late.rbac.value, authorizer });
  const resources = [
    ...builtinResources,
    ...betaResources(options.betaVersions ?? new Set()),
    ...measuredResources,
  ];
  const server = await createApiServer({
    store,
    resources,
    settings: {
      serviceClusterIpRanges: [options.serviceClusterIpRange],
      serviceNodePortRange: options.serviceNodePortRange,
    },
    clock,
    random,
    log,
    admission: (reads) => plugins(options, reads, { random, clock }, authorizer, escalation),
    authenticator: authenticatorFor(options, signer, lookup, clock),
    authorizer,
    subresources: coreSubresources({
      kubelet: { authority: pki.authority.certificate, client: pki.kubeletClient },
      tokens,
    }),
    computed: new Map<string, ComputedObjects>([
      ["/componentstatuses", () => Promise.resolve(componentStatuses(health))],
      ["metrics.k8s.io/nodes", async (_, name) => (await late.metrics.value?.nodes(name)) ?? []],
      [
        "metrics.k8s.io/pods",
        async (namespace, name) => (await late.metrics.value?.pods(namespace, name)) ?? [],
      ],
    ]),
    rulesOf: (caller, namespace) => {
      const view = late.rbac.value;
      return view === undefined ? [] : [...rulesFor(view, caller, namespace)].map(({ rule }) => rule);
    },
    readyChecks: [
      {
        name: "poststarthook/rbac/bootstrap-roles",
        check: () => {
          if (late.authorizer.value === undefined) throw new Error("not finished");
        },
      },
    ],
    features: options.features ?? new Set(),
    ...(options.bookmarkEveryMs === undefined ? {} : { bookmarkEveryMs: options.bookmarkEveryMs }),
    issuer,
    jwks: () => signer.jwks(),
  });
  late.server.value = server;
  const clientOf = (caller: Caller, userAgent: string): Client =>
    createClient(server.direct(caller), { userAgent });
  const admin = clientOf(loopback, "kube-apiserver");

  await Promise.all([
    reconcileBootstrapRoles(admin),
    ensureBootstrapObjects(admin, { clusterIp: firstAddress(options.serviceClusterIpRange) }),
    ensureFixedObjects(admin, {
      definitions: resources,
      serviceRanges: [options.serviceClusterIpRange],
      nowMs: clock.now(),
    }),
  ]);
  const authorizationInformers = createInformerFactory(admin, { clock, random, log });
  const rbacView = createRbacView(authorizationInformers);
  const views = {
    rbac: rbacAuthorizer(rbacView),
    node: nodeAuthorizer(createNodeView(authorizationInformers)),
  };
  await authorizationInformers.start();
  late.rbac.value = rbacView;
  late.authorizer.value = authorizersFor(options.authorizationModes, views);

  const listener = await startListener({
    address: options.bindAddress,
    port: options.securePort,
    certificate: pki.server.certificate,
    key: pki.server.key,
    clientAuthorities: [pki.authority.certificate, ...(options.clientAuthorities ?? [])],
    log,
    handle: (request, credentials) => server.authenticateAndHandle(request, credentials),
  });
  const loops = startLoops(options, base, server, clientOf, {
    health,
    port: listener.port,
    metrics: late.metrics,
  });
  return {
    server,
    pki,
    port: listener.port,
    client: admin,
    activity: () => store.revision + server.directRequests,
    // A store that failed to write is only good again when it is opened anew, which takes a new process.
    done: Promise.race([loops.done, store.failed.then((error) => Promise.reject(error))]),
    stop: () => stopAll(loops, listener, authorizationInformers, server, store),
  };
}

function authenticatorFor(
  options: ControlPlaneOptions,
  signer: TokenSigner,
  lookup: Parameters<typeof serviceAccountAuthenticator>[0]["lookup"],
  clock: Clock,
): Authenticator {
  return unionAuthenticator([
    certificateAuthenticator,
    ...(options.tokens === undefined ? [] : [tokenFileAuthenticator(options.tokens)]),
    serviceAccountAuthenticator({ signer, audiences: [issuer], lookup, clock }),
    ...(options.bootstrapTokens === true ? [bootstrapTokenAuthenticator(lookup, clock)] : []),
  ]);
}

interface Loops {
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

const nodeCaller = (node: string): Caller => ({
  name: `system:node:${node}`,
  groups: ["system:nodes", "system:authenticated"],
});

/** The ordered table of what runs beside the API server. */
function startLoops(
  options: ControlPlaneOptions,
  base: Base,
  server: ApiServer,
  clientOf: (caller: Caller, agent: string) => Client,
  {
    health,
    port,
    metrics,
  }: { readonly health: Health; readonly port: number; readonly metrics: Late<ResourceMetrics> },
): Loops {
  const { log, clock, random, pki } = base;
  const manager = user("system:kube-controller-manager");
  const informers = createInformerFactory(clientOf(manager, "kube-controller-manager"), {
    clock,
    random,
    log,
  });
  const accountCaller = (account: string): Caller =>
    serviceAccountCaller({ namespace: "kube-system", name: account, uid: "" });
  const deps = (caller: Caller) => ({ transport: server.direct(caller), clock, random, log });
  const startManager = (): Component =>
    startControllers(
      {
        rootCa: pki.authority.certificate,
        authority: pki.authority,
        storageMigrations: options.betaVersions?.has("storagemigration.k8s.io/v1beta1") === true,
        tokenSigner: createTokenSigner({ privateKey: pki.serviceAccountKey, issuer }),
        controllers: options.controllers,
        ...options.controllerOptions,
      },
      {
        clock,
        random,
        log,
        informers,
        clientFor: (account) => clientOf(accountCaller(account), `kube-controller-manager/${account}`),
      },
    );
  const schedulerClient = clientOf(user("system:kube-scheduler"), "kube-scheduler");
  const startScheduling = (): Component =>
    startScheduler(options.scheduler ?? {}, { clock, random, log, informers, client: schedulerClient });
  // Only one of several servers may run these; alone, there is nobody to elect against.
  const led = (name: string, client: Client, lead: () => Component): Component =>
    options.leaderElect === true
      ? startLeaderElection(
          { client, namespace: "kube-system", name, identity: `${hostname()}_${random.uuid()}`, lead },
          { clock, random, log },
        )
      : lead();
  const own = { client: clientOf(loopback, "kube-apiserver"), informers, clock, log };
  const clusterIp = firstAddress(options.serviceClusterIpRange);
  const hollow =
    options.hollowNodes === undefined
      ? undefined
      : startHollowNodes(options.hollowNodes, {
          transportFor: (node) => server.direct(nodeCaller(node)),
          informers,
          clock,
          random,
          log,
        });
  const measuring = startResourceMetrics({
    transport: server.direct(loopback),
    informers,
    clock,
    log,
    inProcess: (node) => hollow?.resourceMetrics(node),
  });
  metrics.value = measuring;
  const components: Component[] = [
    follow(
      health,
      "controller-manager",
      led("kube-controller-manager", clientOf(manager, "kube-controller-manager"), startManager),
    ),
    follow(health, "scheduler", led("kube-scheduler", schedulerClient, startScheduling)),
    startController(kubernetesServiceController({ clusterIp, address: options.advertiseAddress, port }), own),
    startController(systemNamespacesController, own),
    startController(customResourceNamesController, own),
    startController(customResourceCleanupController, own),
    startDnsService({ clusterIp: options.clusterDns }, deps(loopback), informers),
    measuring,
    ...(hollow === undefined ? [] : [hollow]),
    ...(options.loadBalancerPool === undefined
      ? []
      : [
          startLoadBalancer(
            { pool: options.loadBalancerPool },
            deps(accountCaller("service-controller")),
            informers,
          ),
        ]),
  ];
  const started = informers.start();
  const failed = Promise.race([
    ...components.map((component) => component.done),
    started.then(() => new Promise<never>(() => undefined)),
  ]);
  return {
    done: failed.then(() => undefined),
    async stop() {
      await Promise.all(components.map((component) => component.stop()));
      await informers.stop();
    },
  };
}

async function stopAll(
  loops: Loops,
  listener: Listener,
  informers: { stop(): Promise<void> },
  server: ApiServer,
  store: Store,
): Promise<void> {
  await loops.stop();
  await listener.stop();
  await informers.stop();
  await server.stop();
  await store.close();
}
