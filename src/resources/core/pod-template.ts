// PodTemplate: a template for pods, kept by itself.

import { defineResource } from "#machinery/define-resource.ts";
import type { PodTemplate } from "#machinery/gen/types/core-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { formatSelector, selectorFromMap } from "#machinery/selectors.ts";
import { column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "./pod-defaults.ts";
import { templateWarnings } from "./pod/pod-warnings.ts";
import { validatePodTemplate } from "./pod/pod-template.ts";

const containersOf = ({ template }: PodTemplate): readonly { name?: string; image?: string }[] =>
  template?.spec?.containers ?? [];

export const podTemplate = defineResource<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  resource: "podtemplates",
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Containers", (object) =>
      containersOf(object)
        .map(({ name = "" }) => name)
        .join(","),
    ),
    column("Images", (object) =>
      containersOf(object)
        .map(({ image = "" }) => image)
        .join(","),
    ),
    column(
      "Pod Labels",
      ({ template }) => formatSelector(selectorFromMap(template?.metadata?.labels)) || "<none>",
    ),
  ],
  applyDefaults: ({ template }) => {
    if (template?.spec !== undefined) podSpecDefaults(template.spec);
  },
  warnings: (object, old) =>
    old === undefined ? templateWarnings(object.template, "template", object, old) : [],
  validate: ({ template }) => validatePodTemplate(template ?? {}, "template"),
});
