// One request from the caller to the answer, through the documented stages in their order.
// Seats of stages that come later are named where they belong; until then nothing there may be asked for.

import { toError } from "#base/assert.ts";
import type { ApiRequest, ApiResponse, Caller } from "#machinery/api-request.ts";
import { hasProtobuf } from "#machinery/codec/protobuf.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { apiVersionOf } from "#machinery/meta.ts";
import { checkPathSegment } from "#machinery/names.ts";
import {
  ApiError,
  badRequest,
  failure,
  internalError,
  methodNotAllowed,
  pathNotFound,
} from "#machinery/status.ts";
import { StoreBusyError } from "#store/store.ts";
import { notPassedOn } from "./aggregated.ts";
import { encodedErrorAnswer, formFor, indented, objectAnswer } from "./answer.ts";
import { admitConnect, connectSubresources } from "./connect-admission.ts";
import { authorize } from "./authorize.ts";
import { servesCbor, type RequestContext, type ResourceContext, type ServerContext } from "./context.ts";
import { requestTimeoutMs, withinDeadline } from "./deadline.ts";
import { impersonate } from "./impersonate.ts";
import { errorEncoding, type OutputForm } from "./negotiate.ts";
import { checkParameters, isApply, wantsPretty } from "./options.ts";
import { requestInfo, type RequestInfo } from "./request-info.ts";
import { answerReview } from "./reviews.ts";
import { warningHeader } from "./warnings.ts";
import { openPaths, type PathHandlers } from "./paths.ts";
import type { CachedObject } from "./stored-object.ts";
import type { SubresourceHandlers } from "./subresources/contract.ts";
import { create } from "./verbs/create.ts";
import { deleteCollection, deleteOne } from "./verbs/delete.ts";
import { isStrungTogether, listAnswer } from "./verbs/list-answer.ts";
import { get, oneAnswer, readPage } from "./verbs/read.ts";
import { applyPatch } from "./verbs/apply.ts";
import { patch, update, type Part } from "./verbs/update.ts";
import { watch } from "./verbs/watch.ts";

export interface Pipeline {
  /** Never rejects: every failure is an answer. */
  handle(request: ApiRequest, caller: Caller): Promise<ApiResponse>;
}

export function createPipeline(
  server: ServerContext,
  paths: PathHandlers,
  subresources: SubresourceHandlers,
): Pipeline {
  return {
    async handle(request, caller) {
      const warnings: string[] = [];
      const query = new URLSearchParams(request.query);
      let response: ApiResponse;
      try {
        // 1 authn has found the caller (server.ts, or the transport's own identity) │ 2 audit: its seat
        const info = requestInfo(request.method, request.path, query);
        const context: RequestContext = {
          server,
          request,
          info,
          query,
          caller: await impersonate(server, request.headers, caller), // 3 impersonation
          warn: (message) => void warnings.push(message),
        };
        // 4 flow control: its seat
        if (info.isResource || !openPaths.has(info.path)) await authorize(context); // 5 authz
        const timeoutMs = lasts(info) ? undefined : requestTimeoutMs(query);
        response = await withinDeadline(server.clock, timeoutMs, () =>
          info.isResource ? serveResource(context, subresources) : paths.serve(context),
        );
      } catch (thrown) {
        const encoding = errorEncoding(request.headers["accept"], { cbor: servesCbor({ server }) });
        response = await encodedErrorAnswer(
          asApiError(server, request, elsewhere(server, request, thrown)),
          encoding,
        );
      }
      const headers = {
        "cache-control": "no-cache, private",
        ...response.headers,
        ...(warnings.length === 0 ? {} : { warning: warningHeader(warnings) }),
      };
      const answer = { ...response, headers };
      return wantsPretty(query, request.headers["user-agent"]) ? indented(answer) : answer;
    },
  };
}

/** What is not found here may be another server's. */
function elsewhere(server: ServerContext, { path }: ApiRequest, thrown: unknown): unknown {
  const unknownPath = thrown instanceof ApiError && thrown.status.code === 404;
  return unknownPath ? (notPassedOn(server, path) ?? thrown) : thrown;
}

function asApiError(server: ServerContext, request: ApiRequest, thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof StoreBusyError)
    return failure(429, "TooManyRequests", thrown.message, { retryAfterSeconds: 1 });
  const error = toError(thrown);
  server.log.error("request failed", {
    method: request.method,
    path: request.path,
    error: error.stack ?? error.message,
  });
  return internalError(error.message);
}

/** Subresources that are another server's: it decides about methods. */
const passedOn: ReadonlySet<string> = new Set(["proxy", "log", "exec", "attach", "portforward"]);

