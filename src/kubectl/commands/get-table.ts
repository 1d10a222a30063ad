// `kubectl get` as a table: one request per target; rows of one type in a row share a header.

import { groupResource, type KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import type { Context } from "../command.ts";
import { kindName, type Resource } from "../discovery.ts";
import { Failures } from "../failure.ts";
import { ownTable } from "../printers/own-table.ts";
import { sortBy } from "../printers/sort.ts";
import { alignCells } from "../printers/tab-writer.ts";
import { headerCells, isTable, rowCells, type Table, type TableOptions } from "../printers/table.ts";
import { fetchTarget, type FetchOptions } from "../targets/fetch.ts";
import { resolveTargets } from "../targets/resolve.ts";

const acceptTable =
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

interface Group {
  readonly resource: Resource;
  readonly tables: Table[];
}

/** How tables are asked for. Sorting looks at fields that no column shows. */
export const tableRequest = ({ flags }: Context): FetchOptions => ({
  accept: flags.bool("server-print") ? acceptTable : "application/json",
  chunkSize: flags.int("chunk-size"),
  ...(flags.string("sort-by") === "" ? {} : { query: { includeObject: "Object" } }),
});

export const tableOf = (object: KubeObject, nowMs: number): Table =>
  isTable(object) ? object : ownTable(object, nowMs);

export function tableOptions({ flags }: Context, resource: Resource, withKind: boolean): TableOptions {
  return {
    wide: flags.string("output") === "wide",
    withNamespace: flags.bool("all-namespaces") && resource.namespaced,
    ...(withKind || flags.bool("show-kind") ? { withKind: kindName(resource) } : {}),
    showLabels: flags.bool("show-labels"),
    labelColumns: flags.list("label-columns"),
  };
}

function sortRows(table: Table, field: string): Table {
  if (field === "") return table;
  const { sorted } = sortBy(table.rows ?? [], ({ object }) => object, field);
  return { ...table, rows: sorted };
}

export async function getTable(context: Context, args: readonly string[]): Promise<void> {
  const { flags, io } = context;
  const { targets, errors } = await resolveTargets(context, args);
  const failed: unknown[] = [...errors];
  const groups: Group[] = [];
  const request = tableRequest(context);
  for (const target of targets) {
    try {
      const answer = tableOf(await fetchTarget(context, target, request), io.now());
      const table = sortRows(answer, flags.string("sort-by"));
      const last = groups.at(-1);
      if (last !== undefined && groupResource(last.resource) === groupResource(target.resource))
        last.tables.push(table);
      else groups.push({ resource: target.resource, tables: [table] });
    } catch (thrown) {
      if (!(flags.bool("ignore-not-found") && isApiError(thrown, "NotFound"))) failed.push(thrown);
    }
  }
  const text = printGroups(context, groups);
  context.print(text);
  if (text === "" && failed.length === 0 && !flags.bool("ignore-not-found")) {
    const namespaced = targets.every(({ resource }) => resource.namespaced) && !flags.bool("all-namespaces");
    const { name } = await context.namespace();
    context.printError(namespaced ? `No resources found in ${name} namespace.\n` : "No resources found\n");
  }
  if (failed.length > 0) throw new Failures(failed);
}

function printGroups(context: Context, groups: readonly Group[]): string {
  const kinds = new Set(groups.map(({ resource }) => groupResource(resource)));
  const noHeaders = context.flags.bool("no-headers");
  let text = "";
  for (const { resource, tables } of groups) {
    const options = tableOptions(context, resource, kinds.size > 1);
    const lines: string[][] = [];
    for (const { columnDefinitions, rows } of tables) {
      if (!columnDefinitions || !rows || rows.length === 0) continue;
      if (lines.length === 0 && !noHeaders) lines.push(headerCells(columnDefinitions, options));
      lines.push(...rowCells(columnDefinitions, rows, options));
    }
    if (lines.length > 0) text += (text === "" || noHeaders ? "" : "\n") + alignCells(lines);
  }
  return text;
}
