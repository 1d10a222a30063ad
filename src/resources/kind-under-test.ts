// For the table tests of kinds: an object goes the way of a request's, decoded by its schema, defaulted, prepared and
// validated, and what is wrong comes back as clients are told it.

import { fieldErrorMessage } from "#machinery/field-error.ts";
import type { ResourceDefinition, StrategyContext } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { decodeObject } from "#machinery/schema/decode.ts";
import { schemaFor } from "#machinery/schema/schema.ts";

const context: StrategyContext = {
  nowMs: Date.UTC(2026, 0, 1, 12),
  settings: {
    serviceClusterIpRanges: ["10.96.0.0/16"],
    serviceNodePortRange: { from: 30_000, to: 32_767 },
  },
};

/** The object as the server would keep it, if it were valid. */
export function made<T extends KubeObject>(definition: ResourceDefinition<T>, given: unknown): T {
  const schema = schemaFor(definition.group, definition.version, definition.kind);
  if (schema === undefined) throw new Error(`${definition.kind} has no schema`);
  const { object, strictErrors } = decodeObject(schema, given);
  if (strictErrors.length > 0) throw new Error(strictErrors.join(", "));
  const draft = object as unknown as T;
  definition.applyDefaults(draft);
  draft.metadata = { uid: "a-uid", creationTimestamp: "2026-01-01T11:00:00Z", ...draft.metadata };
  definition.prepareForCreate(draft, context);
  return draft;
}

/** Everything that is wrong with a new object. */
export const refused = <T extends KubeObject>(definition: ResourceDefinition<T>, given: unknown): string[] =>
  definition.validate(made(definition, given)).map(fieldErrorMessage);

/** Everything that is wrong with a change. */
export function refusedChange<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  before: unknown,
  after: unknown,
): string[] {
  const old = made(definition, before);
  const next = made(definition, after);
  definition.prepareForUpdate(next, old, context);
  return definition.validateUpdate(next, old).map(fieldErrorMessage);
}

/** The row of a table, one cell for each column, an hour after the object was made. */
export const row = <T extends KubeObject>(definition: ResourceDefinition<T>, object: T): unknown[] =>
  definition.columns.map((column) => column.cell(object, context.nowMs));

/** A copy with the value at a dotted path replaced; undefined takes it away. */
export function withField(object: unknown, path: string, value: unknown): unknown {
  const copy = structuredClone(object) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let at = copy;
  for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
