// `kubectl get` as a table: one request per target, groups of rows of one type under one header.

import { groupResource } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import type { Context } from "../command.ts";
import type { Resource } from "../discovery.ts";
import { SeveralErrors } from "../failure.ts";
import { alignCells } from "../printers/tab-writer.ts";
import { isTable, tableCells, type Table } from "../printers/table.ts";
import { fetchTarget, readTargets, type Target } from "../targets/fetch.ts";

const acceptTable =
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

interface Group {
  readonly resource: Resource;
  readonly tables: Table[];
}

export async function getTable(context: Context, args: readonly string[]): Promise<void> {
  const { flags } = context;
  const { targets, errors } = await readTargets(context, args);
  const failed: unknown[] = [...errors];
  const answers: { target: Target; table: Table }[] = [];
  for (const target of targets) {
    try {
      const object = await fetchTarget(context, target, {
        accept: acceptTable,
        chunkSize: flags.int("chunk-size"),
        labelSelector: flags.string("selector"),
        fieldSelector: flags.string("field-selector"),
        subresource: flags.string("subresource"),
      });
      answers.push({ target, table: isTable(object) ? object : { kind: "Table" } });
    } catch (thrown) {
      if (!(flags.bool("ignore-not-found") && isApiError(thrown, "NotFound"))) failed.push(thrown);
    }
  }
  const groups: Group[] = [];
  for (const { target, table } of answers) {
    const last = groups.at(-1);
    if (last !== undefined && groupResource(last.resource) === groupResource(target.resource))
      last.tables.push(table);
    else groups.push({ resource: target.resource, tables: [table] });
  }
  const text = printGroups(context, groups);
  context.print(text);
  if (text === "" && failed.length === 0 && !flags.bool("ignore-not-found")) {
    const namespaced = targets.every(({ resource }) => resource.namespaced) && !flags.bool("all-namespaces");
    const { name } = await context.namespace();
    context.printError(namespaced ? `No resources found in ${name} namespace.\n` : "No resources found\n");
  }
  if (failed.length === 1) throw failed[0] as Error;
  if (failed.length > 1) throw new SeveralErrors(failed);
}

function printGroups({ flags }: Context, groups: readonly Group[]): string {
  const kinds = new Set(groups.map(({ resource }) => groupResource(resource)));
  const noHeaders = flags.bool("no-headers");
  let text = "";
  for (const { resource, tables } of groups) {
    const kind = groupResource({ group: resource.group, resource: resource.kind.toLowerCase() });
    const lines: string[][] = [];
    let headed = noHeaders;
    for (const { columnDefinitions = [], rows = [] } of tables) {
      if (rows.length === 0) continue;
      const cells = tableCells(columnDefinitions, rows, {
        wide: flags.string("output") === "wide",
        noHeaders,
        withNamespace: flags.bool("all-namespaces") && resource.namespaced,
        ...(kinds.size > 1 || flags.bool("show-kind") ? { withKind: kind } : {}),
        showLabels: flags.bool("show-labels"),
        labelColumns: flags.list("label-columns"),
      });
      if (!headed) lines.push([...cells.header]);
      headed = true;
      lines.push(...cells.lines.map((line) => [...line]));
    }
    if (lines.length === 0) continue;
    text += (text === "" || noHeaders ? "" : "\n") + alignCells(lines);
  }
  return text;
}
