// What is a valid container: image, ports, environment, mounts, probes, handlers, resources. Pure.

import type {
  Container,
  EnvFromSource,
  EnvVar,
  LifecycleHandler,
  Probe,
  VolumeMount,
} from "#machinery/gen/types/core-v1.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  keyed,
  notFoundField,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import {
  checkDnsLabel,
  checkEnvName,
  checkHttpHeaderName,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
} from "#machinery/names.ts";
import { compareQuantities, isQuantity, quantityError } from "#machinery/quantity.ts";
import { mustNotBeNegative, nonNegative, oneOf, validatePortReference } from "../../field-checks.ts";
import { validateFieldRef } from "./field-rules.ts";
import { validateContainerSecurity } from "./security-validation.ts";

/** Fields of a pod that an environment variable can show. */
const envFields: ReadonlySet<string> = new Set([
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
]);

function validateEnv(variables: readonly EnvVar[], path: string): FieldError[] {
  return variables.flatMap((variable, at) => {
    const own = index(path, at);
    const errors: FieldError[] = [];
    if (!variable.name) errors.push(required(child(own, "name")));
    else
      errors.push(
        ...checkEnvName(variable.name).map((why) => invalid(child(own, "name"), variable.name, why)),
      );
    const from = variable.valueFrom;
    if (from === undefined) return errors;
    const given = Object.values(from).filter((source) => source !== undefined).length;
    const valuePath = child(own, "valueFrom");
    if (given === 0)
      errors.push(
        invalid(
          valuePath,
          "",
          "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        ),
      );
    else if (variable.value)
      errors.push(invalid(valuePath, "", "may not be specified when `value` is not empty"));
    else if (given > 1)
      errors.push(invalid(valuePath, "", "may not have more than one field specified at a time"));
    for (const key of ["configMapKeyRef", "secretKeyRef"] as const) {
      const reference = from[key];
      if (reference === undefined) continue;
      if (!reference.name) errors.push(required(child(child(valuePath, key), "name")));
      if (!reference.key) errors.push(required(child(child(valuePath, key), "key")));
    }
    if (from.fieldRef !== undefined)
      errors.push(...validateFieldRef(from.fieldRef, child(valuePath, "fieldRef"), envFields));
    return errors;
  });
}

function validateMounts(
  mounts: readonly VolumeMount[],
  volumes: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  return mounts.flatMap((mount, at) => {
    const own = index(path, at);
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(required(child(own, "name")));
    else if (!volumes.has(mount.name)) errors.push(notFoundField(child(own, "name"), mount.name));
    if (!mount.mountPath) errors.push(required(child(own, "mountPath")));
    else if (seen.has(mount.mountPath))
      errors.push(invalid(child(own, "mountPath"), mount.mountPath, "must be unique"));
    seen.add(mount.mountPath ?? "");
    for (const key of ["subPath", "subPathExpr"] as const) {
      const value = mount[key];
      if (!value) continue;
      if (value.startsWith("/")) errors.push(invalid(child(own, key), value, "must be a relative path"));
      if (value.split("/").includes(".."))
        errors.push(invalid(child(own, key), value, "must not contain '..'"));
    }
    if (mount.subPath && mount.subPathExpr)
      errors.push(
        invalid(
          child(own, "subPathExpr"),
          mount.subPathExpr,
          "subPathExpr and subPath are mutually exclusive",
        ),
      );
    return errors;
  });
}

const schemes = ["HTTP", "HTTPS"];

/** What runs or is asked: of probes, and of hooks. */
function validateHandler(handler: Probe | LifecycleHandler, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { exec, httpGet, tcpSocket } = handler;
  const kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;
  const given = kinds.filter((kind) => (handler as Record<string, unknown>)[kind] !== undefined);
  if (given.length === 0) errors.push(required(path, "must specify a handler type"));
  for (const extra of given.slice(1))
    errors.push(forbidden(child(path, extra), "may not specify more than 1 handler type"));
  if (exec !== undefined && (exec.command ?? []).length === 0)
    errors.push(required(child(path, "exec.command")));
  if (httpGet !== undefined) {
    const own = child(path, "httpGet");
    if (!httpGet.path) errors.push(required(child(own, "path")));
    errors.push(...validatePortReference(httpGet.port, child(own, "port")));
    errors.push(...oneOf(httpGet.scheme, schemes, child(own, "scheme")));
    for (const [at, { name }] of (httpGet.httpHeaders ?? []).entries()) {
      errors.push(
        ...checkHttpHeaderName(name).map((why) => invalid(index(child(own, "httpHeaders"), at), name, why)),
      );
    }
  }
  if (tcpSocket !== undefined)
    errors.push(...validatePortReference(tcpSocket.port, child(path, "tcpSocket.port")));
  return errors;
}

function validateProbe(
  probe: Probe | undefined,
  path: string,
  kind: "liveness" | "readiness" | "startup",
): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateHandler(probe, path);
  for (const key of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    errors.push(...nonNegative(probe[key], child(path, key)));
  }
  if (kind !== "readiness" && probe.successThreshold !== undefined && probe.successThreshold !== 1)
    errors.push(invalid(child(path, "successThreshold"), probe.successThreshold, "must be 1"));
  const grace = probe.terminationGracePeriodSeconds;
  if (grace === undefined) return errors;
  const own = child(path, "terminationGracePeriodSeconds");
  if (kind === "readiness") errors.push(invalid(own, grace, "must not be set for readinessProbes"));
  else if (grace <= 0) errors.push(invalid(own, grace, "must be greater than 0"));
  return errors;
}

