// The parameters of operations, as OpenAPI v2 and v3 write them: what each verb's query understands. Pure.

import type { OpenApiStyle } from "#machinery/schema/openapi.ts";

type ParameterType = "string" | "boolean" | "integer";
type Parameter = readonly [name: string, type: ParameterType, description: string];

const pretty: Parameter = ["pretty", "string", "Indent JSON; by default for browsers, curl and wget."];
const dryRun: Parameter = ["dryRun", "string", "All: check everything and store nothing."];
const manager: Parameter = ["fieldManager", "string", "Name of the actor that makes this change."];
const validation: Parameter = [
  "fieldValidation",
  "string",
  "Ignore, Warn or Strict: what happens to unknown and duplicate fields.",
];
const force: Parameter = ["force", "boolean", "Take over fields of others (apply only)."];

const selection: readonly Parameter[] = [
  ["continue", "string", "Where the answer before ended."],
  ["fieldSelector", "string", "Only objects whose fields match."],
  ["labelSelector", "string", "Only objects whose labels match."],
  ["limit", "integer", "The most objects in one answer."],
  ["resourceVersion", "string", "Read at or after this version."],
  ["resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."],
  ["timeoutSeconds", "integer", "End after this long."],
];
const watching: readonly Parameter[] = [
  ["allowWatchBookmarks", "boolean", "Send bookmarks: events that only tell a resource version."],
  ["sendInitialEvents", "boolean", "Begin a watch with the present objects."],
  ["watch", "boolean", "Stream changes."],
];
const removal: readonly Parameter[] = [
  ["gracePeriodSeconds", "integer", "Seconds until the object is removed."],
  [
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "boolean",
    "Delete even what cannot be read any more.",
  ],
  ["orphanDependents", "boolean", "Replaced by propagationPolicy."],
  ["propagationPolicy", "string", "Orphan, Background or Foreground: what becomes of dependents."],
];

const byVerb: Readonly<Record<string, readonly Parameter[]>> = {
  get: [pretty],
  list: [pretty, ...selection, ...watching],
  create: [pretty, dryRun, manager, validation],
  update: [pretty, dryRun, manager, validation],
  patch: [pretty, dryRun, manager, validation, force],
  delete: [pretty, dryRun, ...removal],
  deletecollection: [pretty, dryRun, ...selection, ...removal],
};

export const parametersOf = (style: OpenApiStyle, verb: string): object[] =>
  (byVerb[verb] ?? [pretty]).map(([name, type, description]) =>
    style === "v2"
      ? { uniqueItems: true, type, description, name, in: "query" }
      : { name, in: "query", description, schema: { type, uniqueItems: true } },
  );

export const pathParameter = (style: OpenApiStyle, name: string, description: string): object =>
  style === "v2"
    ? { uniqueItems: true, type: "string", description, name, in: "path", required: true }
    : { name, in: "path", description, required: true, schema: { type: "string", uniqueItems: true } };
