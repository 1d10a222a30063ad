// One validation failure: where, what kind, which value. Formats and causes as the API conventions document.

export type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "InternalError"
  | "FieldValueTypeInvalid";

export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly value?: unknown;
  readonly detail: string;
}

const titles: Record<FieldErrorType, string> = {
  FieldValueNotFound: "Not found",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  InternalError: "Internal error",
  FieldValueTypeInvalid: "Invalid value",
};

/** In the place of a value that is too large to be told, or says nothing. */
export const omittedValue: unique symbol = Symbol("omitted");

/** The message without the field: `Invalid value: "x": must be …`. This is the `message` of a Status cause. */
export function fieldErrorBody(error: FieldError): string {
  const title = titles[error.type];
  const bare =
    error.type === "FieldValueRequired" ||
    error.type === "FieldValueForbidden" ||
    error.type === "FieldValueTooLong" ||
    error.type === "InternalError" ||
    error.value === omittedValue;
  const head = bare ? title : `${title}: ${formatFieldValue(error.value)}`;
  return error.detail === "" ? head : `${head}: ${error.detail}`;
}

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0` */
export function fieldErrorMessage(error: FieldError): string {
  return `${error.field}: ${fieldErrorBody(error)}`;
}

function formatFieldValue(value: unknown): string {
  if (value === undefined || value === null) return "null";
  return typeof value === "object" || typeof value === "string" ? JSON.stringify(value) : String(value);
}

export const required = (field: string, detail = ""): FieldError => ({
  type: "FieldValueRequired",
  field,
  detail,
});
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: "FieldValueInvalid",
  field,
  value,
  detail,
});
export const forbidden = (field: string, detail: string): FieldError => ({
  type: "FieldValueForbidden",
  field,
  detail,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  type: "FieldValueDuplicate",
  field,
  value,
  detail: "",
});
export const notFoundField = (field: string, value: unknown): FieldError => ({
  type: "FieldValueNotFound",
  field,
  value,
  detail: "",
});
/** The supported values are told in the order in which they are given. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: "FieldValueNotSupported",
  field,
  value,
  detail:
    supported.length === 0
      ? ""
      : `supported values: ${supported.map((value) => JSON.stringify(value)).join(", ")}`,
});
export const tooLong = (field: string, max: number): FieldError => ({
  type: "FieldValueTooLong",
  field,
  detail: max < 0 ? "value is too long" : `may not be more than ${max} bytes`,
});
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: "FieldValueTooMany",
  field,
  value: actual,
  detail: `must have at most ${max} item${max === 1 ? "" : "s"}`,
});

/** `spec.containers[0].env`, `metadata.labels[a/b]`: child paths. */
export const child = (parent: string, name: string): string => (parent === "" ? name : `${parent}.${name}`);
export const index = (parent: string, i: number): string => `${parent}[${i}]`;
export const keyed = (parent: string, key: string): string => `${parent}[${key}]`;
