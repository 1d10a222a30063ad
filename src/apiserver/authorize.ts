// Stage 5: whether the caller may do what it asks for, and what else that turns out to be (a create by apply).

import { parseFieldSelector, type FieldSelector } from "#machinery/field-selectors.ts";
import { forbiddenError } from "#machinery/status.ts";
import { forbiddenReason, type Attributes } from "./auth/contract.ts";
import type { RequestContext } from "./context.ts";

const readsMany: ReadonlySet<string> = new Set(["list", "watch", "deletecollection"]);

/** For authorization alone: a selector that is none is told when the list is made. */
function fieldsOf(query: URLSearchParams): FieldSelector {
  try {
    return parseFieldSelector(query.get("fieldSelector") ?? "");
  } catch {
    return [];
  }
}

/** 403 unless the caller may. */
export const authorize = (context: RequestContext): Promise<void> => authorizeAs(context, context.info.verb);

/** The same request as another verb. */
export async function authorizeAs(context: RequestContext, verb: string): Promise<void> {
  const { info, caller, server } = context;
  const fields = readsMany.has(verb) ? fieldsOf(context.query) : [];
  const single = fields.find(({ field, equal }) => equal && field === "metadata.name")?.value;
  const attributes: Attributes = { caller, ...info, verb, name: info.name || (single ?? ""), fields };
  const decision = await server.authorizer.authorize(attributes);
  if (decision.verdict === "allow") return;
  throw forbiddenError(
    { group: info.group, resource: info.resource },
    info.name,
    forbiddenReason(attributes, decision.reason),
  );
}
