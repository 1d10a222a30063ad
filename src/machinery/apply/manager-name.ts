// Whose name a write goes under: the fieldManager parameter, or else what the client calls itself.

import { invalid, tooLong, type FieldError } from "../field-error.ts";

const lengthMax = 128;
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function validateManagerName(name: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(name) > lengthMax) errors.push(tooLong(field, lengthMax));
  let at = 0;
  for (const character of name) {
    if (!printable.test(character)) {
      const code = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
      errors.push(invalid(field, name, `invalid character U+${code} (at position ${at})`));
    }
    at += Buffer.byteLength(character);
  }
  return errors;
}

/** `kubectl/v1.36.0 (linux/amd64) …` → `kubectl` */
export function managerOfUserAgent(userAgent: string): string {
  const [product = ""] = userAgent.split("/", 1);
  let name = "";
  for (const character of product) {
    if (!printable.test(character)) continue;
    if (Buffer.byteLength(name) + Buffer.byteLength(character) > lengthMax) break;
    name += character;
  }
  return name === "" ? "unknown" : name;
}