function validateHooks(container: Container, path: string): FieldError[] {
  return (["postStart", "preStop"] as const).flatMap((key) => {
    const handler = container.lifecycle?.[key];
    return handler === undefined ? [] : validateHandler(handler, child(path, `lifecycle.${key}`));
  });
}

function validateEnvFrom(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, at) => {
    const own = index(path, at);
    const errors: FieldError[] = [];
    if (prefix) errors.push(...checkEnvName(prefix).map((why) => invalid(child(own, "prefix"), prefix, why)));
    if (configMapRef !== undefined && !configMapRef.name)
      errors.push(required(child(own, "configMapRef.name")));
    if (secretRef !== undefined && !secretRef.name) errors.push(required(child(own, "secretRef.name")));
    if (configMapRef === undefined && secretRef === undefined)
      errors.push(invalid(own, "", "must specify one of: `configMapRef` or `secretRef`"));
    if (configMapRef !== undefined && secretRef !== undefined)
      errors.push(invalid(own, "", "may not have more than one field specified at a time"));
    return errors;
  });
}

const standardResources: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/** A standard resource, or one of somebody's domain. */
function validateResourceName(name: string, path: string): FieldError[] {
  const errors = checkQualifiedName(name).map((why) => invalid(path, name, why));
  if (errors.length > 0 || name.includes("/")) return errors;
  if (standardResources.has(name) || name.startsWith("hugepages-")) return [];
  return [
    // What is standard elsewhere (in quotas, of nodes) is still nothing that a container can have.
    ...(["storage", "pods", "services"].includes(name)
      ? []
      : [invalid(path, name, "must be a standard resource type or fully qualified")]),
    invalid(path, name, "must be a standard resource for containers"),
  ];
}

function validateResources(container: Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { limits = {}, requests = {} } = container.resources ?? {};
  for (const [kind, amounts] of [
    ["limits", limits],
    ["requests", requests],
  ] as const) {
    for (const [name, amount] of Object.entries(amounts)) {
      const own = keyed(child(child(path, "resources"), kind), name);
      errors.push(...validateResourceName(name, own));
      if (!isQuantity(amount)) errors.push(invalid(own, amount, quantityError));
      else if (compareQuantities(amount, "0") < 0)
        errors.push(invalid(own, String(amount), mustNotBeNegative));
    }
  }
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name];
    if (
      limit === undefined ||
      !isQuantity(limit) ||
      !isQuantity(amount) ||
      compareQuantities(amount, limit) <= 0
    )
      continue;
    errors.push(
      invalid(
        child(path, "resources.requests"),
        String(amount),
        `must be less than or equal to ${name} limit of ${String(limit)}`,
      ),
    );
  }
  return errors;
}

