// VolumeAttachment: a volume is to be attached to a node, and whether it is.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { VolumeAttachment, VolumeAttachmentSource } from "#machinery/gen/types/storage-v1.ts";
import { child, forbidden, invalid, required, tooLong, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, isImmutable, keep } from "../field-checks.ts";
import { keepMetadataOfObject } from "../status-metadata.ts";
import { driverName } from "./rules.ts";

const metadataBytesMax = 256 * 1024;
const messageBytesMax = 262_144;
const oneSource = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

function validateSource(source: VolumeAttachmentSource = {}, path: string): FieldError[] {
  const { persistentVolumeName: name, inlineVolumeSpec } = source;
  if (name === undefined && inlineVolumeSpec === undefined) return [required(path, oneSource)];
  if (name !== undefined && inlineVolumeSpec !== undefined) return [forbidden(path, oneSource)];
  if (name === undefined) return [];
  const own = child(path, "persistentVolumeName");
  return name === ""
    ? [required(own, "must specify non empty persistentVolumeName")]
    : each(checkDnsSubdomain(name), own, name);
}

function validateStatus({ status }: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = [];
  const entries = Object.entries(status?.attachmentMetadata ?? {});
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (bytes > metadataBytesMax) errors.push(tooLong("status.attachmentMetadata", metadataBytesMax));
  for (const field of ["attachError", "detachError"] as const) {
    const { message = "", errorCode } = status?.[field] ?? {};
    if (message.length > messageBytesMax) errors.push(tooLong(`status.${field}.message`, messageBytesMax));
    if (errorCode !== undefined && errorCode <= 0)
      errors.push(invalid(`status.${field}.errorCode`, errorCode, "must be greater than 0"));
  }
  return errors;
}

function validate({ spec }: VolumeAttachment): FieldError[] {
  const { attacher = "", source, nodeName = "" } = spec ?? {};
  return [
    ...driverName(attacher, "spec.attacher"),
    ...validateSource(source, "spec.source"),
    ...each(checkDnsSubdomain(nodeName), "spec.nodeName", nodeName),
  ];
}

export const volumeAttachment = defineResource<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  resource: "volumeattachments",
  namespaced: false,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Attacher", ({ spec }) => spec.attacher),
    column("PV", ({ spec }) => spec.source.persistentVolumeName ?? ""),
    column("Node", ({ spec }) => spec.nodeName),
    column("Attached", ({ status }) => status?.attached ?? false, { type: "boolean" }),
    ageColumn,
  ],
  prepareForCreate: (draft) => {
    draft.status = { attached: false };
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...(isDeepStrictEqual(next.spec, old.spec) ? [] : [invalid("spec", next.spec, isImmutable)]),
  ],
  status: { prepareForUpdate: keepMetadataOfObject, validateUpdate: validateStatus },
});
