// Event, as events.k8s.io/v1: the same events as the core group's, in the newer words.

import { converting, defineResource } from "#machinery/define-resource.ts";
import type { Event as CoreEvent } from "#machinery/gen/types/core-v1.ts";
import type { Event } from "#machinery/gen/types/events-v1.ts";
import { validateEventChange, validateNewEvent } from "../core/event-validation.ts";
import { eventColumns, eventKind } from "../core/event.ts";

/** Without fields that are not there: what is left out stays left out. */
function present<T extends object>(fields: T): T {
  const found = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as T;
}

export function eventFromCore(event: CoreEvent): Event {
  return present({
    metadata: event.metadata,
    eventTime: event.eventTime ?? null,
    series: event.series,
    reportingController: event.reportingComponent || undefined,
    reportingInstance: event.reportingInstance || undefined,
    action: event.action,
    reason: event.reason,
    regarding: event.involvedObject ?? {},
    related: event.related,
    note: event.message,
    type: event.type,
    deprecatedSource: event.source ?? {},
    deprecatedFirstTimestamp: event.firstTimestamp ?? null,
    deprecatedLastTimestamp: event.lastTimestamp ?? null,
    deprecatedCount: event.count,
  }) as Event;
}

export function eventToCore(event: Event): CoreEvent {
  return present({
    metadata: event.metadata ?? {},
    involvedObject: event.regarding ?? {},
    reason: event.reason,
    message: event.note,
    source: event.deprecatedSource ?? {},
    firstTimestamp: event.deprecatedFirstTimestamp ?? null,
    lastTimestamp: event.deprecatedLastTimestamp ?? null,
    count: event.deprecatedCount,
    type: event.type,
    eventTime: event.eventTime ?? null,
    series: event.series,
    action: event.action,
    related: event.related,
    reportingComponent: event.reportingController ?? "",
    reportingInstance: event.reportingInstance ?? "",
  }) as CoreEvent;
}

export const newerEvent = defineResource<Event>({
  ...eventKind,
  group: "events.k8s.io",
  version: "v1",
  conversion: converting({ fromStorage: eventFromCore, toStorage: eventToCore }),
  columns: eventColumns.map((shown) => ({
    ...shown,
    cell: (object, nowMs) => shown.cell(eventToCore(object), nowMs),
  })),
  validate: (object) => validateNewEvent(eventToCore(object)),
  validateUpdate: (next, old) => validateEventChange(eventToCore(next), eventToCore(old)),
  selectableFields: {
    "regarding.kind": ({ regarding }) => regarding?.kind ?? "",
    "regarding.namespace": ({ regarding }) => regarding?.namespace ?? "",
    "regarding.name": ({ regarding }) => regarding?.name ?? "",
    "regarding.uid": ({ regarding }) => regarding?.uid ?? "",
    "regarding.apiVersion": ({ regarding }) => regarding?.apiVersion ?? "",
    "regarding.resourceVersion": ({ regarding }) => regarding?.resourceVersion ?? "",
    "regarding.fieldPath": ({ regarding }) => regarding?.fieldPath ?? "",
    reason: ({ reason }) => reason ?? "",
    reportingController: ({ reportingController, deprecatedSource }) =>
      deprecatedSource?.component || (reportingController ?? ""),
    type: ({ type }) => type ?? "",
  },
});
