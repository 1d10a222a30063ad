// What pods and containers may say about users, groups, privileges and profiles. Pure.

import type {
  AppArmorProfile,
  PodSecurityContext,
  SeccompProfile,
  SecurityContext,
} from "#machinery/gen/types/core-v1.ts";
import {
  child,
  duplicate,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { oneOf } from "../../field-checks.ts";

const idMax = 2 ** 32 - 1;
const outOfRange = `must be between 0 and ${idMax}, inclusive`;
const sysctlLengthMax = 253;
const sysctlPattern = "([a-z0-9][-_a-z0-9]*[./])*[a-z0-9][-_a-z0-9]*";
const sysctlName = new RegExp(`^${sysctlPattern}$`);
const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

function validateId(id: number | undefined, path: string): FieldError[] {
  return id === undefined || (id >= 0 && id <= idMax) ? [] : [invalid(path, id, outOfRange)];
}

function validateProfile(
  profile: SeccompProfile | AppArmorProfile | undefined,
  path: string,
  name: "seccomp" | "AppArmor",
): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const local = child(path, "localhostProfile");
  if (!type)
    return [required(child(path, "type"), `type is required when ${name.toLowerCase()}Profile is set`)];
  if (!profileTypes.includes(type)) return [notSupported(child(path, "type"), type, profileTypes)];
  if (type === "Localhost" && !localhostProfile)
    return [required(local, `must be set when ${name} type is Localhost`)];
  if (type !== "Localhost" && localhostProfile !== undefined)
    return [invalid(local, localhostProfile, `can only be set when ${name} type is Localhost`)];
  return [];
}

/** What pods and containers have in common. */
function validateShared(context: SecurityContext | PodSecurityContext, path: string): FieldError[] {
  return [
    ...validateId(context.runAsUser, child(path, "runAsUser")),
    ...validateId(context.runAsGroup, child(path, "runAsGroup")),
    ...validateProfile(context.seccompProfile, child(path, "seccompProfile"), "seccomp"),
    ...validateProfile(context.appArmorProfile, child(path, "appArmorProfile"), "AppArmor"),
  ];
}

export function validateContainerSecurity(context: SecurityContext | undefined, path: string): FieldError[] {
  if (context === undefined) return [];
  const errors = validateShared(context, path);
  errors.push(...oneOf(context.procMount, ["Default", "Unmasked"], child(path, "procMount")));
  if (context.allowPrivilegeEscalation !== false) return errors;
  if (context.privileged === true)
    errors.push(
      invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"),
    );
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN") === true)
    errors.push(
      invalid(
        path,
        context,
        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
      ),
    );
  return errors;
}

export function validatePodSecurity(context: PodSecurityContext | undefined, path: string): FieldError[] {
  if (context === undefined) return [];
  const errors = validateShared(context, path);
  errors.push(...validateId(context.fsGroup, child(path, "fsGroup")));
  for (const [at, group] of (context.supplementalGroups ?? []).entries())
    errors.push(...validateId(group, index(child(path, "supplementalGroups"), at)));
  errors.push(
    ...oneOf(context.fsGroupChangePolicy, ["Always", "OnRootMismatch"], child(path, "fsGroupChangePolicy")),
  );
  const names = new Set<string>();
  for (const [at, { name }] of (context.sysctls ?? []).entries()) {
    const own = child(index(child(path, "sysctls"), at), "name");
    if (!name) errors.push(required(own));
    else if (name.length > sysctlLengthMax || !sysctlName.test(name))
      errors.push(
        invalid(
          own,
          name,
          `must have at most ${sysctlLengthMax} characters and match regex ^${sysctlPattern}$`,
        ),
      );
    else if (names.has(name)) errors.push(duplicate(own, name));
    names.add(name ?? "");
  }
  return errors;
}
