import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import { isTooMany, lastTime, nextTime, zonedSchedule, zonedTimestamp } from "./cron-time.ts";

const at = (text: string): number => Date.parse(text.length === 16 ? `${text}:00Z` : text);
const shown = (ms: number | undefined): string =>
  ms === undefined ? "never" : new Date(ms).toISOString().slice(0, 16);
const minuteMs = 60_000;

test("the next time, and the last one", () => {
  const rows: [schedule: string, zone: string | undefined, from: string, next: string][] = [
    ["* * * * *", "UTC", "2026-01-01T10:00", "2026-01-01T10:01"],
    ["*/15 * * * *", "UTC", "2026-01-01T10:00", "2026-01-01T10:15"],
    ["0 3 * * *", "UTC", "2026-01-01T03:00", "2026-01-02T03:00"],
    ["@hourly", "UTC", "2026-01-01T10:30", "2026-01-01T11:00"],
    ["0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"],
    ["0 0 30 2 *", "UTC", "2026-01-01T00:00", "never"],
    ["0 0 13 * 5", "UTC", "2026-01-01T00:00", "2026-01-02T00:00"],
    ["0 0 13 * *", "UTC", "2026-01-01T00:00", "2026-01-13T00:00"],
    ["0 0 * * 1-5", "UTC", "2026-01-02T00:00", "2026-01-05T00:00"],
    ["0 12 * * *", "Asia/Kolkata", "2026-01-01T00:00", "2026-01-01T06:30"],
    ["0 9 * * *", "America/Sao_Paulo", "2026-01-01T00:00", "2026-01-01T12:00"],
    ["CRON_TZ=Asia/Tokyo 0 9 * * *", undefined, "2026-01-01T01:00", "2026-01-02T00:00"],
    ["@every 90s", "UTC", "2026-01-01T10:00", "2026-01-01T10:01"],
    // New York springs from 02:00 to 03:00 on 2026-03-08 (07:00 UTC): half past two does not come that day.
    ["30 2 * * *", "America/New_York", "2026-03-07T12:00", "2026-03-09T06:30"],
    ["0 3 * * *", "America/New_York", "2026-03-07T12:00", "2026-03-08T07:00"],
    // … and falls from 02:00 back to 01:00 on 2026-11-01 (06:00 UTC): half past one comes twice.
    ["30 1 * * *", "America/New_York", "2026-11-01T00:00", "2026-11-01T05:30"],
    ["30 1 * * *", "America/New_York", "2026-11-01T05:30", "2026-11-01T06:30"],
    ["30 1 * * *", "America/New_York", "2026-11-01T06:30", "2026-11-02T06:30"],
    // Midnight does not come where the clocks jump at midnight.
    ["0 0 * * *", "America/Santiago", "2026-09-05T12:00", "2026-09-07T03:00"],
  ];
  for (const [schedule, zone, from, next] of rows) {
    const zoned = zonedSchedule(schedule, zone);
    const found = nextTime(zoned, at(from));
    assert.equal(shown(found), next, `${schedule} ${zone} after ${from}`);
    if (found !== undefined && !schedule.startsWith("@every"))
      assert.equal(lastTime(zoned, at(from), found + 59_999), found, `${schedule} ${zone}: the last one`);
  }
});

test("as looking at every minute would find, over the changes of clocks", () => {
  const zones = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
  ];
  const starts = [
    "2026-03-08T00:00",
    "2026-03-29T00:00",
    "2026-10-24T12:00",
    "2026-11-01T00:00",
    "2026-04-04T10:00",
  ];
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)] as T;
    const text = `${pick(["*/20", "30", "0", "5,50"])} ${pick(["*", "1-3", "0", "2", "*/5"])} ${pick(["*", "8", "29,1"])} * ${pick(["*", "0"])}`;
    const zoned = zonedSchedule(text, pick(zones));
    const fromMs = at(pick(starts));
    // One step, in which nothing is skipped.
    const isDue = (ms: number): boolean => lastTime(zoned, ms - minuteMs, ms) === ms;
    const untilMs = fromMs + 30 * 60 * minuteMs;
    let expected: number | undefined;
    let last: number | undefined;
    for (let ms = fromMs + minuteMs; ms <= untilMs; ms += minuteMs) {
      if (!isDue(ms)) continue;
      expected ??= ms;
      last = ms;
    }
    const next = nextTime(zoned, fromMs);
    assert.equal(
      shown(next !== undefined && next <= untilMs ? next : undefined),
      shown(expected),
      `${seed}: ${text}`,
    );
    assert.equal(shown(lastTime(zoned, fromMs, untilMs)), shown(last), `${seed}: ${text}, backwards`);
  }
});

test("more than a hundred missed times are too many", () => {
  const zoned = zonedSchedule("* * * * *", "UTC");
  const nowMs = at("2026-01-01T12:00");
  assert.equal(isTooMany(zoned, nowMs - 100 * minuteMs, nowMs), false);
  assert.equal(isTooMany(zoned, nowMs - 101 * minuteMs, nowMs), true);
  assert.equal(isTooMany(zonedSchedule("@every 1m", "UTC"), nowMs - 102 * minuteMs, nowMs), true);
});

test("a year of missed minutes costs no more than a few", () => {
  const zoned = zonedSchedule("* * * * *", "Europe/Berlin");
  const nowMs = at("2027-01-01T00:00");
  assert.equal(lastTime(zoned, at("2026-01-01T00:00"), nowMs), nowMs);
  assert.equal(isTooMany(zoned, at("2026-01-01T00:00"), nowMs), true);
});

test("times with their zone", () => {
  const rows: [string, string][] = [
    ["UTC", "2026-07-01T12:00:00Z"],
    ["Europe/London", "2026-07-01T13:00:00+01:00"],
    ["America/St_Johns", "2026-07-01T09:30:00-02:30"],
  ];
  for (const [zone, text] of rows)
    assert.equal(zonedTimestamp(zonedSchedule("* * * * *", zone).offset, at("2026-07-01T12:00")), text);
});
