// The environment of a container: services of its namespace, envFrom, env, with references resolved in order.

import type { ConfigMap, Secret, Service } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { expand } from "./expansion.ts";
import { fieldValue, resourceValue, type NodeFacts } from "./field-ref.ts";
import { specContainers } from "./containers.ts";
import type { ReadonlyContainer, ReadonlyPod } from "./model.ts";

/** The objects that a container's variables come from, fetched before. Undefined: there is no such object. */
export interface EnvironmentSources {
  configMap(name: string): DeepReadonly<ConfigMap> | undefined;
  secret(name: string): DeepReadonly<Secret> | undefined;
  /** Services of the pod's namespace, and `default/kubernetes`. */
  readonly services: readonly DeepReadonly<Service>[];
}

export interface Environment {
  readonly variables: ReadonlyMap<string, string>;
  /** Why the container cannot be made. */
  readonly problem: string | undefined;
  /** Keys of envFrom that cannot be variables. */
  readonly skipped: readonly { readonly source: string; readonly keys: readonly string[] }[];
}

/** Names of what `containerEnvironment` will ask for. */
export function referencedByEnvironment(container: ReadonlyContainer): {
  configMaps: string[];
  secrets: string[];
} {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name !== undefined) configMaps.add(configMapRef.name);
    if (secretRef?.name !== undefined) secrets.add(secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name !== undefined) configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name !== undefined) secrets.add(valueFrom.secretKeyRef.name);
  }
  return { configMaps: [...configMaps], secrets: [...secrets] };
}

const hasAddress = (service: DeepReadonly<Service>): boolean => {
  const ip = service.spec?.clusterIP;
  return ip !== undefined && ip !== "" && ip !== "None";
};

/** `REDIS_SERVICE_HOST` and its like: the variables by which containers found services before DNS. */
export function serviceVariables(services: readonly DeepReadonly<Service>[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const service of services) {
    const ports = service.spec?.ports ?? [];
    const first = ports[0];
    if (!hasAddress(service) || first === undefined) continue;
    const ip = service.spec?.clusterIP as string;
    const prefix = (service.metadata?.name ?? "").toUpperCase().replaceAll("-", "_");
    const host = ip.includes(":") ? `[${ip}]` : ip;
    variables.set(`${prefix}_SERVICE_HOST`, ip);
    variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
    for (const { name, port } of ports) {
      if (name)
        variables.set(`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll("-", "_")}`, String(port));
    }
    for (const [at, { port, protocol = "TCP" }] of ports.entries()) {
      const url = `${protocol.toLowerCase()}://${host}:${port}`;
      if (at === 0) variables.set(`${prefix}_PORT`, url);
      const of = `${prefix}_PORT_${port}_${protocol}`;
      variables.set(of, url);
      variables.set(`${of}_PROTO`, protocol.toLowerCase());
      variables.set(`${of}_PORT`, String(port));
      variables.set(`${of}_ADDR`, ip);
    }
  }
  return variables;
}

/** With service links off only the API server's own service remains. */
export function linkedServices(
  pod: ReadonlyPod,
  services: readonly DeepReadonly<Service>[],
): DeepReadonly<Service>[] {
  const namespace = pod.metadata?.namespace;
  const links = pod.spec?.enableServiceLinks ?? true;
  const isMaster = ({ metadata }: DeepReadonly<Service>): boolean =>
    metadata?.namespace === "default" && metadata.name === "kubernetes";
  const own = services.filter(
    (service) => links && service.metadata?.namespace === namespace && !isMaster(service),
  );
  return [...services.filter(isMaster), ...own];
}

/** Any printable name without `=` may be a variable. */
const isVariableName = (name: string): boolean => /^[ -<>-~]+$/.test(name);

class Problem extends Error {}

function decodeSecret(value: string): string {
  return Buffer.from(value, "base64").toString();
}

