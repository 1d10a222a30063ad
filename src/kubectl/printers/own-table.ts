// The table of objects that came without one: names and ages.

import type { KubeObject } from "#machinery/meta.ts";
import { age } from "#resources/age.ts";
import { itemsOf } from "./list-items.ts";
import type { Table } from "./table.ts";

export const ownTable = (object: KubeObject, nowMs: number): Table => ({
  kind: "Table",
  columnDefinitions: [{ name: "Name", format: "name" }, { name: "Age" }],
  rows: itemsOf(object).map((item) => ({
    cells: [
      item.metadata?.name ?? "",
      age((item.metadata as { creationTimestamp?: string } | undefined)?.creationTimestamp, nowMs),
    ],
    object: item,
  })),
});
