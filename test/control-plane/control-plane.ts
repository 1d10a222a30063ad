// A whole control plane for tests, without sockets: API server over the memory store, controllers and scheduler
// over direct transports with their own identities and real RBAC. Nodes and kubelets are played by the test.

import { realClock, type Clock } from "#base/clock.ts";
import { createLogger, silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { createApiServer, type ApiServer } from "#apiserver/server.ts";
import { chainAuthorizers, privilegedGroupAuthorizer } from "#apiserver/auth/authorizers.ts";
import type { Authorizer } from "#apiserver/auth/contract.ts";
import { rbacAuthorizer } from "#apiserver/auth/rbac.ts";
import { reconcileBootstrapRoles } from "#apiserver/auth/reconcile-bootstrap.ts";
import { createRbacView } from "#apiserver/auth/views.ts";
import { defaultTolerationSeconds } from "#apiserver/admission/default-toleration-seconds.ts";
import { limitRanger } from "#apiserver/admission/limit-ranger.ts";
import { namespaceLifecycle } from "#apiserver/admission/namespace-lifecycle.ts";
import { eviction } from "#apiserver/subresources/eviction.ts";
import { resourceQuotaAdmission } from "#apiserver/admission/resource-quota.ts";
import { finalizeNamespace } from "#apiserver/subresources/finalize.ts";
import { binding } from "#apiserver/subresources/pods.ts";
import { createClient, type Client } from "#client/client.ts";
import { Namespaces, Nodes, Pods } from "#client/refs.ts";
import { startControllers, type ControllerOptions } from "#controllers/index.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import { startScheduler, type SchedulerOptions } from "#scheduler/index.ts";
import { betaResources } from "#resources/beta-versions.ts";
import { builtinResources } from "#resources/index.ts";
import { openStore } from "#store/open.ts";

export interface ControlPlane {
  readonly server: ApiServer;
  /** As system:masters. */
  readonly admin: Client;
  stop(): Promise<void>;
}

export interface ControlPlaneOptions extends ControllerOptions {
  readonly clock?: Clock;
  readonly scheduler?: boolean | SchedulerOptions;
  readonly betaVersions?: readonly string[];
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const clock = options.clock ?? realClock;
  const log = process.env["LEME_TEST_LOG"] === undefined ? silentLogger : createLogger({ level: "debug" });
  const random = seededRandom(1);
  const store = await openStore({ engine: "memory" }, clock);
  let authorizer: Authorizer = privilegedGroupAuthorizer;
  const server = await createApiServer({
    store,
    resources: [...builtinResources, ...betaResources(new Set(options.betaVersions))],
    settings: {
      serviceClusterIpRanges: ["10.96.0.0/16"],
      serviceNodePortRange: { from: 30_000, to: 32_767 },
    },
    clock,
    random,
    log,
    admission: (reads) => [
      namespaceLifecycle(reads),
      limitRanger(reads),
      defaultTolerationSeconds({ notReady: 300, unreachable: 300 }),
      resourceQuotaAdmission(reads, clock),
    ],
    authenticator: { authenticate: () => undefined },
    authorizer: { authorize: (attributes) => authorizer.authorize(attributes) },
    subresources: {
      "pods/binding": binding,
      "pods/eviction": eviction,
      "namespaces/finalize": finalizeNamespace,
    },
    rulesOf: () => [],
    issuer: "https://kubernetes.default.svc",
    jwks: () => ({ keys: [] }),
  });
  const as = (name: string, ...groups: string[]): Client =>
    createClient(server.direct({ name, groups: [...groups, "system:authenticated"] }));
  const admin = as("admin", "system:masters");
  const deps = { clock, random, log };
  const shared = createInformerFactory(admin, deps, { freeze: true });
  await reconcileBootstrapRoles(admin);
  authorizer = chainAuthorizers([privilegedGroupAuthorizer, rbacAuthorizer(createRbacView(shared))]);
  for (const name of ["default", "kube-system", "kube-node-lease"])
    await admin.create(Namespaces, "", { metadata: { name } });
  const watcher = createInformerFactory(as("system:kube-controller-manager"), deps, { freeze: true });
  const schedulerInformers = createInformerFactory(as("system:kube-scheduler"), deps, { freeze: true });
  await shared.start();
  const clientFor = (account: string): Client =>
    as(
      `system:serviceaccount:kube-system:${account}`,
      "system:serviceaccounts",
      "system:serviceaccounts:kube-system",
    );
  const controllers = startControllers(options, { ...deps, clientFor, informers: watcher, check: true });
  const scheduler =
    options.scheduler === false
      ? undefined
      : startScheduler(options.scheduler === true ? {} : (options.scheduler ?? {}), {
          ...deps,
          client: as("system:kube-scheduler"),
          informers: schedulerInformers,
        });
  await watcher.start();
  await schedulerInformers.start();
  await Promise.all([controllers.ready, scheduler?.ready]);
  return {
    server,
    admin,
    async stop() {
      await scheduler?.stop();
      await controllers.stop();
      await Promise.all([watcher.stop(), schedulerInformers.stop(), shared.stop()]);
      server.check();
      await server.stop();
      await store.close();
    },
  };
}

/** A node as a kubelet registers it. */
export async function addNode(admin: Client, name: string, cpu = "4"): Promise<void> {
  const node: Node = {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    status: {
      allocatable: { cpu, memory: "8Gi", pods: "110" },
      capacity: { cpu, memory: "8Gi", pods: "110" },
      conditions: [
        { type: "Ready", status: "True", lastHeartbeatTime: new Date().toISOString().slice(0, 19) + "Z" },
      ],
    },
  };
  await admin.create(Nodes, "", node);
}

/** Plays the kubelet: a bound pod runs and is ready; one that is being deleted is gone. Returns the way to stop. */
export function playKubelets(
  admin: Client,
  isAlive: (node: string) => boolean = () => true,
): () => Promise<void> {
  const informers = createInformerFactory(admin, {
    clock: realClock,
    random: seededRandom(2),
    log: silentLogger,
  });
  const pods = informers.informer<Pod>(Pods);
  let serial = 0;
  const work = async (pod: Pod): Promise<void> => {
    const { namespace = "", name = "", deletionTimestamp } = pod.metadata ?? {};
    if (deletionTimestamp !== undefined) {
      await admin.delete(Pods, namespace, name, { gracePeriodSeconds: 0 });
      return;
    }
    if (pod.status?.phase !== "Pending") return;
    serial++;
    const podIP = `10.244.${serial >> 8}.${serial & 255}`;
    const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`;
    const status = {
      phase: "Running",
      podIP,
      podIPs: [{ ip: podIP }],
      conditions: [{ type: "Ready", status: "True", lastTransitionTime }],
    };
    await admin.patch(Pods, namespace, name, "strategic", { status }, "status");
  };
  pods.onChange((pod) => {
    const node = pod?.spec?.nodeName ?? "";
    if (pod === undefined || node === "" || !isAlive(node)) return;
    // A pod that is gone or changed meanwhile is somebody else's news.
    work(pod as Pod).catch(() => undefined);
  });
  void informers.start();
  return () => informers.stop();
}

const patienceMs = 60_000;

/** Waits until `probe` gives something. The limit only ends a test that has failed anyway. */
export async function eventually<T>(probe: () => Promise<T | undefined | false>): Promise<T> {
  const stack = new Error("it never came");
  const endMs = Date.now() + patienceMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > endMs) throw stack;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
