// One version of a CustomResourceDefinition as the definition that built-in kinds have: from here on there is one path.
// Loaded when the first one is there.

import {
  allVerbs,
  builtinEpoch,
  defineResource,
  type Conversion,
  type ResourceDefinition,
} from "#machinery/define-resource.ts";
import { invalid, type FieldError } from "#machinery/field-error.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "#machinery/gen/types/apiextensions-v1.ts";
import { copyJson } from "#machinery/json-object.ts";
import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { applyDefaults, hasDefaults } from "#machinery/structural/defaulting.ts";
import { validateEmbedded } from "#machinery/structural/embedded.ts";
import { validateLists } from "#machinery/structural/lists.ts";
import { customSchema } from "#machinery/structural/nodes.ts";
import { prune } from "#machinery/structural/prune.ts";
import type { Props } from "#machinery/structural/schema-props.ts";
import { validateValue } from "#machinery/structural/validate.ts";
import { customColumns } from "./custom-columns.ts";
import { scaleMapping, selectableFields } from "./custom-paths.ts";

/** Rules in the expression language, compiled by who may load it. */
export type Rules = (object: KubeObject, old: KubeObject | undefined) => readonly FieldError[];

export interface CustomParts {
  readonly rules: Rules | undefined;
  /** From other versions to this one, where strategy None does not do. */
  convert(
    objects: readonly KubeObject[],
    apiVersion: string,
  ): readonly KubeObject[] | Promise<readonly KubeObject[]>;
}

/** Values that were written by another version than the stored one: whoever reads them looks again. */
const foreignEpoch = builtinEpoch + 1;
const customBit = 0x80000000;

