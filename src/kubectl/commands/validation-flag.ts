// --validate: what becomes of fields that the server does not know, or that stand twice. Pure.

import { CommandError } from "../command.ts";

export type Validation = "Strict" | "Warn" | "Ignore";

const validations: Readonly<Record<string, Validation>> = {
  "": "Strict",
  strict: "Strict",
  true: "Strict",
  warn: "Warn",
  ignore: "Ignore",
  false: "Ignore",
};

export function validationOf(text: string): Validation {
  const known = validations[text];
  if (known !== undefined) return known;
  throw new CommandError(
    `invalid - validate option ${JSON.stringify(text)}; must be one of: strict (or true), warn, ignore (or false)`,
  );
}
