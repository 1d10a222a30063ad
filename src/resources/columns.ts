// Columns that many kinds have.

import type { Column } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { age } from "./age.ts";

export const nameColumn: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  description: "The object's name, unique among its kind in its namespace.",
  cell: (object) => object.metadata?.name ?? "",
};

export const ageColumn: Column<KubeObject> = {
  name: "Age",
  type: "string",
  description: "Time since the object was created.",
  cell: (object, nowMs) => age(object.metadata?.creationTimestamp, nowMs),
};

/** A string column in one line. */
export function column<T>(
  name: string,
  cell: Column<T>["cell"],
  options: { wide?: boolean; type?: Column<T>["type"]; description?: string } = {},
): Column<T> {
  return {
    name,
    type: options.type ?? "string",
    description: options.description ?? `${name} of the object.`,
    priority: options.wide === true ? 1 : 0,
    cell,
  };
}
