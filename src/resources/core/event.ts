// Event: what happened to an object. Gone after an hour.

import { defineResource, type Column } from "#machinery/define-resource.ts";
import type { Event } from "#machinery/gen/types/core-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { age } from "../age.ts";
import { column, nameColumn } from "../columns.ts";
import { validateEvent } from "./event-validation.ts";

const lastSeen = (event: Event): string | undefined =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? undefined;
const source = (event: Event): string => event.source?.component || (event.reportingComponent ?? "");

/** What the event is called in each of its versions is the same; the older one stores it. */
export const eventKind = {
  kind: "Event",
  resource: "events",
  shortNames: ["ev"],
  namespaced: true,
  allowCreateOnUpdate: true,
  validateName: nameCheck(checkDnsSubdomain),
  timeToLiveSeconds: 3600,
  storage: { group: "", resource: "events", version: "v1" },
} as const;

export const eventColumns: readonly Column<Event>[] = [
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
];

export const event = defineResource<Event>({
  ...eventKind,
  group: "",
  version: "v1",
  columns: eventColumns,
  applyDefaults: (draft) => {
    draft.reportingComponent ??= "";
    draft.reportingInstance ??= "";
  },
  validate: (object) => validateEvent(object, "reportingComponent"),
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
