// What can be wrong with one entry of `x-kubernetes-validations` before it is compiled, and how costs are told.
import { child, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import { checkFieldPath } from "./field-path.ts";
import type { RuleSchema, ValidationRule } from "./rule-schema.ts";

const reasons = [
  "FieldValueForbidden",
  "FieldValueInvalid",
  "FieldValueRequired",
  "FieldValueDuplicate",
].sort();
const hasBreak = (text: string): boolean => /[\n\r]/.test(text);

export function checkRuleTexts(rule: ValidationRule, schema: RuleSchema, path: string): FieldError[] {
  return [
    ...checkRuleAndMessage(rule, path),
    ...(rule.messageExpression !== undefined &&
    rule.messageExpression !== "" &&
    rule.messageExpression.trim() === ""
      ? [required(child(path, "messageExpression"), "messageExpression must be non-empty if specified")]
      : []),
    ...(rule.reason !== undefined && !reasons.includes(rule.reason)
      ? [notSupported(child(path, "reason"), rule.reason, reasons)]
      : []),
    ...checkPath(rule.fieldPath, schema, child(path, "fieldPath")),
  ];
}

function checkRuleAndMessage({ rule, message = "" }: ValidationRule, path: string): FieldError[] {
  const trimmed = message.trim();
  if (rule.trim() === "") return [required(child(path, "rule"), "rule is not specified")];
  const at = child(path, "message");
  if (message !== "" && trimmed === "")
    return [invalid(at, message, "message must be non-empty if specified")];
  if (hasBreak(trimmed)) return [invalid(at, message, "message must not contain line breaks")];
  if (hasBreak(rule.trim()) && trimmed === "")
    return [required(at, "message must be specified if rule contains line breaks")];
  return [];
}

function checkPath(fieldPath: string | undefined, schema: RuleSchema, at: string): FieldError[] {
  if (fieldPath === undefined || fieldPath === "") return [];
  const errors: FieldError[] = [];
  if (fieldPath.trim() === "")
    errors.push(invalid(at, fieldPath, "fieldPath must be non-empty if specified"));
  if (hasBreak(fieldPath)) errors.push(invalid(at, fieldPath, "fieldPath must not contain line breaks"));
  const { error } = checkFieldPath(fieldPath, schema);
  if (error !== undefined) errors.push(invalid(at, fieldPath, `fieldPath must be a valid path: ${error}`));
  return errors;
}

/** `what` costs too much: by which factor, and what helps. */
export function costMessage(what: string, cost: number, limit: number): string {
  const times = cost / limit;
  // Near the limit one digit would say "by a factor of 1.0x".
  const factor =
    times > 100 ? "more than 100x" : times < 1.5 ? `${times.toFixed(6)}x` : `${times.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** A rule as the value of an error, with all that it may say. */
export const shownRule = (rule: ValidationRule): object => ({
  Rule: rule.rule,
  Message: rule.message ?? "",
  MessageExpression: rule.messageExpression ?? "",
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? "",
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});
