// Lists know their items; everything else is its own only item.

import type { KubeObject } from "#machinery/meta.ts";

export function itemsOf(object: KubeObject): readonly KubeObject[] {
  const { items } = object as { items?: unknown };
  return Array.isArray(items) && (object.kind ?? "").endsWith("List") ? (items as KubeObject[]) : [object];
}
