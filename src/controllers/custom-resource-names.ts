// Accepts the names of a CustomResourceDefinition, if nobody else of its group has them; with its first names it is
// established, and served. Part of the API server: it runs whatever `--controllers` says.
// Watches: customresourcedefinitions.  Owns: nothing.  Writes: customresourcedefinitions/status.

import { timestamp } from "#base/clock.ts";
import { CustomResourceDefinitions } from "#client/refs.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
} from "#machinery/gen/types/apiextensions-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { statusAction } from "#reconcile/action.ts";
import { defineController, watching, type Plan, type PlanContext } from "#reconcile/controller.ts";
import { acceptNames, approvalCondition, isTrue, withCondition } from "#resources/apiextensions/names.ts";

interface Input {
  readonly crd: CustomResourceDefinition;
  readonly all: readonly CustomResourceDefinition[];
}

function establishedCondition(crd: CustomResourceDefinition, accepted: boolean): Condition | undefined {
  if (isTrue(crd, "Established")) return undefined;
  return accepted
    ? {
        type: "Established",
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      }
    : {
        type: "Established",
        status: "False",
        reason: "NotAccepted",
        message: "not all names are accepted",
      };
}

export function planNames({ crd, all }: Input, { nowMs }: PlanContext): Plan {
  const { names, condition } = acceptNames(crd, all);
  const now = timestamp(nowMs);
  const wanted = [condition, establishedCondition(crd, condition.status === "True"), approvalCondition(crd)];
  const conditions = wanted
    .filter((one) => one !== undefined)
    .reduce((before, one) => withCondition(before, one, now), crd.status?.conditions ?? []);
  const status = { ...crd.status, conditions, acceptedNames: names };
  if (JSON.stringify(status) === JSON.stringify(crd.status)) return { actions: [] };
  return { actions: [statusAction(CustomResourceDefinitions, { ...crd, status })] };
}

export const customResourceNamesController = defineController<Input>({
  name: "crd-naming-controller",
  owns: [],
  writes: [CustomResourceDefinitions],
  workers: 1,
  watches: [
    watching<CustomResourceDefinition>({
      ref: CustomResourceDefinitions,
      // A name that one gives back another one may have been waiting for.
      keys: (changed, reads) => {
        const all = [...reads.of<CustomResourceDefinition>(CustomResourceDefinitions).list()];
        const others = all.filter(({ spec, status }) => {
          const waits = status?.conditions?.some(
            ({ type, status: is }) => type === "NamesAccepted" && is === "False",
          );
          return waits === true && spec.group === changed.spec.group;
        });
        return [changed, ...others].map(({ metadata }) => metadata?.name ?? "");
      },
    }),
  ],
  read: (name, reads) => {
    const cache = reads.of<CustomResourceDefinition>(CustomResourceDefinitions);
    const crd = cache.get(name) as DeepReadonly<CustomResourceDefinition> | undefined;
    if (crd === undefined || crd.metadata?.deletionTimestamp !== undefined) return undefined;
    return { crd: crd as CustomResourceDefinition, all: [...cache.list()] as CustomResourceDefinition[] };
  },
  plan: planNames,
});