function validatePorts(container: Container, path: string, hostNetwork: boolean): FieldError[] {
  const names = new Set<string>();
  return (container.ports ?? []).flatMap((port, at) => {
    const own = index(child(path, "ports"), at);
    const errors: FieldError[] = [];
    if (port.name) {
      errors.push(...checkPortName(port.name).map((why) => invalid(child(own, "name"), port.name, why)));
      if (names.has(port.name)) errors.push(duplicate(child(own, "name"), port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(required(child(own, "containerPort")));
    else
      errors.push(
        ...checkPortNumber(port.containerPort).map((why) =>
          invalid(child(own, "containerPort"), port.containerPort, why),
        ),
      );
    if (port.hostPort)
      errors.push(
        ...checkPortNumber(port.hostPort).map((why) => invalid(child(own, "hostPort"), port.hostPort, why)),
      );
    if (hostNetwork && port.hostPort !== port.containerPort)
      errors.push(
        invalid(
          child(own, "containerPort"),
          port.containerPort ?? 0,
          "must match `hostPort` when `hostNetwork` is true",
        ),
      );
    errors.push(...oneOf(port.protocol, ["SCTP", "TCP", "UDP"], child(own, "protocol")));
    return errors;
  });
}

/** Init containers end before anything else begins: only those that go on running are asked how they are. */
function validateLife(container: Container, path: string, init: boolean): FieldError[] {
  const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
  const { restartPolicy } = container;
  const errors = init ? oneOf(restartPolicy, ["Always"], child(path, "restartPolicy")) : [];
  if (init && restartPolicy !== "Always") {
    for (const key of ["lifecycle", ...probes] as const)
      if (container[key] !== undefined)
        errors.push(
          forbidden(child(path, key), "may not be set for init containers without restartPolicy=Always"),
        );
    return errors;
  }
  errors.push(...validateHooks(container, path));
  for (const key of probes)
    errors.push(
      ...validateProbe(
        container[key],
        child(path, key),
        key.replace("Probe", "") as "liveness" | "readiness" | "startup",
      ),
    );
  return errors;
}

export interface ContainerSurroundings {
  readonly volumes: ReadonlySet<string>;
  readonly hostNetwork: boolean;
  readonly init: boolean;
}

export function validateContainer(
  container: Container,
  { volumes, hostNetwork, init }: ContainerSurroundings,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, image } = container;
  if (!name) errors.push(required(child(path, "name")));
  else errors.push(...checkDnsLabel(name).map((why) => invalid(child(path, "name"), name, why)));
  if (!image) errors.push(required(child(path, "image")));
  else if (image.trim() !== image)
    errors.push(invalid(child(path, "image"), image, "must not have leading or trailing whitespace"));
  const policies = ["Always", "IfNotPresent", "Never"];
  errors.push(...oneOf(container.imagePullPolicy, policies, child(path, "imagePullPolicy")));
  errors.push(
    ...oneOf(
      container.terminationMessagePolicy,
      ["File", "FallbackToLogsOnError"],
      child(path, "terminationMessagePolicy"),
    ),
  );
  errors.push(...validatePorts(container, path, hostNetwork));
  errors.push(...validateEnv(container.env ?? [], child(path, "env")));
  errors.push(...validateEnvFrom(container.envFrom ?? [], child(path, "envFrom")));
  errors.push(...validateMounts(container.volumeMounts ?? [], volumes, child(path, "volumeMounts")));
  errors.push(...validateLife(container, path, init));
  errors.push(...validateResources(container, path));
  errors.push(...validateContainerSecurity(container.securityContext, child(path, "securityContext")));
  return errors;
}
