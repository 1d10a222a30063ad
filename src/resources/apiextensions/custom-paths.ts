// The simple paths of a CustomResourceDefinition: where its scale is, which fields can be selected. Pure.

import type { ScaleMapping } from "#machinery/define-resource.ts";
import type {
  CustomResourceSubresourceScale,
  SelectableField,
} from "#machinery/gen/types/apiextensions-v1.ts";
import { isObject } from "#machinery/json-object.ts";
import type { KubeObject } from "#machinery/meta.ts";

/** `.spec.replicas` → `spec.replicas` */
const dotted = (path: string): string => (path.startsWith(".") ? path.slice(1) : path);

function at(object: unknown, path: string): unknown {
  return dotted(path)
    .split(".")
    .reduce<unknown>(
      (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
      object,
    );
}

export function scaleMapping(scale: CustomResourceSubresourceScale | undefined): ScaleMapping | undefined {
  if (scale === undefined) return undefined;
  const { labelSelectorPath = "" } = scale;
  return {
    mustExist: true,
    specReplicasPath: dotted(scale.specReplicasPath),
    statusReplicasPath: dotted(scale.statusReplicasPath),
    selector: (object) => {
      const found = labelSelectorPath === "" ? "" : at(object, labelSelectorPath);
      return typeof found === "string" ? found : "";
    },
  };
}

export function selectableFields(
  fields: readonly SelectableField[],
): Readonly<Record<string, (object: KubeObject) => string>> {
  return Object.fromEntries(
    fields.map(({ jsonPath }) => [
      dotted(jsonPath),
      (object: KubeObject) => {
        const found = at(object, jsonPath);
        return ["string", "number", "boolean"].includes(typeof found) ? String(found) : "";
      },
    ]),
  );
}
