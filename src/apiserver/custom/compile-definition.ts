// One CustomResourceDefinition → the definitions of its served versions, with their rules and their conversion.
// Loaded with the first custom resource.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion as Version,
} from "#machinery/gen/types/apiextensions-v1.ts";
import { compareVersionNames } from "#machinery/version-order.ts";
import { hasRules, type RuleSchema } from "#cel/rule-schema.ts";
import {
  customResource,
  renamed,
  type CustomParts,
  type Rules,
} from "#resources/apiextensions/custom-resource.ts";

/** A promise: something has to be loaded first; ask again when that is there. */
export type CompileDefinition = (
  crd: CustomResourceDefinition,
) => readonly ResourceDefinition[] | Promise<unknown>;

type RulesModule = typeof import("#cel/rules.ts");

/** How objects get from one version to another where that is not a matter of names. */
export type Converter = (crd: CustomResourceDefinition) => CustomParts["convert"];

function rulesOf({ compileRules, runtimeCostBudget }: RulesModule, schema: RuleSchema): Rules {
  const rules = compileRules(schema, "");
  return (object, old) => rules.validate(object, old, runtimeCostBudget).errors;
}

export function definitionCompiler(converter: Converter): CompileDefinition {
  let rules: RulesModule | undefined;
  let loading: Promise<unknown> | undefined;

  const schemaOf = ({ schema }: Version): RuleSchema => (schema?.openAPIV3Schema ?? {}) as RuleSchema;

  return (crd) => {
    const terminating =
      crd.status?.conditions?.some(({ type, status }) => type === "Terminating" && status === "True") ===
      true;
    // What nobody is served any longer must be deleted all the same.
    const served = crd.spec.versions.filter((version) => version.served || (terminating && version.storage));
    if (rules === undefined && served.some((version) => hasRules(schemaOf(version)))) {
      loading ??= import("#cel/rules.ts").then((loaded) => (rules = loaded));
      return loading;
    }
    const convert = crd.spec.conversion?.strategy === "Webhook" ? converter(crd) : renamed;
    return [...served]
      .sort((a, b) => compareVersionNames(a.name, b.name))
      .map((version) => {
        const own =
          rules !== undefined && hasRules(schemaOf(version)) ? rulesOf(rules, schemaOf(version)) : undefined;
        const definition = customResource(crd, version, { rules: own, convert });
        return { ...definition, terminating };
      });
  };
}
