// Credentials for an image's registry out of imagePullSecrets.

import type { AuthConfig } from "#cri/messages.ts";
import type { Secret } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { registryOf } from "./image-reference.ts";

interface DockerEntry {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
  registrytoken?: string;
}

function entriesOf(secret: DeepReadonly<Secret>): Map<string, DockerEntry> {
  const json = secret.data?.[".dockerconfigjson"];
  const old = secret.data?.[".dockercfg"];
  try {
    if (json !== undefined) {
      const parsed = JSON.parse(Buffer.from(json, "base64").toString()) as {
        auths?: Record<string, DockerEntry>;
      };
      return new Map(Object.entries(parsed.auths ?? {}));
    }
    if (old !== undefined)
      return new Map(
        Object.entries(JSON.parse(Buffer.from(old, "base64").toString()) as Record<string, DockerEntry>),
      );
  } catch {
    // Not JSON: a secret without usable credentials, like one of another type.
  }
  return new Map();
}

/** `https://index.docker.io/v1/` and `docker.io` are the same registry. */
function hostAndPath(key: string): { host: string; path: string } {
  const plain = key.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, "");
  const slash = plain.indexOf("/");
  const host = slash < 0 ? plain : plain.slice(0, slash);
  return {
    host: host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host,
    path: slash < 0 ? "" : plain.slice(slash + 1),
  };
}

/** `*` stands for one label of a host name. */
function hostMatches(pattern: string, host: string): boolean {
  const want = pattern.split(".");
  const have = host.split(".");
  return (
    want.length === have.length &&
    want.every((label, at) => {
      if (!label.includes("*")) return label === have[at];
      const [head = "", ...rest] = label.split("*");
      const tail = rest.at(-1) ?? "";
      const value = have[at] ?? "";
      return value.startsWith(head) && value.endsWith(tail) && value.length >= head.length + tail.length;
    })
  );
}

function toAuth(entry: DockerEntry): AuthConfig {
  const auth: AuthConfig = {};
  if (entry.identitytoken) auth.identityToken = entry.identitytoken;
  if (entry.registrytoken) auth.registryToken = entry.registrytoken;
  if (entry.username !== undefined) {
    auth.username = entry.username;
    auth.password = entry.password ?? "";
  } else if (entry.auth !== undefined) {
    const text = Buffer.from(entry.auth, "base64").toString();
    const colon = text.indexOf(":");
    auth.username = colon < 0 ? text : text.slice(0, colon);
    auth.password = colon < 0 ? "" : text.slice(colon + 1).replace(/\0+$/, "");
  }
  return auth;
}

/** Everything that fits the image, the longest path first. */
export function imageAuths(image: string, secrets: readonly DeepReadonly<Secret>[]): AuthConfig[] {
  const host = registryOf(image);
  const repository = image.startsWith(`${host}/`) ? image.slice(host.length + 1) : image;
  const found: { length: number; auth: AuthConfig }[] = [];
  for (const secret of secrets) {
    for (const [key, entry] of entriesOf(secret)) {
      const { host: pattern, path } = hostAndPath(key);
      const pathFits = path === "" || repository === path || repository.startsWith(`${path}/`);
      if (hostMatches(pattern, host) && pathFits) found.push({ length: path.length, auth: toAuth(entry) });
    }
  }
  return found.sort((a, b) => b.length - a.length).map(({ auth }) => auth);
}
