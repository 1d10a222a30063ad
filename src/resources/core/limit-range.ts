// LimitRange: how little and how much the objects of a namespace may have of a resource, and what they have if they do
// not say.

import { defineResource } from "#machinery/define-resource.ts";
import { duplicate, forbidden, invalid, keyed, required, type FieldError } from "#machinery/field-error.ts";
import type { LimitRange, LimitRangeItem } from "#machinery/gen/types/core-v1.ts";
import { checkDnsSubdomain, checkQualifiedName, nameCheck } from "#machinery/names.ts";
import { compareQuantities, parseQuantity } from "#machinery/quantity.ts";
import { column, nameColumn } from "../columns.ts";
import { each } from "../field-checks.ts";
import { validateLimitResource } from "./quota-names.ts";

const standardTypes = ["Pod", "Container", "PersistentVolumeClaim"];
const lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

function validateType(type: string, path: string): FieldError[] {
  const errors = each(checkQualifiedName(type), path, type);
  return errors.length > 0 || type.includes("/") || standardTypes.includes(type)
    ? errors
    : [invalid(path, type, "must be a standard limit type or fully qualified")];
}

const isMore = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && compareQuantities(a, b) > 0;

/** What is wrong with the amounts of one resource, as they stand to each other. */
function validateAmounts(item: LimitRangeItem, name: string, path: string): FieldError[] {
  const [min, max] = [item.min?.[name], item.max?.[name]];
  const [limit, request] = [item.default?.[name], item.defaultRequest?.[name]];
  const errors: FieldError[] = [];
  const say = (list: string, value: string | undefined, why: string): void =>
    void errors.push(invalid(keyed(`${path}.${list}`, name), value, why));
  if (isMore(min, max)) say("min", min, `min value ${min} is greater than max value ${max}`);
  if (isMore(min, request))
    say("defaultRequest", request, `min value ${min} is greater than default request value ${request}`);
  if (isMore(request, max))
    say("defaultRequest", request, `default request value ${request} is greater than max value ${max}`);
  if (isMore(request, limit))
    say(
      "defaultRequest",
      request,
      `default request value ${request} is greater than default limit value ${limit}`,
    );
  if (isMore(min, limit)) say("default", min, `min value ${min} is greater than default value ${limit}`);
  if (isMore(limit, max)) say("default", max, `default value ${limit} is greater than max value ${max}`);
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return errors;
  if (isMore("1", ratio)) say("maxLimitRequestRatio", ratio, `ratio ${ratio} is less than 1`);
  if (min !== undefined && max !== undefined) {
    const most = Number(parseQuantity(max).nano) / Number(parseQuantity(min).nano);
    if (Number(parseQuantity(ratio).nano) / 1e9 > most)
      say("maxLimitRequestRatio", ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
  }
  return errors;
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const errors = validateType(item.type, `${path}.type`);
  const names = new Set<string>();
  for (const list of lists) {
    for (const name of Object.keys(item[list] ?? {})) {
      names.add(name);
      errors.push(...validateLimitResource(name, item.type, keyed(`${path}.${list}`, name)));
    }
  }
  if (item.type === "Pod") {
    for (const list of ["default", "defaultRequest"] as const)
      if (Object.keys(item[list] ?? {}).length > 0)
        errors.push(forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"));
  }
  if (
    item.type === "PersistentVolumeClaim" &&
    !("storage" in (item.min ?? {})) &&
    !("storage" in (item.max ?? {}))
  )
    errors.push(
      required(
        `${path}.limits`,
        "either minimum or maximum storage value is required, but neither was provided",
      ),
    );
  return [...errors, ...[...names].flatMap((name) => validateAmounts(item, name, path))];
}

function validate({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return (spec?.limits ?? []).flatMap((item, at) => {
    const path = `spec.limits[${at}]`;
    const errors = validateItem(item, path);
    if (seen.has(item.type)) errors.push(duplicate(`${path}.type`, item.type));
    seen.add(item.type);
    return errors;
  });
}

/** A container without a limit has the maximum; one without a request has its limit, or else the minimum. */
function itemDefaults(item: LimitRangeItem): void {
  if (item.type !== "Container") return;
  const limits = { ...item.max, ...item.default };
  const wanted = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(wanted).length > 0) item.defaultRequest = wanted;
}

export const limitRange = defineResource<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  resource: "limitranges",
  shortNames: ["limits"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Created At", ({ metadata }) => metadata?.creationTimestamp ?? "", {
      description: "When the object was created.",
    }),
  ],
  applyDefaults: ({ spec }) => {
    for (const item of spec?.limits ?? []) itemDefaults(item);
  },
  validate,
});