/** Streams end when they end. */
const lasts = ({ verb, subresource }: RequestInfo): boolean => verb === "watch" || passedOn.has(subresource);

function checkName(name: string): void {
  const errors = checkPathSegment(name);
  if (errors.length > 0)
    throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${errors.join(";")}`);
}

async function serveResource(
  context: RequestContext,
  subresources: SubresourceHandlers,
): Promise<ApiResponse> {
  const { info, server } = context;
  const definition = server.registry.find(info.group, info.version, info.resource);
  if (
    definition === undefined ||
    (!definition.namespaced && info.namespace !== "" && info.resource !== "namespaces")
  ) {
    throw pathNotFound();
  }
  const everywhere = definition.namespaced && info.namespace === "";
  if (everywhere && info.name !== "") throw pathNotFound();
  // All namespaces together can be read, nothing else; and objects answer no HEAD and no OPTIONS.
  if (everywhere && info.verb !== "list" && info.verb !== "watch") throw methodNotAllowed();
  if (context.request.method === "HEAD" && !passedOn.has(info.subresource)) throw methodNotAllowed();
  checkName(info.name);
  const resource: ResourceContext = { ...context, definition };
  if (definition.deprecation !== undefined) context.warn(definition.deprecation);
  if (info.subresource !== "") return serveSubresource(resource, subresources);
  const wantsName = !["list", "watch", "create", "deletecollection"].includes(info.verb);
  if (!(definition.verbs as readonly string[]).includes(info.verb) || wantsName !== (info.name !== "")) {
    throw methodNotAllowed();
  }
  checkParameters(info.verb, context.query);
  // Questions and their answers are no objects: there are no views of them.
  const review = server.reviews.has(`${definition.group}/${definition.resource}`);
  return serveVerb(resource, formOf(resource, !review));
}

function formOf(context: ResourceContext, views: boolean): OutputForm {
  const { definition } = context;
  return formFor(context, { protobuf: hasProtobuf(apiVersionOf(definition), definition.kind), views });
}

async function patchOrApply(
  context: ResourceContext,
  part: Part,
): Promise<{ object: CachedObject; created: boolean }> {
  if (isApply(context)) return applyPatch(context, part);
  return { object: await patch(context, part), created: false };
}

async function serveVerb(context: ResourceContext, form: OutputForm): Promise<ApiResponse> {
  const { definition, info } = context;
  // Inside each write: 6 decode, convert, default │ 7 managed fields │ 8 mutating admission │
  // 9 prepareFor… │ 10 validation │ 11 validating admission │ 12 commit.
  switch (info.verb) {
    case "get":
      return get(context, form);
    case "list":
      return listAnswer(context, await readPage(context, { lazily: isStrungTogether(context, form) }), form);
    case "watch":
      return watch(context, form);
    case "create": {
      const review = context.server.reviews.get(`${definition.group}/${definition.resource}`);
      if (review !== undefined) return objectAnswer(201, await answerReview(context, review), form);
      return oneAnswer(context, 201, await create(context), form);
    }
    case "update": {
      const { object, created } = await update(context, "object");
      return oneAnswer(context, created ? 201 : 200, object, form);
    }
    case "patch": {
      const { object, created } = await patchOrApply(context, "object");
      return oneAnswer(context, created ? 201 : 200, object, form);
    }
    case "delete": {
      const { object, code, status } = await deleteOne(context);
      return status === undefined ? oneAnswer(context, code, object, form) : objectAnswer(code, status, form);
    }
    case "deletecollection":
      return listAnswer(context, await deleteCollection(context), form);
    default:
      throw methodNotAllowed();
  }
}

/** The part of the stored object that a subresource is. */
function partOf(definition: ResourceDefinition, subresource: string): Part | undefined {
  if (subresource === "status") return definition.status === undefined ? undefined : "status";
  return Object.hasOwn(definition.parts, subresource) ? { part: subresource } : undefined;
}

async function serveSubresource(
  context: ResourceContext,
  subresources: SubresourceHandlers,
): Promise<ApiResponse> {
  const { definition, info } = context;
  const part = partOf(definition, info.subresource);
  if (part !== undefined) {
    const form = formOf(context, true);
    checkParameters(info.verb, context.query);
    if (info.verb === "get") return get(context, form);
    if (info.verb === "update") return oneAnswer(context, 200, (await update(context, part)).object, form);
    if (info.verb === "patch")
      return oneAnswer(context, 200, (await patchOrApply(context, part)).object, form);
    throw methodNotAllowed();
  }
  const handler = subresources.find(definition, info.subresource);
  if (handler === undefined) throw pathNotFound();
  if (connectSubresources.has(info.subresource)) await admitConnect(context);
  return handler(context);
}
