// A text → the values in it: JSON values one after the other, or YAML documents.

import { readPlainYaml, splitYamlDocuments } from "#machinery/codec/yaml-plain.ts";

export interface Documents {
  readonly values: readonly unknown[];
  /** Why the rest could not be read. */
  readonly error?: string;
}

export async function splitDocuments(text: string): Promise<Documents> {
  const body = text.replace(/^\uFEFF/, "");
  if (!body.trimStart().startsWith("{")) return yamlDocuments(body);
  const json = jsonValues(body);
  if (json.error === undefined) return json;
  // What starts like JSON may still be YAML: keys without quotes, a comma too many.
  const yaml = await yamlDocuments(body);
  return yaml.error === undefined ? yaml : json;
}

async function yamlDocuments(text: string): Promise<Documents> {
  const values: unknown[] = [];
  for (const part of splitYamlDocuments(text)) {
    const plain = readPlainYaml(part);
    if (plain !== undefined) {
      if (plain.value !== null) values.push(plain.value);
      continue;
    }
    const { parseYaml, YamlError } = await import("#machinery/codec/yaml.ts");
    try {
      const { value } = parseYaml(part);
      if (value !== null && value !== undefined) values.push(value);
    } catch (thrown) {
      if (!(thrown instanceof YamlError)) throw thrown;
      return { values, error: `error converting YAML to JSON: ${thrown.message}` };
    }
  }
  return { values };
}

/** Where the JSON value that starts at `from` ends, by its brackets and quotes; -1 where it does not. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
    } else if (character === "{" || character === "[") depth++;
    else if ((character === "}" || character === "]") && --depth === 0) return at + 1;
  }
  return -1;
}

function jsonValues(text: string): Documents {
  const values: unknown[] = [];
  for (let at = text.search(/\S/); at >= 0 && at < text.length;) {
    const end = text[at] === "{" || text[at] === "[" ? endOfValue(text, at) : text.length;
    if (end < 0) return { values, error: "unexpected EOF" };
    try {
      values.push(JSON.parse(text.slice(at, end)) as unknown);
    } catch (thrown) {
      return { values, error: `json: ${(thrown as Error).message}` };
    }
    const next = text.slice(end).search(/\S/);
    at = next < 0 ? -1 : end + next;
  }
  return { values };
}
