// What is accepted in a pod or a template for pods, and surely not meant: names of old, what does nothing any longer,
// and what is said twice. Sentences for the `Warning` header. Pure.

import { child, index, keyed } from "#machinery/field-error.ts";
import type { Container, PodSpec, PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isQuantity, parseQuantity } from "#machinery/quantity.ts";

const instead = (version: string, label: string): string =>
  `deprecated since ${version}; use ${JSON.stringify(label)} instead`;

const oldLabels: ReadonlyMap<string, string> = new Map([
  ["beta.kubernetes.io/arch", instead("v1.14", "kubernetes.io/arch")],
  ["beta.kubernetes.io/os", instead("v1.14", "kubernetes.io/os")],
  ["failure-domain.beta.kubernetes.io/region", instead("v1.17", "topology.kubernetes.io/region")],
  ["failure-domain.beta.kubernetes.io/zone", instead("v1.17", "topology.kubernetes.io/zone")],
  ["beta.kubernetes.io/instance-type", instead("v1.17", "node.kubernetes.io/instance-type")],
]);

const oldVolumes: ReadonlyMap<string, string> = new Map([
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
]);

const oldSysctls = 'non-functional in v1.11+; use the "sysctls" field instead';
const oldSeccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
/** Annotations that became fields: whole names, and beginnings of names that end with a container's. */
const oldAnnotations: readonly (readonly [name: string, why: string])[] = [
  ["security.alpha.kubernetes.io/sysctls", oldSysctls],
  ["security.alpha.kubernetes.io/unsafe-sysctls", oldSysctls],
  ["seccomp.security.alpha.kubernetes.io/pod", oldSeccomp],
  ["container.seccomp.security.alpha.kubernetes.io/", oldSeccomp],
  [
    "container.apparmor.security.beta.kubernetes.io/",
    'deprecated since v1.30; use the "appArmorProfile" field instead',
  ],
];

/** Of a new object, or of a change of its spec. The template is at `path`: `spec.template`. */
export function templateWarnings(
  template: PodTemplateSpec | undefined,
  path: string,
  object: KubeObject,
  old: KubeObject | undefined,
): string[] {
  if (old !== undefined && object.metadata?.generation === old.metadata?.generation) return [];
  return podWarnings(template?.metadata?.annotations, template?.spec, path);
}

export function podWarnings(
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PodSpec | undefined,
  path: string,
): string[] {
  const at = (field: string): string => child(path, `spec.${field}`);
  return [
    ...Object.keys(annotations ?? {}).flatMap((name) => {
      const why = oldAnnotations.find(([one]) => (one.endsWith("/") ? name.startsWith(one) : name === one));
      return why === undefined ? [] : [`${keyed(child(path, "metadata.annotations"), name)}: ${why[1]}`];
    }),
    ...(spec === undefined
      ? []
      : [
          ...labelWarnings(spec, at),
          ...selectorWarnings(spec, at),
          ...volumeWarnings(spec, at),
          ...containerWarnings(spec, at),
        ]),
  ];
}

type At = (field: string) => string;

function labelWarnings(spec: PodSpec, at: At): string[] {
  const warnings: string[] = [];
  for (const name of Object.keys(spec.nodeSelector ?? {})) {
    const why = oldLabels.get(name);
    if (why !== undefined) warnings.push(`${keyed(at("nodeSelector"), name)}: ${why}`);
  }
  const node = spec.affinity?.nodeAffinity;
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const terms = [
    ...(node?.[required]?.nodeSelectorTerms ?? []).map(
      (term, i) => [term, index(`${required}.nodeSelectorTerms`, i)] as const,
    ),
    ...(node?.[preferred] ?? []).map(
      ({ preference }, i) => [preference, child(index(preferred, i), "preference")] as const,
    ),
  ];
  for (const [term, place] of terms)
    for (const [i, { key = "" }] of (term?.matchExpressions ?? []).entries())
      warnings.push(...oldKey(key, at(`affinity.nodeAffinity.${place}.matchExpressions[${i}].key`)));
  for (const [i, { topologyKey = "" }] of (spec.topologySpreadConstraints ?? []).entries())
    warnings.push(...oldKey(topologyKey, at(`topologySpreadConstraints[${i}].topologyKey`)));
  return warnings;
}

