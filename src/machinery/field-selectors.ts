// Field selectors: `metadata.name=x,status.phase!=Running`. Which fields a kind has is the kind's matter. Pure.

export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

export type FieldSelector = readonly FieldRequirement[];

function unescape(text: string, whole: string): string {
  let out = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "\\") {
      out += text[at];
      continue;
    }
    const next = text[++at];
    if (next !== "\\" && next !== "," && next !== "=")
      throw new Error(`invalid field selector: ${whole}: invalid escape sequence: \\${next ?? ""}`);
    out += next;
  }
  return out;
}

/** Splits at `,` and finds `!=`, `==` or `=`, all unless escaped by a backslash. Throws on anything else. */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const [term] of text.matchAll(/(?:\\.|[^,\\])+/g)) {
    const match = /^((?:\\.|[^=!\\]|!(?!=))*)(!=|==|=)([^]*)$/.exec(term);
    if (match === null) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({
      field: (match[1] as string).trim(),
      equal: match[2] !== "!=",
      value: unescape(match[3] as string, text),
    });
  }
  return requirements;
}

export function fieldsMatch(selector: FieldSelector, valueOf: (field: string) => string): boolean {
  return selector.every(({ field, equal, value }) => (valueOf(field) === value) === equal);
}
