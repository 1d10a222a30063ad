// A text → the values in it: JSON values one after the other, or YAML documents. Pure.

import { parseYaml, splitYamlDocuments, YamlError } from "#machinery/codec/yaml.ts";

export interface Documents {
  readonly values: readonly unknown[];
  /** Why the rest could not be read. */
  readonly error?: string;
}

export function splitDocuments(text: string): Documents {
  const body = text.replace(/^\uFEFF/, "");
  if (!body.trimStart().startsWith("{")) return yamlDocuments(body);
  const json = jsonValues(body);
  if (json.error === undefined) return json;
  // What starts like JSON may still be YAML: keys without quotes, a comma too many.
  const yaml = yamlDocuments(body);
  return yaml.error === undefined ? yaml : json;
}

function yamlDocuments(text: string): Documents {
  const values: unknown[] = [];
  for (const part of splitYamlDocuments(text)) {
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