function oldKey(key: string, path: string): string[] {
  const why = oldLabels.get(key);
  return why === undefined ? [] : [`${path}: ${key} is ${why}`];
}

/** Who leaves a selector out may mean all pods, and gets none. */
function selectorWarnings(spec: PodSpec, at: At): string[] {
  const places: [selector: unknown, path: string][] = [];
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const { requiredDuringSchedulingIgnoredDuringExecution: required = [] } = spec.affinity?.[kind] ?? {};
    const { preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = spec.affinity?.[kind] ?? {};
    const path = at(`affinity.${kind}`);
    for (const [i, { labelSelector }] of required.entries())
      places.push([labelSelector, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`]);
    for (const [i, { podAffinityTerm }] of preferred.entries())
      places.push([
        podAffinityTerm?.labelSelector,
        `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`,
      ]);
  }
  for (const [i, { labelSelector }] of (spec.topologySpreadConstraints ?? []).entries())
    places.push([labelSelector, at(`topologySpreadConstraints[${i}]`)]);
  return places.flatMap(([selector, path]) =>
    selector === undefined ? [`${path}.labelSelector: a null labelSelector results in matching no pod`] : [],
  );
}

function volumeWarnings(spec: PodSpec, at: At): string[] {
  const warnings: string[] = [];
  for (const [i, volume] of (spec.volumes ?? []).entries())
    for (const [source, why] of oldVolumes)
      if ((volume as unknown as Record<string, unknown>)[source] !== undefined)
        warnings.push(`${at(`volumes[${i}].${source}`)}: ${why}`);
  const seen = new Set<string>();
  for (const [i, { name = "" }] of (spec.imagePullSecrets ?? []).entries()) {
    const path = at(`imagePullSecrets[${i}].name`);
    if (name === "") warnings.push(`${path}: invalid empty name ""`);
    else if (seen.has(name)) warnings.push(`${path}: duplicate name ${JSON.stringify(name)}`);
    seen.add(name);
  }
  return warnings;
}

function containerWarnings(spec: PodSpec, at: At): string[] {
  const warnings: string[] = [];
  for (const list of ["initContainers", "containers"] as const)
    for (const [i, container] of (spec[list] ?? []).entries()) {
      const path = at(`${list}[${i}]`);
      warnings.push(...fractionWarnings(container, path), ...envWarnings(container, path));
    }
  return warnings;
}

/** `100m` of memory is a tenth of a byte: the M was meant. */
function fractionWarnings({ resources }: Container, path: string): string[] {
  return (["limits", "requests"] as const).flatMap((list) =>
    Object.entries(resources?.[list] ?? {}).flatMap(([resource, amount]) =>
      (resource === "memory" || resource === "ephemeral-storage") &&
      isQuantity(amount) &&
      parseQuantity(amount).nano % 1_000_000_000n !== 0n
        ? [
            `${keyed(`${path}.resources.${list}`, resource)}: fractional byte value ${JSON.stringify(String(amount))} is invalid, must be an integer`,
          ]
        : [],
    ),
  );
}

/** A name that is there twice: patches go by names, and would drop both. */
function envWarnings({ env = [] }: Container, path: string): string[] {
  const last = new Map<string, string | undefined>();
  const warnings: string[] = [];
  for (const [i, { name = "", value }] of env.entries()) {
    // What refers to its former self adds to it.
    const extends_ = value?.includes(`$(${name})`) === true;
    if (last.has(name) && !extends_)
      warnings.push(
        `${path}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    last.set(name, value);
  }
  return warnings;
}
