// Lists know their items; everything else is its own only item.

import type { KubeObject } from "#machinery/meta.ts";

export function itemsOf(object: KubeObject): readonly KubeObject[] {
  const { items } = object as { items?: unknown };
  return Array.isArray(items) && (object.kind ?? "").endsWith("List") ? (items as KubeObject[]) : [object];
}

/** The items, each saying what it is: in a list they leave that to the list. */
export function itemsWithKinds(list: KubeObject): KubeObject[] {
  const kind = (list.kind ?? "").replace(/List$/, "");
  return itemsOf(list).map((item) => ({
    ...item,
    apiVersion: item.apiVersion ?? list.apiVersion ?? "",
    kind: item.kind ?? kind,
  }));
}
