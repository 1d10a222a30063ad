// The parts of a pod that have endpoints of their own: containers for debugging, which only ever come (KEP-277), and
// resources of running containers, which may change (KEP-1287). Pure.

import { sameJson } from "#machinery/apply/equal.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  notFoundField,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import type { Container, EphemeralContainer, Pod, PodSpec } from "#machinery/gen/types/core-v1.ts";
import { podQos } from "./qos.ts";
import { validateContainer } from "./container-validation.ts";

/** What a container for debugging cannot have: nobody waits for it, and it has no resources of its own. */
const refusedFields = [
  "ports",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "resources",
  "resizePolicy",
  "restartPolicy",
] as const;

const isSet = (value: unknown): boolean =>
  value !== undefined && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);

function validateDebugContainer(
  { targetContainerName, ...container }: EphemeralContainer,
  spec: PodSpec,
  taken: ReadonlySet<string | undefined>,
  path: string,
): FieldError[] {
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const errors = validateContainer(
    container as Container,
    { volumes, hostNetwork: spec.hostNetwork === true, init: true },
    path,
  );
  if (taken.has(container.name)) errors.push(duplicate(child(path, "name"), container.name));
  const others = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  if (targetContainerName && !others.some(({ name }) => name === targetContainerName))
    errors.push(notFoundField(child(path, "targetContainerName"), targetContainerName));
  for (const field of refusedFields)
    if (isSet(container[field]))
      errors.push(forbidden(child(path, field), "cannot be set for an Ephemeral Container"));
  for (const [at, mount] of (container.volumeMounts ?? []).entries())
    for (const field of ["subPath", "subPathExpr"] as const)
      if (mount[field])
        errors.push(
          forbidden(
            child(index(child(path, "volumeMounts"), at), field),
            "cannot be set for an Ephemeral Container",
          ),
        );
  return errors;
}

function validateDebugContainers(next: Pod, old: Pod): FieldError[] {
  const path = "spec.ephemeralContainers";
  const spec = next.spec ?? { containers: [] };
  const now = spec.ephemeralContainers ?? [];
  const taken = new Set<string | undefined>(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name),
  );
  const errors = now.flatMap((container, at) => {
    const found = validateDebugContainer(container, spec, taken, index(path, at));
    taken.add(container.name);
    return found;
  });
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const same = now.find(({ name }) => name === before.name);
    if (same === undefined)
      errors.push(
        forbidden(path, `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`),
      );
    else if (!sameJson(same, before))
      errors.push(
        forbidden(path, `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n`),
      );
  }
  return errors;
}

/** Everything as stored, but for this. */
function onlySpec(next: Pod, old: Pod, change: Partial<PodSpec>): void {
  next.metadata = { ...structuredClone(old.metadata ?? {}) };
  next.spec = { ...structuredClone(old.spec ?? { containers: [] }), ...change };
  if (old.status === undefined) delete next.status;
  else next.status = old.status;
}

export const ephemeralContainers = {
  prepareForUpdate(next: Pod, old: Pod): void {
    const given = next.spec?.ephemeralContainers ?? [];
    onlySpec(next, old, given.length === 0 ? {} : { ephemeralContainers: given });
    if (given.length === 0) delete next.spec?.ephemeralContainers;
  },
  validateUpdate: validateDebugContainers,
};

/** The stored containers with the resources that are asked for now. */
const resized = (old: readonly Container[] = [], next: readonly Container[] = []): Container[] =>
  structuredClone(old).map((container) => {
    const wanted = next.find(({ name }) => name === container.name);
    if (wanted === undefined) return container;
    const { resources, resizePolicy } = wanted;
    return {
      ...container,
      ...(resources === undefined ? {} : { resources }),
      ...(resizePolicy === undefined ? {} : { resizePolicy }),
    };
  });

const resizable: ReadonlySet<string> = new Set(["cpu", "memory"]);

function validateResources(
  next: readonly Container[],
  old: readonly Container[],
  path: string,
): FieldError[] {
  return next.flatMap(({ resources = {}, resizePolicy }, at) => {
    const own = index(path, at);
    const before = old[at]?.resources ?? {};
    const errors: FieldError[] = [];
    for (const list of ["limits", "requests"] as const) {
      const [now = {}, then = {}] = [resources[list], before[list]];
      for (const name of new Set([...Object.keys(now), ...Object.keys(then)])) {
        if (now[name] === then[name]) continue;
        if (!resizable.has(name))
          errors.push(forbidden(`${own}.resources.${list}`, "only cpu and memory resources are mutable"));
        else if (now[name] === undefined)
          errors.push(forbidden(`${own}.resources.${list}`, `resource ${list} cannot be removed`));
      }
    }
    if (!sameJson(resizePolicy, old[at]?.resizePolicy))
      errors.push(forbidden(`${own}.resizePolicy`, "resize policy is immutable"));
    return errors;
  });
}

export const resize = {
  prepareForUpdate(next: Pod, old: Pod): void {
    const { containers, initContainers } = next.spec ?? { containers: [] };
    const change: Partial<PodSpec> = { containers: resized(old.spec?.containers, containers) };
    if (old.spec?.initContainers !== undefined)
      change.initContainers = resized(old.spec.initContainers, initContainers);
    onlySpec(next, old, change);
  },
  validateUpdate(next: Pod, old: Pod): FieldError[] {
    const [spec, before] = [next.spec ?? { containers: [] }, old.spec ?? { containers: [] }];
    const errors: FieldError[] = [];
    if (spec.containers.length === 0) errors.push(required("spec.containers"));
    const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
    for (const [list, init] of [
      ["containers", false],
      ["initContainers", true],
    ] as const)
      for (const [at, container] of (spec[list] ?? []).entries())
        errors.push(
          ...validateContainer(
            container,
            { volumes, hostNetwork: spec.hostNetwork === true, init },
            index(`spec.${list}`, at),
          ),
        );
    errors.push(
      ...validateResources(spec.containers, before.containers, "spec.containers"),
      ...validateResources(spec.initContainers ?? [], before.initContainers ?? [], "spec.initContainers"),
    );
    if (podQos(next) !== podQos(old))
      errors.push(invalid("spec", podQos(next), "Pod QOS Class may not change as a result of resizing"));
    return errors;
  },
};
