// Tables that the server made, and the columns that kubectl puts around them: event, namespace, labels, kinds before
// names. Pure.

import type { KubeObject } from "#machinery/meta.ts";

export interface TableColumn {
  readonly name: string;
  readonly type?: string;
  readonly format?: string;
  readonly priority?: number;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: KubeObject;
}

export interface Table extends KubeObject {
  readonly columnDefinitions?: readonly TableColumn[] | null;
  readonly rows?: readonly TableRow[] | null;
}

export interface TableOptions {
  readonly wide: boolean;
  readonly withNamespace: boolean;
  /** `pod`, `deployment.apps`: put before names. */
  readonly withKind?: string | undefined;
  readonly showLabels: boolean;
  readonly labelColumns: readonly string[];
}

export const isTable = (object: KubeObject): object is Table => object.kind === "Table";

const controlCharacters = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** No cell may steer the terminal. */
export const escapeTerminal = (text: string): string =>
  text.replace(controlCharacters, (character) => `^${String.fromCharCode(character.charCodeAt(0) ^ 64)}`);

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string")
    return typeof value === "object" ? JSON.stringify(value) : String(value as number | boolean);
  const end = value.search(/[\f\n\r]/);
  return escapeTerminal(end < 0 ? value : `${value.slice(0, end)}...`);
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`);
  return pairs.length === 0 ? "<none>" : pairs.join(",");
}

export function headerCells(columns: readonly TableColumn[], options: TableOptions): string[] {
  return [
    ...(options.withNamespace ? ["NAMESPACE"] : []),
    ...shownColumns(columns, options).map(({ column }) => column.name.toUpperCase()),
    ...options.labelColumns.map((label) => label.slice(label.lastIndexOf("/") + 1).toUpperCase()),
    ...(options.showLabels ? ["LABELS"] : []),
  ];
}

function shownColumns(
  columns: readonly TableColumn[],
  { wide }: TableOptions,
): { column: TableColumn; index: number }[] {
  return columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => wide || (column.priority ?? 0) === 0);
}

/** One line of cells per row. */
export function rowCells(
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  options: TableOptions,
): string[][] {
  const shown = shownColumns(columns, options);
  const nameIndex = columns.findIndex(({ format }) => format === "name");
  return rows.map(({ cells, object }) => {
    const labels = object?.metadata?.labels ?? {};
    const text = (index: number): string =>
      index === nameIndex && options.withKind !== undefined
        ? `${options.withKind}/${cellText(cells[index])}`
        : cellText(cells[index]);
    return [
      ...(options.withNamespace ? [object?.metadata?.namespace ?? ""] : []),
      ...shown.map(({ index }) => text(index)),
      ...options.labelColumns.map((label) => (Object.hasOwn(labels, label) ? (labels[label] ?? "") : "")),
      ...(options.showLabels ? [labelsText(labels)] : []),
    ];
  });
}
