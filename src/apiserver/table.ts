// Objects as the rows of a metav1.Table, by the columns of their kind. Pure.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { CachedObject } from "./stored-object.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

interface TableRow {
  readonly cells: readonly unknown[];
  readonly object: unknown;
}

export function columnDefinitions(definition: ResourceDefinition): unknown[] {
  return definition.columns.map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format: format ?? "",
    description,
    priority: priority ?? 0,
  }));
}

/** The version of the views, unless an older one is asked for. */
const newestViews = "meta.k8s.io/v1";

/** The metadata of an object in the form that carries nothing else. */
export function partialMetadata(object: KubeObject, apiVersion = newestViews): KubeObject {
  return { kind: "PartialObjectMetadata", apiVersion, metadata: object.metadata ?? {} };
}

/** The same for who shares this process: frozen, and no more of the object is parsed for it. */
export const sharedMetadata = ({ metadataAlone }: CachedObject, apiVersion = newestViews): KubeObject =>
  Object.freeze({ kind: "PartialObjectMetadata", apiVersion, metadata: metadataAlone });

/** The same as bytes, taken from those of the object. */
export function metadataOnly(object: CachedObject, apiVersion = newestViews): Buffer {
  const text = object.metadataText;
  if (text === undefined) return Buffer.from(JSON.stringify(partialMetadata(object.once(true), apiVersion)));
  const head = Buffer.from(`{"kind":"PartialObjectMetadata","apiVersion":"${apiVersion}",`);
  return Buffer.concat([head, text, brace]);
}
const brace = Buffer.from("}");

export function tableRow(
  definition: ResourceDefinition,
  object: KubeObject,
  include: IncludeObject,
  nowMs: number,
  apiVersion = newestViews,
): TableRow {
  const cells = definition.columns.map((column) => column.cell(object, nowMs));
  switch (include) {
    case "None":
      return { cells, object: null };
    case "Object":
      return { cells, object };
    case "Metadata":
      return { cells, object: partialMetadata(object, apiVersion) };
  }
}

export function table(
  definition: ResourceDefinition,
  rows: readonly TableRow[],
  metadata: object,
  { withColumns = true, apiVersion = newestViews }: { withColumns?: boolean; apiVersion?: string } = {},
): object {
  return {
    kind: "Table",
    apiVersion,
    metadata,
    columnDefinitions: withColumns ? columnDefinitions(definition) : null,
    rows,
  };
}
