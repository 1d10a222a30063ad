// Kubernetes' URL library: absolute URLs and absolute paths, taken apart.
import { overload, readsFirst, type Overload } from "../signature.ts";
import { EntriesMap, EvaluationError, ListValue, OpaqueValue, type Value } from "../value.ts";

interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

class UrlValue extends OpaqueValue {
  readonly typeName = "kubernetes.URL";
  readonly text: string;
  readonly parts: UrlParts;

  constructor(text: string, parts: UrlParts) {
    super();
    this.text = text;
    this.parts = parts;
  }

  get identity(): string {
    return this.text;
  }
}

const shape = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/s;
const badEscape = /%(?![0-9A-Fa-f]{2})/;

/** Undefined where the text is neither an absolute URL nor an absolute path. */
function parseUrl(text: string): UrlParts | undefined {
  if (text === "" || /[\x00-\x1f\x7f]/.test(text)) return undefined;
  const found = shape.exec(text);
  if (found === null) return undefined;
  const [, scheme = "", authority, path = "", query = ""] = found;
  if (scheme === "" && !text.startsWith("/")) return undefined;
  if (badEscape.test(path)) return undefined;
  if (scheme !== "" && authority === undefined && !path.startsWith("/") && path === "") return undefined;
  const host = authority === undefined ? "" : hostOf(authority);
  return host === undefined ? undefined : { scheme: scheme.toLowerCase(), host, path, query };
}

function hostOf(authority: string): string | undefined {
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? "" : authority.slice(0, at);
  const host = authority.slice(at + 1);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || badEscape.test(user)) return undefined;
  if (host.startsWith("[")) return /^\[[0-9A-Fa-f:.%a-zA-Z0-9_-]+\](?::\d*)?$/.test(host) ? host : undefined;
  if (/[\s"<>^`{|}\\]/.test(host) || badEscape.test(host)) return undefined;
  return /^[^:]*(?::\d*)?$/.test(host) ? host : undefined;
}

export const isUrl = (text: string): boolean => parseUrl(text) !== undefined;

function url(text: string): UrlValue {
  const parts = parseUrl(text);
  if (parts === undefined)
    throw new EvaluationError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    );
  return new UrlValue(text, parts);
}

const hostname = (host: string): string =>
  host.startsWith("[") ? host.slice(1, host.indexOf("]")) : (host.split(":")[0] ?? "");
const port = (host: string): string =>
  /:(\d*)$/.exec(host.startsWith("[") ? host.slice(host.indexOf("]")) : host)?.[1] ?? "";

/** What may stand in a path as it is; everything else as the escaped bytes of UTF-8. */
const escapedPath = (path: string): string =>
  path
    .toWellFormed()
    .replace(/[^A-Za-z0-9\-_.~$&+,/:;=@!'()*%]/gu, (char) =>
      [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    );

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Every name with its values, by name. What cannot be read is left out. */
function queryMap(query: string): EntriesMap {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const at = pair.indexOf("=");
    const name = decoded(at < 0 ? pair : pair.slice(0, at));
    const value = decoded(at < 0 ? "" : pair.slice(at + 1));
    if (name === undefined || value === undefined) continue;
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  return new EntriesMap(
    new Map(sorted.map(([name, all]) => [name, [name, ListValue.of(all)] as readonly [Value, Value]])),
  );
}

const type = "kubernetes.URL";
export const urls: readonly Overload[] = [
  overload(`url(string): ${type}`, url, readsFirst),
  overload("isURL(string): bool", isUrl, readsFirst),
  overload(`${type}.getScheme(): string`, ({ parts }: UrlValue) => parts.scheme),
  overload(`${type}.getHost(): string`, ({ parts }: UrlValue) => parts.host),
  overload(`${type}.getHostname(): string`, ({ parts }: UrlValue) => hostname(parts.host)),
  overload(`${type}.getPort(): string`, ({ parts }: UrlValue) => port(parts.host)),
  overload(`${type}.getEscapedPath(): string`, ({ parts }: UrlValue) => escapedPath(parts.path)),
  overload(`${type}.getQuery(): map(string, list(string))`, ({ parts }: UrlValue) => queryMap(parts.query)),
];
