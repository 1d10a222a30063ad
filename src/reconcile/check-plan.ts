// Lints a plan: what every plan of every controller must keep to. Runs in tests and in simulation.

import { assert } from "#base/assert.ts";
import type { ResourceRef } from "#client/client.ts";
import { controllerOf, objectKey } from "#machinery/meta.ts";
import type { Action } from "./action.ts";

interface Header {
  readonly name: string;
  readonly owns: readonly ResourceRef[];
  readonly writes: readonly ResourceRef[];
}

const has = (refs: readonly ResourceRef[], ref: ResourceRef): boolean =>
  refs.some((one) => one.group === ref.group && one.resource === ref.resource);

/** Asserts: only declared kinds are written, owned kinds have a controller, no object is written twice in one way. */
export function checkPlan(header: Header, actions: readonly Action[]): void {
  const seen = new Set<string>();
  for (const action of actions) {
    if (action.do === "event") continue;
    const { ref } = action;
    const where = `${header.name}: ${action.do} ${ref.resource}`;
    assert(has(header.writes, ref), `${where} is not declared in writes`);
    if (action.do === "create") {
      const { name, generateName, namespace = "" } = action.object.metadata ?? {};
      assert(name !== undefined || generateName !== undefined, `${where} without a name`);
      assert(namespace === "" || namespace === action.namespace, `${where} into another namespace`);
      assert(
        !has(header.owns, ref) || controllerOf(action.object) !== undefined,
        `${where} of an owned kind without a controller`,
      );
    }
    if (action.do === "delete" || action.do === "patch")
      assert(action.name !== "", `${where} without a name`);
    const name =
      action.do === "delete" || action.do === "patch"
        ? `${action.namespace}/${action.name}`
        : objectKey(action.object);
    if (action.do === "create" && action.object.metadata?.name === undefined) continue;
    const sub = "subresource" in action ? (action.subresource ?? "") : "";
    const id = [action.do, ref.group, ref.resource, name, sub].join(" ");
    assert(!seen.has(id), `${header.name}: ${id} twice in one plan`);
    seen.add(id);
  }
  assert(
    JSON.stringify(JSON.parse(JSON.stringify(actions))) === JSON.stringify(actions),
    `${header.name}: the plan is not plain data`,
  );
}
