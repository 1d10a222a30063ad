// The API server as a function of requests: caches, pipeline, transports. No sockets (http/ has those).

import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import { Turns } from "#base/turns.ts";
import { bookmarkEveryMs } from "./verbs/watch.ts";
import type { ApiRequest, ApiResponse, Caller, Transport } from "#machinery/api-request.ts";
import type { ClusterSettings, ResourceDefinition } from "#machinery/define-resource.ts";
import { ApiError } from "#machinery/status.ts";
import { CompactedError, type Store } from "#store/store.ts";
import { toError } from "#base/assert.ts";
import type { AdmissionPlugin, AdmissionReads } from "./admission/contract.ts";
import { withServiceRanges } from "./service-ranges.ts";
import { admissionReads } from "./admission-reads.ts";
import { errorAnswer } from "./answer.ts";
import { expressionChecks } from "./check-expressions.ts";
import type { Authenticator, Authorizer, Credentials } from "./auth/contract.ts";
import { startCaches } from "./caches.ts";
import { startClaims } from "./claims.ts";
import type { ComputedObjects, FeatureGate, ServerContext } from "./context.ts";
import { serviceAddress } from "./custom/service-address.ts";
import type { WebhookDeps } from "./http/webhook-client.ts";
import { followDefinitions } from "./custom/follow-definitions.ts";
import { createDiscovery } from "./discovery.ts";
import { createLeases } from "./leases.ts";
import { createOpenApi } from "./openapi.ts";
import { createPaths, type HealthCheck } from "./paths.ts";
import { createPipeline } from "./pipeline.ts";
import { createRegistry } from "./registry.ts";
import { createReviews, type ReviewOptions } from "./reviews.ts";
import { scale } from "./subresources/scale.ts";
import type { SubresourceHandler } from "./subresources/contract.ts";

export interface ApiServerOptions {
  readonly store: Store;
  readonly resources: readonly ResourceDefinition[];
  readonly settings: ClusterSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Made from the server's own reads, which they may use. */
  readonly admission: (reads: AdmissionReads) => readonly AdmissionPlugin[];
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Handlers by `resource/subresource` of the core group, or `resource.group/subresource`. */
  readonly subresources: Readonly<Record<string, SubresourceHandler>>;
  /** Resources that are computed when asked for, by `group/resource`. */
  readonly computed?: ReadonlyMap<string, ComputedObjects>;
  /** All RBAC rules that a caller has, in a namespace and cluster-wide. */
  readonly rulesOf: ReviewOptions["rulesOf"];
  readonly features?: ReadonlySet<FeatureGate>;
  readonly readyChecks?: readonly HealthCheck[];
  readonly issuer: string;
  readonly jwks: () => Record<string, unknown>;
  /** Old revisions are forgotten after this long. */
  readonly historyMs?: number;
  /** How often a watch that asked for bookmarks is told how far it is, though nothing came; a minute. */
  readonly bookmarkEveryMs?: number;
  /** What turns of the event loop are measured by, in milliseconds; a simulation's stands still. */
  readonly turnClock?: () => number;
}

export interface ApiServer {
  handle(request: ApiRequest, caller: Caller): Promise<ApiResponse>;
  authenticateAndHandle(request: ApiRequest, credentials: Credentials): Promise<ApiResponse>;
  /** A transport with a fixed identity, for components of the same process. */
  direct(caller: Caller): Transport;
  /** How many requests have come that way. */
  readonly directRequests: number;
  readonly reads: AdmissionReads;
  /** How many watches are open. */
  readonly watchers: number;
  /** Asserts that what is in memory is of one piece: for tests. */
  check(): void;
  stop(): Promise<void>;
}

