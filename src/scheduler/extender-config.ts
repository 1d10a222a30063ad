// `extenders` of a KubeSchedulerConfiguration: which there are, and what they are asked. Pure.

import { child, duplicate, index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { durationNanos } from "#machinery/schema/scalar-text.ts";
import type { ExtenderConfig, ExtenderTls } from "./plan/extender-protocol.ts";

export interface ExtenderSettings {
  readonly urlPrefix?: string;
  readonly filterVerb?: string;
  readonly prioritizeVerb?: string;
  readonly preemptVerb?: string;
  readonly bindVerb?: string;
  readonly weight?: number;
  readonly enableHTTPS?: boolean;
  readonly tlsConfig?: ExtenderTls;
  readonly httpTimeout?: string;
  readonly nodeCacheCapable?: boolean;
  readonly managedResources?: readonly { readonly name?: string; readonly ignoredByScheduler?: boolean }[];
  readonly ignorable?: boolean;
}

const timeoutMsByDefault = 5000;
const nativePrefix = /^(?:[^/]*\.)?kubernetes\.io\//;

function protocolOf(urlPrefix: string): string | undefined {
  return URL.canParse(urlPrefix) ? new URL(urlPrefix).protocol : undefined;
}

function checkUrl({ urlPrefix = "", enableHTTPS }: ExtenderSettings, path: string): FieldError[] {
  const at = child(path, "urlPrefix");
  if (urlPrefix === "") return [required(at)];
  const protocol = protocolOf(urlPrefix);
  if (protocol !== "http:" && protocol !== "https:")
    return [invalid(at, urlPrefix, "must be a URL that begins with http:// or https://")];
  return enableHTTPS === true && protocol !== "https:"
    ? [invalid(at, urlPrefix, "must begin with https:// when enableHTTPS is true")]
    : [];
}

function checkResources({ managedResources = [] }: ExtenderSettings, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [at, { name = "" }] of managedResources.entries()) {
    const own = child(index(child(path, "managedResources"), at), "name");
    if (!/^[^/]+\/[^/]+$/.test(name) || nativePrefix.test(name) || name.startsWith("requests."))
      errors.push(invalid(own, name, "is an invalid extended resource name"));
    if (seen.has(name)) errors.push(duplicate(own, name));
    seen.add(name);
  }
  return errors;
}

function timeoutMsOf(text: string | undefined): number {
  if (text === undefined) return timeoutMsByDefault;
  const ms = Number(durationNanos(text) ?? -1n) / 1e6;
  return ms === 0 ? timeoutMsByDefault : ms;
}

function extenderOf(given: ExtenderSettings, path: string, errors: FieldError[]): ExtenderConfig {
  const { filterVerb = "", prioritizeVerb = "", preemptVerb = "", bindVerb = "", weight = 0 } = given;
  errors.push(...checkUrl(given, path), ...checkResources(given, path));
  if (prioritizeVerb !== "" && !(Number.isInteger(weight) && weight > 0))
    errors.push(invalid(child(path, "weight"), weight, "must have a positive weight applied to it"));
  const timeoutMs = timeoutMsOf(given.httpTimeout);
  if (timeoutMs <= 0)
    errors.push(
      invalid(child(path, "httpTimeout"), given.httpTimeout, "must be a positive duration such as 5s"),
    );
  return {
    urlPrefix: given.urlPrefix ?? "",
    filterVerb,
    prioritizeVerb,
    preemptVerb,
    bindVerb,
    weight,
    timeoutMs,
    nodeCacheCapable: given.nodeCacheCapable === true,
    managedResources: new Set((given.managedResources ?? []).map(({ name = "" }) => name)),
    ignorable: given.ignorable === true,
    tls: given.tlsConfig,
  };
}

export interface ExtendersResult {
  readonly extenders: readonly ExtenderConfig[];
  /** Extended resources whose room is an extender's business alone. */
  readonly ignoredResources: readonly string[];
}

export function extendersOf(given: readonly ExtenderSettings[], errors: FieldError[]): ExtendersResult {
  const extenders = given.map((one, at) => extenderOf(one, index("extenders", at), errors));
  const binders = extenders.filter(({ bindVerb }) => bindVerb !== "").length;
  if (binders > 1)
    errors.push(
      invalid(
        "extenders",
        `found ${binders} extenders implementing bind`,
        "only one extender can implement bind",
      ),
    );
  const ignored = given
    .flatMap(({ managedResources = [] }) => managedResources)
    .filter(({ ignoredByScheduler }) => ignoredByScheduler === true);
  return { extenders, ignoredResources: ignored.map(({ name = "" }) => name) };
}
