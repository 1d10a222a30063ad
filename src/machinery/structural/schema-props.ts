// What a structural schema says, asked in the same words everywhere: the JSON of a CustomResourceDefinition's
// `openAPIV3Schema`, as it is stored.

import type { JSONSchemaProps } from "../gen/types/apiextensions-v1.ts";

export type Props = JSONSchemaProps;

/** The schema of a list's items; a list of schemas is no structural one. */
export const itemsOf = ({ items }: Props): Props | undefined => (Array.isArray(items) ? undefined : items);

/** The schema of the values of a map. */
export const valuesOf = ({ additionalProperties: more }: Props): Props | undefined =>
  typeof more === "object" ? more : undefined;

export const propertyOf = ({ properties }: Props, name: string): Props | undefined =>
  properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;

export const keepsUnknown = (schema: Props): boolean =>
  schema["x-kubernetes-preserve-unknown-fields"] === true;

export const isEmbedded = (schema: Props): boolean => schema["x-kubernetes-embedded-resource"] === true;

export const isIntOrString = (schema: Props): boolean => schema["x-kubernetes-int-or-string"] === true;

/** What every object has, whatever its schema says. */
export const typeFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);
