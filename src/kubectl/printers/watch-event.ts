// Events of a watch as objects: what happened, and to what.

import { printYaml } from "#machinery/codec/yaml-print.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { compactJson } from "#machinery/jsonpath/jsonpath.ts";
import type { ObjectPrinter } from "./objects.ts";

export function watchEventPrinter(
  format: string,
  printer: ObjectPrinter,
): (object: KubeObject, type: string) => string {
  let count = 0;
  switch (format.toLowerCase()) {
    case "json":
      return (object, type) => `{"type":${JSON.stringify(type)},"object":${compactJson(object)}}\n`;
    case "yaml":
      return (object, type) => `${count++ === 0 ? "" : "---\n"}${printYaml({ object, type })}`;
    case "name":
      return (object) => printer(object);
    default:
      return (object, type) => printer({ object, type } as KubeObject);
  }
}
