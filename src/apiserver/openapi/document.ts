// One OpenAPI document, v2 or v3, from plain descriptions of the kinds that it is about. Pure; made in a thread of its
// own (worker.ts), so that what it takes is given back when it is done.

import { messageRefFor } from "#machinery/schema/schema.ts";
import {
  openApiRef,
  openApiSchemas,
  type Describe,
  type OpenApiSchema,
  type OpenApiStyle,
} from "#machinery/schema/openapi.ts";
import { customName, customSchemas, pointer } from "./custom.ts";
import { isOptions, pathsOf, type Gvk } from "./paths.ts";

/** What a document says of a served kind: its definition without its functions. */
export interface DocumentKind extends Gvk {
  readonly listKind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly {
    readonly name: string;
    readonly verbs: readonly string[];
    readonly kind: Gvk;
  }[];
  /** The schema of its objects (OpenAPI v3), where the kind is not built in. */
  readonly schema: OpenApiSchema | undefined;
}

export interface DocumentRequest {
  readonly style: OpenApiStyle;
  readonly kinds: readonly DocumentKind[];
}

/** Raise when the same kinds give other documents: clients keep a document for as long as its hash is the same. */
export const documentsEpoch = 1;

const info = { title: "Kubernetes", version: "v1.36.0" };
const everywhere = ["meta/v1.DeleteOptions", "meta/v1.Status", "meta/v1.WatchEvent"];
export function buildDocument({ style, kinds }: DocumentRequest, describe: Describe): object {
  const custom = kinds.filter(({ schema }) => schema !== undefined);
  const named = kinds.flatMap((one) => [
    one,
    { ...one, kind: one.listKind },
    ...one.subresources.map(({ kind }) => kind).filter((kind) => !isOptions(kind)),
  ]);
  const refs = named.flatMap(({ group, version, kind }) => messageRefFor(group, version, kind) ?? []);
  if (custom.length > 0) refs.push("meta/v1.ObjectMeta", "meta/v1.ListMeta");
  const builtIn = openApiSchemas([...new Set([...refs, ...everywhere])], style, describe);
  const own = custom.flatMap((kind) => customSchemas(kind, { style, describe }));
  const customKinds = new Set(
    custom.flatMap((one) => [customName(one), customName({ ...one, kind: one.listKind })]),
  );
  const refOf = (kind: Gvk): object | undefined =>
    customKinds.has(customName(kind)) ? pointer(style, customName(kind)) : openApiRef(kind, style);
  const schemas = Object.fromEntries(
    [...Object.entries(builtIn), ...own].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  const paths = pathsOf(kinds, style, refOf);
  return style === "v2"
    ? { swagger: "2.0", info, paths, definitions: schemas }
    : { openapi: "3.0.0", info, paths, components: { schemas } };
}
