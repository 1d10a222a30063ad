// How a refused apply tells with whom it conflicts, and about what.

import type { StatusCause } from "../status.ts";
import type { ManagedEntry } from "./managed-entries.ts";
import type { Conflict } from "./ownership.ts";
import { printPath } from "./path-element.ts";

function ownerText({ manager, operation, apiVersion, subresource }: ManagedEntry): string {
  const name = JSON.stringify(manager);
  const place = subresource === "" ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === "Update" ? `${place} using ${apiVersion}` : place;
}

export function conflictCauses(conflicts: readonly Conflict[]): StatusCause[] {
  return conflicts.map(({ owner, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${ownerText(owner)}`,
    field: printPath(path),
  }));
}

export function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return `Apply failed with 1 conflict: conflict with ${ownerText(first.owner)}: ${printPath(first.path)}`;
  const byOwner = new Map<string, string[]>();
  for (const { owner, path } of conflicts) {
    const text = ownerText(owner);
    const lines = byOwner.get(text);
    if (lines === undefined) byOwner.set(text, [`- ${printPath(path)}`]);
    else lines.push(`- ${printPath(path)}`);
  }
  const parts = [...byOwner].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const text = parts.map(([owner, lines]) => `conflicts with ${owner}:\n${lines.join("\n")}`).join("\n");
  return `Apply failed with ${conflicts.length} conflicts: ${text}`;
}
