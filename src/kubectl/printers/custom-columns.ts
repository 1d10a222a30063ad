// -o custom-columns: columns of one's own, each a name and a path.

import type { KubeObject } from "#machinery/meta.ts";
import { CommandError } from "../command.ts";
import { goText } from "#machinery/jsonpath/go-text.ts";
import { compileJsonPath, JsonPathError, relaxedPath, type JsonPath } from "#machinery/jsonpath/jsonpath.ts";
import { alignText } from "./tab-writer.ts";
import { itemsOf } from "./list-items.ts";
import { escapeTerminal } from "./table.ts";

interface Column {
  readonly header: string;
  readonly path: JsonPath;
}

function columnOf(header: string, text: string): Column {
  try {
    return { header, path: compileJsonPath(relaxedPath(text)) };
  } catch (thrown) {
    if (!(thrown instanceof JsonPathError)) throw thrown;
    throw new CommandError(thrown.message);
  }
}

/** `NAME:.metadata.name,IMAGE:.spec.containers[*].image` */
export function parseColumns(spec: string): Column[] {
  if (spec === "") throw new CommandError("custom-columns format specified but no custom columns given");
  return spec.split(",").map((part) => {
    const at = part.indexOf(":");
    if (at < 0)
      throw new CommandError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return columnOf(part.slice(0, at), part.slice(at + 1));
  });
}

/** A line of headers and a line of paths. */
export function parseColumnsFile(text: string): Column[] {
  const [first = "", second = ""] = text.split("\n");
  const headers = first.split(/\s+/).filter((word) => word !== "");
  const paths = second.split(/\s+/).filter((word) => word !== "");
  if (headers.length !== paths.length)
    throw new CommandError(
      `number of headers (${headers.length}) and field specifications (${paths.length}) don't match`,
    );
  return headers.map((header, index) => columnOf(header, paths[index] as string));
}

function cell(path: JsonPath, object: KubeObject): string {
  const found = path.find(object);
  if (found.length === 0 || found[0]?.length === 0) return "<none>";
  return found
    .flat()
    .map((value) => escapeTerminal(goText(value)))
    .join(",");
}

export function columnsPrinter(
  columns: readonly Column[],
  noHeaders: boolean,
): (object: KubeObject) => string {
  let first = true;
  const widths: number[] = [];
  return (object) => {
    let text = noHeaders || !first ? "" : `${columns.map(({ header }) => header).join("\t")}\n`;
    first = false;
    try {
      for (const item of itemsOf(object))
        text += `${columns.map(({ path }) => cell(path, item)).join("\t")}\n`;
    } catch (thrown) {
      if (!(thrown instanceof JsonPathError)) throw thrown;
      throw new CommandError(thrown.message, 1, alignText(text, widths));
    }
    return alignText(text, widths);
  };
}
