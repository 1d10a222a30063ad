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
  /** The schema of its objects, where the kind is not built in; references point to built-in definitions. */
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
const metaV1 = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** `stable.example.com`, `v1`, `CronTab` → `com.example.stable.v1.CronTab` */
export const customName = ({ group, version, kind }: Gvk): string =>
  [...group.split(".").reverse(), version, kind].join(".");

const pointer = (style: OpenApiStyle, name: string): { $ref: string } => ({
  $ref: `${style === "v2" ? "#/definitions/" : "#/components/schemas/"}${name}`,
});

/** The definitions of a kind that brings its own schema: of one object, and of a list of them. */
function customSchemas(kind: DocumentKind, style: OpenApiStyle): [string, OpenApiSchema][] {
  const { group, version, listKind } = kind;
  const listName = customName({ group, version, kind: listKind });
  const gvk = (name: string): object[] => [{ group, kind: name, version }];
  const list: OpenApiSchema = {
    description: `${listKind} is a list of ${kind.kind}`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { type: "string" },
      items: { type: "array", items: pointer(style, customName(kind)) },
      kind: { type: "string" },
      metadata: pointer(style, `${metaV1}.ListMeta`),
    },
    "x-kubernetes-group-version-kind": gvk(listKind),
  };
  const one = { ...kind.schema, "x-kubernetes-group-version-kind": gvk(kind.kind) };
  return [
    [customName(kind), one],
    [listName, list],
  ];
}

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
  const own = custom.flatMap((kind) => customSchemas(kind, style));
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