const defaultHistoryMs = 5 * 60_000;

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, random, log } = options;
  const registry = createRegistry(options.resources);
  const caches = await startCaches(
    store,
    registry.definitions.map((one) => one.storage),
    { log, clock },
  );
  const claims = await startClaims(store, { log, clock });
  const reads = admissionReads({ registry, caches, random, store });
  const context: ServerContext = {
    store,
    caches,
    claims,
    registry,
    admission: options.admission(reads),
    authorizer: options.authorizer,
    settings: withServiceRanges(options.settings, caches),
    leases: createLeases(store, clock),
    features: options.features ?? new Set(),
    computed: options.computed ?? new Map(),
    checks: new Map([
      ...expressionChecks,
      [
        "apiextensions.k8s.io/customresourcedefinitions",
        async (next, old) => (await import("./custom/check-definition.ts")).checkDefinition(next, old),
      ],
    ]),
    reviews: createReviews(options),
    bookmarkEveryMs: options.bookmarkEveryMs ?? bookmarkEveryMs,
    clock,
    random,
    log,
  };
  const custom = await followDefinitions(context, async () => {
    const { definitionCompiler } = await import("./custom/compile-definition.ts");
    const { webhookConverter } = await import("./custom/conversion-webhook.ts");
    const resolve: WebhookDeps["resolve"] = (namespace, name, port) =>
      serviceAddress(caches, random, { namespace, name, port });
    return definitionCompiler(webhookConverter({ resolve, random }));
  });
  const openapi = createOpenApi(registry, clock);
  const paths = createPaths({
    discovery: createDiscovery(registry),
    openapi,
    checks: [
      { name: "ping", check: () => undefined },
      { name: "etcd", check: async () => void (await store.progress()) },
    ],
    readyChecks: options.readyChecks ?? [],
    issuer: options.issuer,
    jwks: options.jwks,
  });
  const pipeline = createPipeline(context, paths, {
    find(definition, subresource) {
      if (subresource === "scale" && definition.scale !== undefined) return scale;
      const name =
        definition.group === "" ? definition.resource : `${definition.resource}.${definition.group}`;
      return definition.subresources[subresource] === undefined
        ? undefined
        : options.subresources[`${name}/${subresource}`];
    },
  });
  const turns = new Turns(options.turnClock);
  let directRequests = 0;
  const stopCompaction = startCompaction(store, clock, log, options.historyMs ?? defaultHistoryMs);

  return {
    handle: (request, caller) => pipeline.handle(request, caller),
    async authenticateAndHandle(request, credentials) {
      let caller: Caller | undefined;
      try {
        caller = await options.authenticator.authenticate(credentials);
      } catch (error) {
        if (error instanceof ApiError) return errorAnswer(error);
        throw error;
      }
      return pipeline.handle(
        request,
        caller ?? { name: "system:anonymous", groups: ["system:unauthenticated"] },
      );
    },
    direct: (caller) => ({
      request: (request) => {
        directRequests++;
        const wait = turns.enter();
        return wait === undefined
          ? pipeline.handle(request, caller)
          : wait.then(() => pipeline.handle(request, caller));
      },
      close: () => Promise.resolve(),
    }),
    get directRequests() {
      return directRequests;
    },
    reads,
    get watchers() {
      return caches.watchers;
    },
    check: () => caches.check(),
    stop() {
      stopCompaction();
      custom.stop();
      openapi.stop();
      caches.stop();
      claims.stop();
      return Promise.resolve();
    },
  };
}

/** Forgets revisions that are older than `historyMs`: each period what was the newest a period ago. */
function startCompaction(store: Store, clock: Clock, log: Logger, historyMs: number): () => void {
  let before = store.revision;
  let stopped = false;
  const schedule = (): void => {
    clock.after(historyMs, () => {
      if (stopped) return;
      const revision = before;
      before = store.revision;
      const done = revision > store.compactedRevision ? store.compact(revision) : Promise.resolve();
      done
        .catch((error: unknown) => {
          if (!(error instanceof CompactedError))
            log.warn("old revisions cannot be compacted", { error: toError(error) });
        })
        .finally(schedule);
    });
  };
  schedule();
  return () => {
    stopped = true;
  };
}
