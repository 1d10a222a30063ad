// The columns of a custom resource's table: the name, and what its definition adds, or the age. Pure.

import type { Column } from "#machinery/define-resource.ts";
import type { CustomResourceColumnDefinition } from "#machinery/gen/types/apiextensions-v1.ts";
import { compileJsonPath, JsonPathError, printResults, type JsonPath } from "#machinery/jsonpath/jsonpath.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { humanDuration } from "../age.ts";
import { nameColumn } from "../columns.ts";

type Cell = string | number | boolean | null;

const ageColumn: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  description: "When the object was created, by the server's clock.",
  jsonPath: ".metadata.creationTimestamp",
};

function dateCell(value: unknown, nowMs: number): Cell {
  if (typeof value !== "string") return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? "<invalid>" : humanDuration(nowMs - time);
}

function cellOf(type: string, path: JsonPath, object: KubeObject, nowMs: number): Cell {
  let found: readonly (readonly unknown[])[];
  try {
    found = path.find(object);
  } catch (error) {
    if (error instanceof JsonPathError) return null;
    throw error;
  }
  const [first] = found.flat();
  if (first === undefined) return null;
  switch (type) {
    case "string":
      return printResults(found);
    case "integer":
      return typeof first === "number" ? Math.trunc(first) : null;
    case "number":
      return typeof first === "number" ? first : null;
    case "boolean":
      return typeof first === "boolean" ? first : null;
    case "date":
      return dateCell(first, nowMs);
    default:
      return null;
  }
}

/** Paths that are none leave the columns that every kind has. */
export function customColumns(given: readonly CustomResourceColumnDefinition[]): Column<KubeObject>[] {
  try {
    return columnsOf(given);
  } catch (error) {
    if (error instanceof JsonPathError) return columnsOf([]);
    throw error;
  }
}

function columnsOf(given: readonly CustomResourceColumnDefinition[]): Column<KubeObject>[] {
  const added = (given.length === 0 ? [ageColumn] : given).map((column): Column<KubeObject> => {
    const { name, type, format, description = "", priority = 0, jsonPath } = column;
    const path = compileJsonPath(`{${jsonPath}}`);
    return {
      name,
      type: type as Column<KubeObject>["type"],
      ...(format === undefined ? {} : { format }),
      description:
        description === ""
          ? `Custom resource definition column (in JSONPath format): ${jsonPath}`
          : description,
      priority,
      cell: (object, nowMs) => cellOf(type, path, object, nowMs),
    };
  });
  return [nameColumn, ...added];
}
