// How volumes and claims are shown, and what they say of access alike. Pure.

import { notSupported, forbidden, required, type FieldError } from "#machinery/field-error.ts";

const modes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/** In the order in which they are listed. */
const shortModes = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
] as const;

/** `RWO,ROX` */
export const accessModesText = (given: readonly string[] = []): string =>
  shortModes
    .filter(([mode]) => given.includes(mode))
    .map(([, short]) => short)
    .join(",");

export function validateAccessModes(given: readonly string[] = [], path: string, missing = ""): FieldError[] {
  if (given.length === 0) return [required(path, missing)];
  const errors = given.filter((mode) => !modes.includes(mode)).map((mode) => notSupported(path, mode, modes));
  if (given.includes("ReadWriteOncePod") && given.length > 1)
    errors.push(forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  return errors;
}

export const volumeModes = ["Block", "Filesystem"];
/** The class that stood in an annotation before there was a field. */
export const classAnnotation = "volume.beta.kubernetes.io/storage-class";
