// Image references: `website:v1` → docker.io/library/website:v1, as every container tool reads them. Pure.

export interface ImageReference {
  /** `docker.io` for short names. */
  readonly domain: string;
  /** With `library/` for Docker's one-word names. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const domainPattern = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?$/;
const nameLengthMax = 255;

export function isRepositoryName(name: string): boolean {
  return name.length <= nameLengthMax && pathPattern.test(name);
}

export function isTag(tag: string): boolean {
  return tagPattern.test(tag);
}

export function isDigest(digest: string): boolean {
  return digestPattern.test(digest);
}

/** The part before the first `/` is a domain when it could not be a Docker Hub user. */
function splitDomain(name: string): [domain: string, path: string] {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  if (slash > 0 && isDomain) {
    const domain = first === "index.docker.io" ? "docker.io" : first;
    const rest = name.slice(slash + 1);
    return [domain, domain === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest];
  }
  return ["docker.io", slash < 0 ? `library/${name}` : name];
}

export function parseReference(text: string): ImageReference {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const [domain, path] = splitDomain(hasTag ? named.slice(0, colon) : named);
  const valid =
    isRepositoryName(path) &&
    domainPattern.test(domain) &&
    (tag === undefined || isTag(tag)) &&
    (digest === undefined || isDigest(digest));
  if (!valid) throw new Error(`invalid image reference "${text}"`);
  return { domain, path, tag, digest };
}

/** `docker.io/library/website:v1` */
export function formatReference({ domain, path, tag, digest }: ImageReference): string {
  return `${domain}/${path}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/**
 * Where the bridge registry may keep a repository, best first. `loaded` images stand under their full name, so
 * that two registries' images of one path do not meet; what was pushed under its bare path is found as well.
 * containerd names the registry that it means in `?ns=`.
 */
export function repositoryCandidates(name: string, namespace: string | undefined): string[] {
  const full = namespace === undefined ? undefined : `${namespace}/${name}`;
  return full !== undefined && isRepositoryName(full) ? [full, name] : [name];
}

/** The repository that a loaded image is pushed to. A domain with a port cannot stand in a repository's name. */
export function storedRepository({ domain, path }: ImageReference): string {
  const full = `${domain}/${path}`;
  return isRepositoryName(full) ? full : path;
}
