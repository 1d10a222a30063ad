// Event: what happened to an object. Gone after an hour.

import { defineResource } from "#machinery/define-resource.ts";
import type { Event } from "#machinery/gen/types/core-v1.ts";
import { invalid, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { age } from "../age.ts";
import { column, nameColumn } from "../columns.ts";

const lastSeen = (event: Event): string | undefined =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? undefined;
const source = (event: Event): string => event.source?.component || (event.reportingComponent ?? "");

function validate(event: Event): FieldError[] {
  const namespace = event.metadata?.namespace;
  const about = event.involvedObject?.namespace;
  if (about && about !== namespace)
    return [invalid("involvedObject.namespace", about, "does not match event.namespace")];
  if (!about && namespace !== "default" && namespace !== "kube-system")
    return [invalid("involvedObject.namespace", about ?? "", "does not match event.namespace")];
  return [];
}

export const event = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  resource: "events",
  shortNames: ["ev"],
  namespaced: true,
  allowCreateOnUpdate: true,
  validateName: nameCheck(checkDnsSubdomain),
  timeToLiveSeconds: 3600,
  columns: [
    column("Last Seen", (object, nowMs) => age(lastSeen(object), nowMs)),
    column("Type", (object) => object.type ?? ""),
    column("Reason", (object) => object.reason ?? ""),
    column(
      "Object",
      (object) => `${(object.involvedObject?.kind ?? "").toLowerCase()}/${object.involvedObject?.name ?? ""}`,
    ),
    column("Subobject", (object) => object.involvedObject?.fieldPath ?? "", { wide: true }),
    column("Source", (object) => [source(object), object.source?.host].filter(Boolean).join(", "), {
      wide: true,
    }),
    column("Message", (object) => (object.message ?? "").trim()),
    column(
      "First Seen",
      (object, nowMs) => age(object.firstTimestamp ?? object.eventTime ?? undefined, nowMs),
      { wide: true },
    ),
    column("Count", (object) => String(object.series?.count ?? object.count ?? 1), { wide: true }),
    { ...nameColumn, priority: 1 },
  ],
  applyDefaults: (draft) => {
    draft.reportingComponent ??= "";
    draft.reportingInstance ??= "";
  },
  validate,
  selectableFields: {
    "involvedObject.kind": (object) => object.involvedObject?.kind ?? "",
    "involvedObject.namespace": (object) => object.involvedObject?.namespace ?? "",
    "involvedObject.name": (object) => object.involvedObject?.name ?? "",
    "involvedObject.uid": (object) => object.involvedObject?.uid ?? "",
    "involvedObject.apiVersion": (object) => object.involvedObject?.apiVersion ?? "",
    "involvedObject.resourceVersion": (object) => object.involvedObject?.resourceVersion ?? "",
    "involvedObject.fieldPath": (object) => object.involvedObject?.fieldPath ?? "",
    reason: (object) => object.reason ?? "",
    reportingComponent: (object) => object.reportingComponent ?? "",
    source: source,
    type: (object) => object.type ?? "",
  },
});
