// Questions that are asked by creating an object, and answered in its status: who is this (authentication.k8s.io), may
// they (authorization.k8s.io). Nothing is stored.

import type { Caller } from "#machinery/api-request.ts";
import type { FieldSelector } from "#machinery/field-selectors.ts";
import type {
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
  SubjectRulesReviewStatus,
} from "#machinery/gen/types/authorization-v1.ts";
import type { SelfSubjectReview, TokenReview, UserInfo } from "#machinery/gen/types/authentication-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { invalidObject, isApiError } from "#machinery/status.ts";
import { timestamp } from "#base/clock.ts";
import type { Attributes, Authenticator, Authorizer } from "./auth/contract.ts";
import type { PolicyRule } from "./auth/rbac.ts";
import type { ResourceContext } from "./context.ts";
import { decodeRequestObject } from "./decode-body.ts";
import { writeOptions } from "./options.ts";
import { settleNamespace } from "./verbs/create.ts";

/** Completes the object with its status. */
export type Review = (object: KubeObject, context: ResourceContext) => Promise<KubeObject> | KubeObject;

export interface ReviewOptions {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** All rules that the caller has, there and cluster-wide. */
  rulesOf(caller: Caller, namespace: string): Iterable<PolicyRule>;
}

/** By `group/resource`. */
export function createReviews(options: ReviewOptions): ReadonlyMap<string, Review> {
  const { authorizer } = options;
  const access: Review = async (object) => {
    const review = object as SubjectAccessReview;
    const { user = "", groups = [], extra, uid } = review.spec;
    const caller: Caller = {
      name: user,
      groups,
      ...(uid === undefined ? {} : { uid }),
      ...(extra === undefined ? {} : { extra }),
    };
    return { ...review, status: await decide(authorizer, caller, review.spec) } as KubeObject;
  };
  const reviews: Record<string, Review> = {
    "authentication.k8s.io/tokenreviews": (object) => reviewToken(object as TokenReview, options),
    "authentication.k8s.io/selfsubjectreviews": (object, { caller, server }) => ({
      ...(object as SelfSubjectReview),
      metadata: { ...object.metadata, creationTimestamp: timestamp(server.clock.now()) },
      status: { userInfo: userInfo(caller) },
    }),
    "authorization.k8s.io/subjectaccessreviews": access,
    "authorization.k8s.io/localsubjectaccessreviews": access,
    "authorization.k8s.io/selfsubjectaccessreviews": async (object, { caller }) => {
      const review = object as SelfSubjectAccessReview;
      return { ...review, status: await decide(authorizer, caller, review.spec) } as KubeObject;
    },
    "authorization.k8s.io/selfsubjectrulesreviews": (object, { caller }) => {
      const review = object as SelfSubjectRulesReview;
      const rules = options.rulesOf(caller, review.spec.namespace ?? "");
      return { ...review, status: rulesStatus(rules) } as KubeObject;
    },
  };
  return new Map(Object.entries(reviews));
}

/** Decodes and checks the object of the request, and answers it. */
export async function answerReview(context: ResourceContext, review: Review): Promise<KubeObject> {
  const { definition } = context;
  const object = await decodeRequestObject(context.request, definition, {
    ...writeOptions(context),
    warn: (message) => context.warn(message),
  });
  settleNamespace(context, object);
  const errors = definition.validate(object);
  if (errors.length > 0) throw invalidObject(definition, object.metadata?.name ?? "", errors);
  return review(object, context);
}

function userInfo({ name, uid, groups, extra }: Caller): UserInfo {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(extra).map(([key, list]) => [key, [...list]])) }),
  };
}

async function reviewToken(review: TokenReview, { authenticator }: ReviewOptions): Promise<KubeObject> {
  const headers = { authorization: `Bearer ${review.spec.token ?? ""}` };
  try {
    const caller = await authenticator.authenticate({ headers });
    if (caller === undefined) return { ...review, status: {} } as KubeObject;
    return { ...review, status: { authenticated: true, user: userInfo(caller) } } as KubeObject;
  } catch (thrown) {
    if (!isApiError(thrown, "Unauthorized")) throw thrown;
    return {
      ...review,
      status: { user: {}, error: "[invalid bearer token, the token is none of this cluster's]" },
    } as KubeObject;
  }
}

type AccessSpec = Pick<SelfSubjectAccessReview["spec"], "resourceAttributes" | "nonResourceAttributes">;

async function decide(
  authorizer: Authorizer,
  caller: Caller,
  { resourceAttributes, nonResourceAttributes }: AccessSpec,
): Promise<SubjectAccessReviewStatus> {
  const nothing = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "" };
  const attributes: Attributes =
    resourceAttributes === undefined
      ? {
          ...nothing,
          caller,
          verb: nonResourceAttributes?.verb ?? "",
          isResource: false,
          path: nonResourceAttributes?.path ?? "",
          fields: [],
        }
      : { ...nothing, ...attributesOf(resourceAttributes), caller, isResource: true, path: "" };
  const { verdict, reason } = await authorizer.authorize(attributes);
  return {
    allowed: verdict === "allow",
    ...(verdict === "deny" ? { denied: true } : {}),
    ...(reason === "" ? {} : { reason }),
  };
}

function attributesOf(given: ResourceAttributes) {
  const { fieldSelector, labelSelector: _unread, verb = "", ...rest } = given;
  const fields: FieldSelector = (fieldSelector?.requirements ?? []).flatMap(
    ({ key, operator, values = [] }) =>
      values.map((value) => ({ field: key, equal: operator === "In", value })),
  );
  return { ...rest, verb, fields };
}

function rulesStatus(rules: Iterable<PolicyRule>): SubjectRulesReviewStatus {
  const status: SubjectRulesReviewStatus = { resourceRules: [], nonResourceRules: [], incomplete: false };
  for (const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } of rules) {
    if (resources.length > 0)
      status.resourceRules.push({
        verbs: [...verbs],
        apiGroups: [...apiGroups],
        resources: [...resources],
        ...(resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames] }),
      });
    if (nonResourceURLs.length > 0)
      status.nonResourceRules.push({ verbs: [...verbs], nonResourceURLs: [...nonResourceURLs] });
  }
  return status;
}
