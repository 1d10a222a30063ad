// What is a valid pod spec, for pods and templates. Pure; all errors at once, with their paths.

import type {
  Container,
  EnvVar,
  ObjectFieldSelector,
  PodSpec,
  Probe,
  Volume,
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
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkEnvName,
  checkLabelValue,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
} from "#machinery/names.ts";
import { compareQuantities, isQuantity, quantityError } from "#machinery/quantity.ts";

const mustNotBeNegative = "must be greater than or equal to 0";

function nonNegative(value: number | undefined, path: string): FieldError[] {
  return value !== undefined && value < 0 ? [invalid(path, value, mustNotBeNegative)] : [];
}

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

/** A single label or annotation: `metadata.labels['app']`. */
const oneOfMap = /^metadata\.(labels|annotations)\['(.+)'\]$/;

function validateFieldRef(
  { apiVersion = "v1", fieldPath }: ObjectFieldSelector,
  path: string,
  known: ReadonlySet<string>,
): FieldError[] {
  if (!fieldPath) return [required(child(path, "fieldPath"))];
  const own = child(path, "fieldPath");
  if (apiVersion !== "v1")
    return [invalid(own, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  const match = oneOfMap.exec(fieldPath);
  if (match !== null)
    return checkQualifiedName((match[2] as string).toLowerCase()).map((why) => invalid(own, match[2], why));
  return known.has(fieldPath)
    ? []
    : [invalid(own, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
}

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

function validateProbe(
  probe: Probe | undefined,
  path: string,
  kind: "liveness" | "readiness" | "startup",
): FieldError[] {
  if (probe === undefined) return [];
  const errors: FieldError[] = [];
  const handlers = [probe.exec, probe.httpGet, probe.tcpSocket, probe.grpc].filter(
    (handler) => handler !== undefined,
  );
  if (handlers.length === 0) errors.push(required(path, "must specify a handler type"));
  if (handlers.length > 1) errors.push(forbidden(path, "may not specify more than 1 handler type"));
  if (probe.exec !== undefined && (probe.exec.command ?? []).length === 0)
    errors.push(required(child(path, "exec.command")));
  for (const key of ["httpGet", "tcpSocket"] as const) {
    const handler = probe[key];
    if (handler === undefined) continue;
    errors.push(...validatePortReference(handler.port, child(path, `${key}.port`)));
  }
  for (const key of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    errors.push(...nonNegative(probe[key], child(path, key)));
  }
  if (kind !== "readiness" && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    errors.push(invalid(child(path, "successThreshold"), probe.successThreshold, "must be 1"));
  }
  return errors;
}

function validatePortReference(port: string | number | undefined, path: string): FieldError[] {
  if (port === undefined) return [required(path)];
  return typeof port === "number"
    ? checkPortNumber(port).map((why) => invalid(path, port, why))
    : checkPortName(port).map((why) => invalid(path, port, why));
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
      errors.push(...checkQualifiedName(name).map((why) => invalid(own, name, why)));
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

function validatePorts(container: Container, path: string): FieldError[] {
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
    if (port.protocol && !["TCP", "UDP", "SCTP"].includes(port.protocol))
      errors.push(notSupported(child(own, "protocol"), port.protocol, ["SCTP", "TCP", "UDP"]));
    return errors;
  });
}

function validateContainer(container: Container, volumes: ReadonlySet<string>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!container.name) errors.push(required(child(path, "name")));
  else
    errors.push(
      ...checkDnsLabel(container.name).map((why) => invalid(child(path, "name"), container.name, why)),
    );
  if (!container.image) errors.push(required(child(path, "image")));
  else if (container.image.trim() !== container.image)
    errors.push(
      invalid(child(path, "image"), container.image, "must not have leading or trailing whitespace"),
    );
  if (container.imagePullPolicy && !["Always", "IfNotPresent", "Never"].includes(container.imagePullPolicy)) {
    errors.push(
      notSupported(child(path, "imagePullPolicy"), container.imagePullPolicy, [
        "Always",
        "IfNotPresent",
        "Never",
      ]),
    );
  }
  if (
    container.terminationMessagePolicy &&
    !["File", "FallbackToLogsOnError"].includes(container.terminationMessagePolicy)
  ) {
    errors.push(
      notSupported(child(path, "terminationMessagePolicy"), container.terminationMessagePolicy, [
        "File",
        "FallbackToLogsOnError",
      ]),
    );
  }
  errors.push(...validatePorts(container, path));
  errors.push(...validateEnv(container.env ?? [], child(path, "env")));
  errors.push(...validateMounts(container.volumeMounts ?? [], volumes, child(path, "volumeMounts")));
  errors.push(...validateProbe(container.livenessProbe, child(path, "livenessProbe"), "liveness"));
  errors.push(...validateProbe(container.readinessProbe, child(path, "readinessProbe"), "readiness"));
  errors.push(...validateProbe(container.startupProbe, child(path, "startupProbe"), "startup"));
  errors.push(...validateResources(container, path));
  return errors;
}

function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, at) => {
    const own = index(path, at);
    const errors: FieldError[] = [];
    if (!volume.name) errors.push(required(child(own, "name")));
    else {
      errors.push(...checkDnsLabel(volume.name).map((why) => invalid(child(own, "name"), volume.name, why)));
      if (names.has(volume.name)) errors.push(duplicate(child(own, "name"), volume.name));
      names.add(volume.name);
    }
    const given = Object.entries(volume)
      .filter(([key, source]) => key !== "name" && source !== undefined)
      .map(([key]) => key);
    if (given.length === 0) errors.push(required(own, "must specify a volume type"));
    for (const extra of given.slice(1))
      errors.push(forbidden(child(own, extra), "may not specify more than 1 volume type"));
    if (volume.secret !== undefined && !volume.secret.secretName)
      errors.push(required(child(own, "secret.secretName")));
    if (volume.configMap !== undefined && !volume.configMap.name)
      errors.push(required(child(own, "configMap.name")));
    if (volume.hostPath !== undefined && !volume.hostPath.path)
      errors.push(required(child(own, "hostPath.path")));
    if (volume.persistentVolumeClaim !== undefined && !volume.persistentVolumeClaim.claimName)
      errors.push(required(child(own, "persistentVolumeClaim.claimName")));
    return errors;
  });
}

