// Label and field selectors of a request, compiled into one test of an object. Pure.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { fieldsMatch, parseFieldSelector, type FieldSelector } from "#machinery/field-selectors.ts";
import { parseSelector, matches, type Selector } from "#machinery/selectors.ts";
import { badRequest } from "#machinery/status.ts";
import { toError } from "#base/assert.ts";
import { storagePrefix, type CachedObject } from "./stored-object.ts";

export interface Selection {
  /** Everything matches: nobody needs to parse. */
  readonly all: boolean;
  /** `metadata.name=x`: a single object. */
  readonly name: string | undefined;
  /** Two selections of one kind with the same text are the same. */
  readonly text: string;
  matches(object: CachedObject): boolean;
}

/** An object's name and namespace stand in its key: nobody needs to parse for them. */
const keyFields = {
  "metadata.name": (key: string): string => key.slice(key.lastIndexOf("/") + 1),
  "metadata.namespace": (key: string, prefix: number): string =>
    key.slice(prefix, Math.max(prefix, key.lastIndexOf("/"))),
};

const isKeyField = (field: string): field is keyof typeof keyFields => Object.hasOwn(keyFields, field);

const hasOwnFields = ({ selectableFields }: ResourceDefinition): boolean =>
  Object.keys(selectableFields).length > 0;

/** Kinds without fields of their own take both parts of a name, whatever their scope. */
function isSelectable(definition: ResourceDefinition, field: string): boolean {
  if (field === "metadata.name") return true;
  if (field === "metadata.namespace") return definition.namespaced || !hasOwnFields(definition);
  return Object.hasOwn(definition.selectableFields, field);
}

const notSelectable = (definition: ResourceDefinition, field: string): Error =>
  badRequest(
    hasOwnFields(definition)
      ? `field label not supported: ${field}`
      : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );

/** Texts in use, at most; then it begins again: two selections that are the same then are only compared for longer. */
const textsMax = 1_000;
const texts = new Map<string, string>();

/** The same string for the same text, which makes comparing them cheap. */
function sameText(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= textsMax) texts.clear();
  texts.set(text, text);
  return text;
}

export function selectionOf(query: URLSearchParams, definition: ResourceDefinition): Selection {
  let labels: Selector = [];
  let fields: FieldSelector = [];
  try {
    labels = parseSelector(query.get("labelSelector") ?? "");
    fields = parseFieldSelector(query.get("fieldSelector") ?? "");
  } catch (error) {
    throw badRequest(toError(error).message);
  }
  for (const { field } of fields)
    if (!isSelectable(definition, field)) throw notSelectable(definition, field);
  const all = labels.length === 0 && fields.length === 0;
  const prefix = storagePrefix(definition.storage).length;
  const ofKey = fields.filter(({ field }) => isKeyField(field));
  const ofObject = fields.filter(({ field }) => !isKeyField(field));
  return {
    all,
    text: sameText(`${query.get("labelSelector") ?? ""}\n${query.get("fieldSelector") ?? ""}`),
    name: fields.find(({ field, equal }) => field === "metadata.name" && equal)?.value,
    matches(cached) {
      if (all) return true;
      const { key } = cached;
      if (!fieldsMatch(ofKey, (field) => (isKeyField(field) ? keyFields[field](key, prefix) : "")))
        return false;
      if (labels.length === 0 && ofObject.length === 0) return true;
      const { object } = cached;
      if (labels.length > 0 && !matches(labels, object.metadata?.labels)) return false;
      return fieldsMatch(ofObject, (field) => definition.selectableFields[field]?.(object) ?? "");
    },
  };
}
