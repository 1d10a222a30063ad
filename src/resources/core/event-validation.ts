// What is valid as an event, in the stored form: the older way of saying it, and the newer, which has an eventTime. Pure.

import { isDeepStrictEqual } from "node:util";
import type { Event } from "#machinery/gen/types/core-v1.ts";
import { invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkQualifiedName } from "#machinery/names.ts";
import { isImmutable } from "../field-checks.ts";

const wordMax = 128;
const messageMax = 1024;
const otherNamespace = "does not match event.namespace";

const tooManyCharacters = (value: string, max: number, path: string): FieldError[] =>
  value.length > max ? [invalid(path, "", `can have at most ${max} characters`)] : [];

/** A word that newer events must have. */
const word = (value: string | undefined, path: string): FieldError[] =>
  value ? tooManyCharacters(value, wordMax, path) : [required(path)];

function validateNamespace(event: Event): FieldError[] {
  const { namespace = "" } = event.metadata ?? {};
  const about = event.involvedObject?.namespace ?? "";
  const allowed = event.eventTime ? ["default", "kube-system"] : ["default"];
  const fits = about === "" ? allowed.includes(namespace) : about === namespace;
  return fits ? [] : [invalid("involvedObject.namespace", about, otherNamespace)];
}

/** As every version has it. The reporter's field has two names. */
export function validateEvent(
  event: Event,
  reporter: "reportingComponent" | "reportingController",
): FieldError[] {
  const errors = validateNamespace(event);
  if (!event.eventTime) return errors;
  const { reportingComponent = "", reportingInstance, action, reason, message = "" } = event;
  if (reportingComponent === "") errors.push(required(reporter));
  errors.push(
    ...checkQualifiedName(reportingComponent).map((why) => invalid(reporter, reportingComponent, why)),
  );
  return [
    ...errors,
    ...word(reportingInstance, "reportingInstance"),
    ...word(action, "action"),
    ...word(reason, "reason"),
    ...tooManyCharacters(message, messageMax, "message"),
  ];
}

function validateSeries({ series }: Event): FieldError[] {
  if (series === undefined) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalid("series.count", "", "should be at least 2")] : []),
    ...(series.lastObservedTime ? [] : [required("series.lastObservedTime")]),
  ];
}

/** A new event of the newer version: without what only the older had. */
export function validateNewEvent(event: Event): FieldError[] {
  const unset = (path: string, given: unknown): FieldError[] =>
    given ? [invalid(path, "", "needs to be unset")] : [];
  return [
    ...validateEvent(event, "reportingController"),
    ...(event.eventTime ? [] : [required("eventTime")]),
    ...validateSeries(event),
    ...(event.type === "Normal" || event.type === "Warning"
      ? []
      : [invalid("type", "", `has invalid value: ${event.type ?? ""}`)]),
    ...unset("firstTimestamp", event.firstTimestamp),
    ...unset("lastTimestamp", event.lastTimestamp),
    ...unset("count", event.count),
    ...unset("source", event.source?.component || event.source?.host),
  ];
}

const fixed = [
  "involvedObject",
  "reason",
  "message",
  "source",
  "firstTimestamp",
  "lastTimestamp",
  "count",
  "type",
  "eventTime",
  "action",
  "related",
  "reportingComponent",
  "reportingInstance",
] as const;

/** In the newer version only the series goes on. */
export function validateEventChange(next: Event, old: Event): FieldError[] {
  return [
    ...validateEvent(next, "reportingController"),
    ...fixed
      .filter((field) => !isDeepStrictEqual(next[field] ?? null, old[field] ?? null))
      .map((field) =>
        invalid(
          field === "reportingComponent" ? "reportingController" : field,
          next[field] ?? null,
          isImmutable,
        ),
      ),
    ...validateSeries(next),
  ];
}
