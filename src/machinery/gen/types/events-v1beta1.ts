// Made by scripts/gen/generate.ts from facts.json: the messages of events.k8s.io/v1beta1.

import type { EventSource, ObjectReference } from "./core-v1.ts";
import type { ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface Event {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  eventTime: string | null;
  series?: EventSeries;
  reportingController?: string;
  reportingInstance?: string;
  action?: string;
  reason?: string;
  regarding?: ObjectReference;
  related?: ObjectReference;
  note?: string;
  type?: string;
  deprecatedSource?: EventSource;
  deprecatedFirstTimestamp?: string | null;
  deprecatedLastTimestamp?: string | null;
  deprecatedCount?: number;
}

export interface EventList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: Event[];
}

export interface EventSeries {
  count: number;
  lastObservedTime: string | null;
}