/** Another number for another version or schema. Values of one that passes through were written by the same. */
function epochOf(version: CustomResourceDefinitionVersion): number {
  const text = `${version.name} ${JSON.stringify(version.schema ?? {})}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash | customBit) >>> 0;
}

const withVersion = (object: KubeObject, apiVersion: string): KubeObject => ({ ...object, apiVersion });

/** Strategy None: the same fields, under another name. */
export const renamed: CustomParts["convert"] = (objects, apiVersion) =>
  objects.map((object) => withVersion(object, apiVersion));

function conversionOf(
  schema: Props,
  apiVersion: string,
  storedVersion: string,
  parts: CustomParts,
): Conversion {
  const normalized = (object: KubeObject): KubeObject => {
    const copy = copyJson(withVersion(object, apiVersion));
    prune(copy, schema, true);
    applyDefaults(copy, schema);
    return copy;
  };
  const all = (
    objects: readonly KubeObject[],
    to: string,
  ): readonly KubeObject[] | Promise<readonly KubeObject[]> => {
    const others = objects.filter((object) => object.apiVersion !== to);
    if (others.length === 0) return objects;
    const merge = (converted: readonly KubeObject[]): KubeObject[] => {
      let at = 0;
      return objects.map((object) =>
        object.apiVersion === to ? object : withVersion(converted[at++] as KubeObject, to),
      );
    };
    const converted = parts.convert(others, to);
    return converted instanceof Promise ? converted.then(merge) : merge(converted);
  };
  return {
    fromStorage(stored) {
      const converted = all(stored, apiVersion);
      return converted instanceof Promise
        ? converted.then((objects) => objects.map(normalized))
        : converted.map(normalized);
    },
    toStorage(object) {
      const converted = all([object], storedVersion);
      return converted instanceof Promise
        ? converted.then(([one]) => one as KubeObject)
        : (converted[0] as KubeObject);
    },
  };
}

const stopsRules: ReadonlySet<FieldError["type"]> = new Set([
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
  "FieldValueNotSupported",
]);

/** An object whose lists were wrong before may keep them so. */
function changedLists(object: KubeObject, old: KubeObject | undefined, schema: Props): FieldError[] {
  const errors = validateLists(object, schema, "");
  return errors.length > 0 && old !== undefined && validateLists(old, schema, "").length > 0 ? [] : errors;
}

function validation(schema: Props, rules: Rules | undefined) {
  return (object: KubeObject, old: KubeObject | undefined): FieldError[] => {
    const errors = [
      ...validateValue(object, schema, "", old),
      ...changedLists(object, old, schema),
      ...validateEmbedded(object, schema),
    ];
    if (rules === undefined) return errors;
    if (errors.some(({ type }) => stopsRules.has(type))) {
      const why =
        "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
      return [...errors, invalid("<nil>", null, why)];
    }
    return [...errors, ...rules(object, old)];
  };
}

type WithStatus = KubeObject & { status?: unknown };

/** The status is its own subresource's. */
function keepStatus(next: WithStatus, old: WithStatus): void {
  if (old.status === undefined) delete next.status;
  else next.status = old.status;
}

function finalizerWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const before = new Set(old?.metadata?.finalizers ?? []);
  const known = ["orphan", "foregroundDeletion"];
  return (object.metadata?.finalizers ?? [])
    .filter((name) => !name.includes("/") && !before.has(name) && !known.includes(name))
    .map(
      (name) =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
}

/** The schema as documents show it, with what can be selected. */
function published(
  schema: Props,
  { selectableFields: fields = [] }: CustomResourceDefinitionVersion,
): Record<string, unknown> {
  if (fields.length === 0) return schema as Record<string, unknown>;
  const paths = fields.map(({ jsonPath }) => ({ fieldPath: jsonPath.replace(/^\./, "") }));
  return { ...schema, "x-kubernetes-selectable-fields": paths };
}

export function customResource(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  parts: CustomParts,
): ResourceDefinition {
  const { group, versions, scope } = crd.spec;
  const names = crd.status?.acceptedNames ?? crd.spec.names;
  const { kind } = names;
  const schema = (version.schema?.openAPIV3Schema ?? {}) as Props;
  const stored = versions.find(({ storage }) => storage) ?? version;
  const isStored = stored.name === version.name;
  const hasStatus = version.subresources?.status !== undefined;
  const errorsOf = validation(schema, parts.rules);
  const defaults = hasDefaults(schema);
  return defineResource<KubeObject>({
    group,
    version: version.name,
    kind,
    resource: crd.spec.names.plural,
    singular: names.singular ?? kind.toLowerCase(),
    listKind: names.listKind ?? `${kind}List`,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === "Namespaced",
    verbs: allVerbs,
    storage: {
      group,
      resource: crd.spec.names.plural,
      version: stored.name,
      epoch: isStored ? epochOf(stored) : foreignEpoch,
    },
    epoch: epochOf(version),
    conversion: conversionOf(
      schema,
      apiVersionOf({ group, version: version.name }),
      apiVersionOf({ group, version: stored.name }),
      parts,
    ),
    schema: customSchema(schema, kind),
    validateName: nameCheck(checkDnsSubdomain),
    applyDefaults: (draft) => (defaults ? applyDefaults(draft, schema) : undefined),
    generation: "content",
    prepareForCreate: (draft) => (hasStatus ? keepStatus(draft, {}) : undefined),
    prepareForUpdate: (draft, old) => (hasStatus ? keepStatus(draft, old) : undefined),
    warnings: finalizerWarnings,
    validate: (object) => errorsOf(object, undefined),
    validateUpdate: errorsOf,
    ...(hasStatus
      ? {
          status: {
            // As documented, all but the status is ignored, metadata too.
            prepareForUpdate: (next: KubeObject, old: KubeObject): void => {
              next.metadata = { ...old.metadata };
            },
            validateUpdate: errorsOf,
          },
          resetFields: { "": ["status"], status: ["spec", "metadata"] },
        }
      : {}),
    scale: scaleMapping(version.subresources?.scale),
    selectableFields: selectableFields(version.selectableFields ?? []),
    columns: customColumns(version.additionalPrinterColumns ?? []),
    openApiSchema: () => published(schema, version),
    deprecation:
      version.deprecated === true
        ? (version.deprecationWarning ?? `${group}/${version.name} ${kind} is deprecated`)
        : undefined,
  });
}
