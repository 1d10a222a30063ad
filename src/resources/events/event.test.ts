import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event as CoreEvent } from "#machinery/gen/types/core-v1.ts";
import type { Event } from "#machinery/gen/types/events-v1.ts";
import { event as coreEvent } from "../core/event.ts";
import { kindTable, tableChecker } from "../kind-table.ts";
import { eventFromCore, eventToCore, newerEvent } from "./event.ts";

const checkTable = tableChecker((title, told, causes) => test(title, () => assert.deepEqual(told(), causes)));
const metadata = { name: "x", namespace: "shop", creationTimestamp: "2020-01-01T00:00:00Z" };
const time = "2020-01-01T00:00:00.000000Z";
const kind = kindTable<Event>(newerEvent, {
  metadata,
  eventTime: time,
  reportingController: "example.com/c",
  reportingInstance: "c-1",
  action: "Act",
  reason: "Why",
  type: "Normal",
  regarding: { kind: "Pod", namespace: "shop", name: "p" },
  note: "what",
});

checkTable("Event.events.k8s.io", kind, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "about another namespace",
      ({ regarding }) => (regarding!.namespace = "other"),
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ],
    [
      "nobody says it",
      (object) =>
        Object.assign(object, { reportingController: "", reportingInstance: "", action: "", reason: "" }),
      "reportingController: Required value",
      'reportingController: Invalid value: "": name part must be non-empty',
      "reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "reportingInstance: Required value",
      "action: Required value",
      "reason: Required value",
    ],
    [
      "too long",
      (object) => Object.assign(object, { action: "a".repeat(129), note: "n".repeat(1025) }),
      'action: Invalid value: "": can have at most 128 characters',
      'message: Invalid value: "": can have at most 1024 characters',
    ],
    ["no time", (object) => (object.eventTime = null), "eventTime: Required value"],
    [
      "another type, and a series of one",
      (object) => Object.assign(object, { type: "Odd", series: { count: 1, lastObservedTime: null } }),
      'series.count: Invalid value: "": should be at least 2',
      "series.lastObservedTime: Required value",
      'type: Invalid value: "": has invalid value: Odd',
    ],
    [
      "in the older words",
      (object) =>
        Object.assign(object, {
          deprecatedCount: 1,
          deprecatedFirstTimestamp: time,
          deprecatedSource: { component: "c" },
        }),
      'firstTimestamp: Invalid value: "": needs to be unset',
      'count: Invalid value: "": needs to be unset',
      'source: Invalid value: "": needs to be unset',
    ],
  ],
  update: [
    ["the series goes on", (object) => (object.series = { count: 2, lastObservedTime: time })],
    [
      "another note and reporter",
      (object) => Object.assign(object, { note: "else", reportingController: "a" }),
      'message: Invalid value: "else": field is immutable',
      'reportingController: Invalid value: "a": field is immutable',
    ],
  ],
});

const older = kindTable<CoreEvent>(coreEvent, {
  metadata: { ...metadata },
  involvedObject: { kind: "Pod", namespace: "shop", name: "p" },
});
checkTable("Event", older, {
  create: [
    ["nothing is wrong", () => undefined],
    [
      "about nothing in a namespace",
      ({ involvedObject }) => delete involvedObject.namespace,
      'involvedObject.namespace: Invalid value: "": does not match event.namespace',
    ],
    [
      "with a time, but without what goes with it",
      (object) =>
        Object.assign(object, { eventTime: time, reportingComponent: "c", action: "a", reason: "r" }),
      "reportingInstance: Required value",
    ],
  ],
});

test("an event is the same in both versions", () => {
  const full: CoreEvent = {
    metadata,
    involvedObject: { kind: "Pod", name: "p" },
    reason: "r",
    message: "m",
    source: { component: "c", host: "h" },
    firstTimestamp: "2020-01-01T00:00:00Z",
    lastTimestamp: "2020-01-02T00:00:00Z",
    count: 3,
    type: "Warning",
    eventTime: null,
    series: { count: 2, lastObservedTime: time },
    action: "a",
    related: { kind: "Node", name: "n" },
    reportingComponent: "",
    reportingInstance: "",
  };
  assert.deepEqual(eventToCore(eventFromCore(full)), full);
  const { note, regarding, deprecatedCount } = eventFromCore(full);
  assert.deepEqual([note, regarding, deprecatedCount], ["m", { kind: "Pod", name: "p" }, 3]);
});