function validateTolerations(spec: PodSpec, path: string): FieldError[] {
  return (spec.tolerations ?? []).flatMap((toleration, at) => {
    const own = index(child(path, "tolerations"), at);
    const errors: FieldError[] = [];
    if (toleration.key)
      errors.push(
        ...checkQualifiedName(toleration.key).map((why) => invalid(child(own, "key"), toleration.key, why)),
      );
    const operator = toleration.operator ?? "Equal";
    if (!toleration.key && operator !== "Exists")
      errors.push(
        invalid(
          child(own, "operator"),
          toleration.operator ?? "",
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== "NoExecute") {
      errors.push(
        invalid(
          child(own, "effect"),
          toleration.effect ?? "",
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    }
    if (!["", "Equal", "Exists", "Lt", "Gt"].includes(operator))
      errors.push(notSupported(child(own, "operator"), operator, ["Equal", "Exists"]));
    else if (operator === "Exists" && toleration.value)
      errors.push(
        invalid(child(own, "operator"), toleration, "value must be empty when `operator` is 'Exists'"),
      );
    if (toleration.effect && !["NoSchedule", "PreferNoSchedule", "NoExecute"].includes(toleration.effect)) {
      errors.push(
        notSupported(child(own, "effect"), toleration.effect, [
          "NoSchedule",
          "PreferNoSchedule",
          "NoExecute",
        ]),
      );
    }
    return errors;
  });
}

/** All errors of a pod spec at `path` (`spec`, or `spec.template.spec`). */
export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const errors = validateVolumes(spec.volumes ?? [], child(path, "volumes"));
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  if ((spec.containers ?? []).length === 0) errors.push(required(child(path, "containers")));
  const names = new Set<string>();
  for (const [list, containers] of [
    ["containers", spec.containers ?? []],
    ["initContainers", spec.initContainers ?? []],
  ] as const) {
    for (const [at, container] of containers.entries()) {
      const own = index(child(path, list), at);
      errors.push(...validateContainer(container, volumes, own));
      if (container.name && names.has(container.name))
        errors.push(duplicate(child(own, "name"), container.name));
      names.add(container.name ?? "");
    }
  }
  if (spec.restartPolicy && !["Always", "OnFailure", "Never"].includes(spec.restartPolicy))
    errors.push(
      notSupported(child(path, "restartPolicy"), spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    );
  if (
    spec.dnsPolicy &&
    !["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"].includes(spec.dnsPolicy)
  ) {
    errors.push(
      notSupported(child(path, "dnsPolicy"), spec.dnsPolicy, [
        "ClusterFirst",
        "ClusterFirstWithHostNet",
        "Default",
        "None",
      ]),
    );
  }
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    errors.push(...checkQualifiedName(key).map((why) => invalid(child(path, "nodeSelector"), key, why)));
    errors.push(...checkLabelValue(value).map((why) => invalid(child(path, "nodeSelector"), value, why)));
  }
  for (const [key, check] of [
    ["serviceAccountName", checkDnsSubdomain],
    ["nodeName", checkDnsSubdomain],
    ["hostname", checkDnsLabel],
    ["subdomain", checkDnsLabel],
  ] as const) {
    const value = spec[key];
    if (value) errors.push(...check(value).map((why) => invalid(child(path, key), value, why)));
  }
  errors.push(
    ...nonNegative(spec.terminationGracePeriodSeconds, child(path, "terminationGracePeriodSeconds")),
  );
  if (spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds < 1) {
    errors.push(
      invalid(
        child(path, "activeDeadlineSeconds"),
        spec.activeDeadlineSeconds,
        "must be between 1 and 2147483647, inclusive",
      ),
    );
  }
  errors.push(...validateTolerations(spec, path));
  return errors;
}
