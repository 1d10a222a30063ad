// When a schedule is due: at every minute whose wall clock in the schedule's zone matches. An hour that daylight saving
// skips never comes, one that it repeats comes twice. Pure.

import { parseCron, type CronField, type CronSchedule } from "#resources/batch/cron-schedule.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A schedule that is not due within so long never is: the 30th of February. */
const horizonMs = 5 * 366 * 24 * hourMs;
/** More missed times than this are worth a warning. */
const missedMax = 100;
/** Zones whose calendars are kept; there are some 600 in all. */
const zonesMax = 1000;

/** How far the wall clock of a zone is ahead of UTC at a moment. */
export type ZoneOffset = (ms: number) => number;

const calendars = new Map<string, ZoneOffset>();

/** Throws RangeError for a zone that is not known. Without one: that of this machine. */
export function zoneOffset(zone: string | undefined): ZoneOffset {
  const key = zone ?? "";
  const known = calendars.get(key);
  if (known !== undefined) return known;
  const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric" } as const;
  const format = new Intl.DateTimeFormat("en-u-ca-iso8601", {
    ...fields,
    minute: "numeric",
    second: "numeric",
    hourCycle: "h23",
    ...(zone === undefined ? {} : { timeZone: zone }),
  });
  const offset: ZoneOffset = (ms) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
  };
  if (calendars.size >= zonesMax) calendars.clear();
  calendars.set(key, offset);
  return offset;
}

export interface ZonedSchedule {
  readonly schedule: CronSchedule;
  readonly offset: ZoneOffset;
}

/** A schedule may name its zone itself, as it could before there was a field for it. Throws CronError or RangeError. */
export function zonedSchedule(text: string, timeZone: string | undefined): ZonedSchedule {
  const prefix = /^(?:CRON_)?TZ=(\S*)\s*/.exec(text);
  const zone = timeZone ?? prefix?.[1];
  return { schedule: parseCron(text.slice(prefix?.[0].length ?? 0)), offset: zoneOffset(zone) };
}

interface Wall {
  readonly hour: number;
  readonly minute: number;
  readonly isDay: boolean;
  readonly isHour: boolean;
  readonly minutes: CronField;
}

function wallAt(fields: readonly CronField[], offset: ZoneOffset, ms: number): Wall {
  const [minutes, hours, days, months, weekdays] = fields as [
    CronField,
    CronField,
    CronField,
    CronField,
    CronField,
  ];
  const local = new Date(ms + offset(ms));
  const [hour, minute] = [local.getUTCHours(), local.getUTCMinutes()];
  const isDate = days.values.has(local.getUTCDate());
  const isWeekday = weekdays.values.has(local.getUTCDay());
  // Where both say something, one of them is enough.
  const isEither = days.any || weekdays.any ? isDate && isWeekday : isDate || isWeekday;
  const isDay = months.values.has(local.getUTCMonth() + 1) && isEither;
  return { hour, minute, isDay, isHour: hours.values.has(hour), minutes };
}

/** The first time after `afterMs`. */
export function nextTime({ schedule, offset }: ZonedSchedule, afterMs: number): number | undefined {
  if (!("fields" in schedule)) return Math.floor((afterMs + period(schedule.everyMs)) / 1000) * 1000;
  let at = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
  while (at <= afterMs + horizonMs) {
    const { hour, minute, isDay, isHour, minutes } = wallAt(schedule.fields, offset, at);
    // Never over midnight in one step, whatever the zone does with its clocks on that day.
    if (!isDay) at += Math.max(1, 22 - hour) * hourMs - minute * minuteMs;
    else if (!isHour) at += hourMs - minute * minuteMs;
    else if (minutes.values.has(minute)) return at;
    else at += (following(minutes, minute) - minute) * minuteMs;
  }
  return undefined;
}

/** The last time that is after `afterMs` and not after `untilMs`. */
export function lastTime(zoned: ZonedSchedule, afterMs: number, untilMs: number): number | undefined {
  const { schedule, offset } = zoned;
  if (!("fields" in schedule)) {
    const everyMs = period(schedule.everyMs);
    const times = Math.floor((untilMs - afterMs) / everyMs);
    return times < 1 ? undefined : Math.floor((afterMs + times * everyMs) / 1000) * 1000;
  }
  let at = Math.floor(untilMs / minuteMs) * minuteMs;
  const firstMs = Math.max(afterMs, untilMs - horizonMs);
  while (at > firstMs) {
    const { hour, minute, isDay, isHour, minutes } = wallAt(schedule.fields, offset, at);
    if (!isDay && hour > 1) at -= (hour - 1) * hourMs + (minute - 59) * minuteMs;
    else if (!isDay || !isHour) at -= (minute + 1) * minuteMs;
    else if (minutes.values.has(minute)) return at;
    else at -= (minute - preceding(minutes, minute)) * minuteMs;
  }
  return undefined;
}

/** Whether more times than anybody would want to catch up with lie in between. */
export function isTooMany(zoned: ZonedSchedule, afterMs: number, untilMs: number): boolean {
  const { schedule } = zoned;
  if (!("fields" in schedule)) return (untilMs - afterMs) / period(schedule.everyMs) > missedMax;
  let at: number | undefined = afterMs;
  for (let missed = 0; missed <= missedMax; missed++) {
    at = nextTime(zoned, at);
    if (at === undefined || at > untilMs) return false;
  }
  return true;
}

/** Whole seconds, and at least one. */
const period = (everyMs: number): number => Math.max(1, Math.floor(everyMs / 1000)) * 1000;

/** The next minute that is allowed; the hour's end when there is none. */
function following({ values }: CronField, minute: number): number {
  for (let next = minute + 1; next < 60; next++) if (values.has(next)) return next;
  return 60;
}

/** The minute before that is allowed; the end of the hour before when there is none. */
function preceding({ values }: CronField, minute: number): number {
  for (let last = minute - 1; last >= 0; last--) if (values.has(last)) return last;
  return -1;
}

/** RFC 3339 with the zone's offset. */
export function zonedTimestamp(offset: ZoneOffset, ms: number): string {
  const minutes = Math.round(offset(ms) / minuteMs);
  const text = new Date(ms + minutes * minuteMs).toISOString().slice(0, 19);
  if (minutes === 0) return `${text}Z`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${text}${minutes < 0 ? "-" : "+"}${two(hours)}:${two(rest)}`;
}