function addEnvFrom(
  container: ReadonlyContainer,
  sources: EnvironmentSources,
  variables: Map<string, string>,
  skipped: { source: string; keys: string[] }[],
): void {
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const ref = configMapRef ?? secretRef;
    if (ref?.name === undefined) continue;
    const kind = configMapRef !== undefined ? "configmap" : "secret";
    const object = configMapRef !== undefined ? sources.configMap(ref.name) : sources.secret(ref.name);
    if (object === undefined) {
      if (ref.optional === true) continue;
      throw new Problem(`${kind} "${ref.name}" not found`);
    }
    const bad: string[] = [];
    for (const [key, value] of Object.entries(object.data ?? {})) {
      const name = `${prefix}${key}`;
      if (isVariableName(name)) variables.set(name, kind === "secret" ? decodeSecret(value) : value);
      else bad.push(name);
    }
    if (bad.length > 0)
      skipped.push({
        source: `${kind === "secret" ? "Secret" : "ConfigMap"} ${ref.name}`,
        keys: bad.sort(),
      });
  }
}

type EnvVar = NonNullable<ReadonlyContainer["env"]>[number];

/** The value of a variable that comes from elsewhere; undefined when it is optional and absent. */
function valueFrom(
  { name, valueFrom: from }: EnvVar,
  pod: ReadonlyPod,
  container: ReadonlyContainer,
  sources: EnvironmentSources,
  facts: NodeFacts,
): string | undefined {
  if (from?.fieldRef !== undefined) {
    const value = fieldValue(pod, from.fieldRef.fieldPath, facts);
    if (value === undefined) throw new Problem(`unsupported fieldPath: ${from.fieldRef.fieldPath}`);
    return value;
  }
  if (from?.resourceFieldRef !== undefined) {
    const { containerName, resource, divisor } = from.resourceFieldRef;
    const target =
      containerName === undefined || containerName === ""
        ? container
        : specContainers(pod).find((spec) => spec.container.name === containerName)?.container;
    if (target === undefined) throw new Problem(`container ${containerName} not found`);
    const value = resourceValue(target, resource, divisor, facts);
    if (value === undefined) throw new Problem(`unsupported container resource : ${resource}`);
    return value;
  }
  const ref = from?.configMapKeyRef ?? from?.secretKeyRef;
  if (ref?.name === undefined) throw new Problem(`environment variable ${name} has no source`);
  const isSecret = from?.secretKeyRef !== undefined;
  const object = isSecret ? sources.secret(ref.name) : sources.configMap(ref.name);
  if (object === undefined) {
    if (ref.optional === true) return undefined;
    throw new Problem(`${isSecret ? "secret" : "configmap"} "${ref.name}" not found`);
  }
  const data = object.data ?? {};
  if (!Object.hasOwn(data, ref.key)) {
    if (ref.optional === true) return undefined;
    const kind = isSecret ? "Secret" : "ConfigMap";
    throw new Problem(`couldn't find key ${ref.key} in ${kind} ${pod.metadata?.namespace}/${ref.name}`);
  }
  const value = data[ref.key] as string;
  return isSecret ? decodeSecret(value) : value;
}

export function containerEnvironment(
  pod: ReadonlyPod,
  container: ReadonlyContainer,
  sources: EnvironmentSources,
  facts: NodeFacts,
): Environment {
  const services = serviceVariables(linkedServices(pod, sources.services));
  const variables = new Map<string, string>();
  const skipped: { source: string; keys: string[] }[] = [];
  try {
    addEnvFrom(container, sources, variables, skipped);
    for (const variable of container.env ?? []) {
      const value =
        variable.valueFrom === undefined
          ? expand(variable.value ?? "", (name) => variables.get(name) ?? services.get(name))
          : valueFrom(variable, pod, container, sources, facts);
      if (value !== undefined) variables.set(variable.name, value);
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { variables, problem: error.message, skipped };
  }
  // A variable of the container wins over a service's.
  for (const [name, value] of services) if (!variables.has(name)) variables.set(name, value);
  return { variables, problem: undefined, skipped };
}
