// MutatingAdmissionWebhook and ValidatingAdmissionWebhook: which webhooks are about a request; those that change it are
// asked one after the other, those that judge it all at once.
import type { Random } from "#base/random.ts";
import { toError } from "#base/assert.ts";
import type { compileMatchConditions } from "#cel/policy-run.ts";
import type { AdmissionResponse } from "#machinery/gen/types/admission-v1.ts";
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { applyJsonPatch } from "#machinery/patch/json-patch.ts";
import { forbiddenError, internalError } from "#machinery/status.ts";
import { isDeepStrictEqual } from "node:util";
import type { Authorizer } from "../auth/contract.ts";
import { admissionGroup, isExempt, PolicyRequest } from "./bound-policies.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";
import { namespaceMatches, objectMatches, ruleMatches, viewFor } from "./match-resources.ts";
import { failedCall, review, WebhookFailure, type Webhook } from "./webhook-review.ts";

export interface WebhookOptions {
  readonly reads: AdmissionReads;
  readonly authorizer: Authorizer;
  readonly random: Random;
}

type Conditions = ReturnType<typeof compileMatchConditions>;
type Configuration = KubeObject & (ValidatingWebhookConfiguration | MutatingWebhookConfiguration);

/** What webhooks are told of one request. */
class WebhookRequest {
  private readonly options: WebhookOptions;
  private readonly seen: PolicyRequest;
  private readonly request: AdmissionRequest;
  private readonly mutating: boolean;
  private readonly conditions: WeakMap<object, Conditions>;

  constructor(
    options: WebhookOptions,
    request: AdmissionRequest,
    mutating: boolean,
    conditions: WeakMap<object, Conditions>,
  ) {
    this.options = options;
    this.request = request;
    this.mutating = mutating;
    this.conditions = conditions;
    this.seen = new PolicyRequest(request, options.reads, options.authorizer);
  }

  /** The request as the webhook shall see it; undefined where it is not about it. */
  async seenBy(hook: Webhook): Promise<AdmissionRequest | undefined> {
    const { request } = this;
    const { rules = [], matchPolicy, matchConditions = [] } = hook;
    const view = viewFor(matchPolicy, request, (one) => rules.some((rule) => ruleMatches(rule, one)));
    if (view === undefined) return undefined;
    const namespace = await this.seen.namespace();
    if (!namespaceMatches(hook.namespaceSelector, request, namespace)) return undefined;
    if (!objectMatches(hook.objectSelector, request)) return undefined;
    const seen = await view();
    if (matchConditions.length === 0) return seen;
    let compiled = this.conditions.get(hook);
    if (compiled === undefined) {
      const { compileMatchConditions: compile } = await import("#cel/policy-run.ts");
      this.conditions.set(hook, (compiled = compile(matchConditions, "matchConditions")));
    }
    const { matches } = compiled;
    const matching = await this.seen.answers.settle(() => matches(this.seen.facts(undefined, seen)));
    if (matching.error === undefined) return matching.matched ? seen : undefined;
    if (hook.failurePolicy === "Ignore") return undefined;
    throw forbiddenError(request.resource, request.name, matching.error);
  }

  /** The answer; undefined where there is none, and none is needed. */
  async ask(hook: Webhook, request: AdmissionRequest): Promise<AdmissionResponse | undefined> {
    const { reads, random } = this.options;
    const question = {
      uid: random.uuid(),
      request,
      facts: this.seen.facts(undefined, request).request,
      mutating: this.mutating,
    };
    try {
      return await review(hook, question, { resolve: (...where) => reads.addressOf(...where) });
    } catch (error) {
      if (!(error instanceof WebhookFailure)) throw error;
      if (hook.failurePolicy === "Ignore") return undefined;
      throw failedCall(hook.name, error);
    }
  }
}

/** Asks where there are webhooks: all of them, in the order of their configurations' names. */
function whereHooks(
  reads: AdmissionReads,
  resource: string,
  askAll: (request: AdmissionRequest, hooks: readonly Webhook[]) => Promise<void>,
): (request: AdmissionRequest) => Promise<void> | undefined {
  const all = async (request: AdmissionRequest): Promise<void> => {
    const configurations = await reads.list<Configuration>(admissionGroup, resource, "");
    await askAll(
      request,
      configurations.flatMap(({ webhooks = [] }): readonly Webhook[] => webhooks),
    );
  };
  return (request) => (!reads.has(admissionGroup, resource) || isExempt(request) ? undefined : all(request));
}

export function validatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  const conditions = new WeakMap<object, Conditions>();
  return {
    name: "ValidatingAdmissionWebhook",
    connects: true,
    validate: whereHooks(options.reads, "validatingwebhookconfigurations", async (request, hooks) => {
      const asked = new WebhookRequest(options, request, false, conditions);
      const outcomes = await Promise.allSettled(
        hooks.map(async (hook) => {
          const seen = await asked.seenBy(hook);
          if (seen !== undefined) await asked.ask(hook, seen);
        }),
      );
      // Many may refuse: the first of them is the answer.
      for (const outcome of outcomes) if (outcome.status === "rejected") throw toError(outcome.reason);
    }),
  };
}

export function mutatingWebhooks(options: WebhookOptions): AdmissionPlugin {
  const conditions = new WeakMap<object, Conditions>();
  return {
    name: "MutatingAdmissionWebhook",
    connects: true,
    mutate: whereHooks(options.reads, "mutatingwebhookconfigurations", async (request, hooks) => {
      const asked = new WebhookRequest(options, request, true, conditions);
      const called: Webhook[] = [];
      /** How many of those called came before the last change. */
      let changedAfter = 0;
      for (const hook of hooks) {
        const seen = await asked.seenBy(hook);
        if (seen === undefined) continue;
        if (await change(seen, await asked.ask(hook, seen))) changedAfter = called.length;
        called.push(hook);
      }
      for (const hook of called.slice(0, changedAfter)) {
        if ((hook as MutatingWebhook).reinvocationPolicy !== "IfNeeded") continue;
        const seen = await asked.seenBy(hook);
        if (seen !== undefined) await change(seen, await asked.ask(hook, seen));
      }
    }),
  };
}

/** Whether the object is another one now. */
async function change(request: AdmissionRequest, response: AdmissionResponse | undefined): Promise<boolean> {
  if (!response?.patch) return false;
  if (request.object === undefined)
    throw internalError(
      "admission webhook attempted to modify the object, which is not supported for this operation",
    );
  const before = structuredClone(request.object);
  let after: unknown;
  try {
    const patch = JSON.parse(Buffer.from(response.patch, "base64").toString()) as unknown;
    after = applyJsonPatch(structuredClone(request.object), patch);
  } catch (error) {
    throw internalError(toError(error).message);
  }
  if (isDeepStrictEqual(before, after)) return false;
  await request.replace(after);
  return true;
}
