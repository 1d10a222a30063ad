// Names of images: which registry they come from, and which tag they mean when they name none.

/** The registry host of an image name: `docker.io` when it names none. */
export function registryOf(image: string): string {
  const first = image.split("/", 1)[0] as string;
  const isHost = image.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : "docker.io";
}

/** `name:latest` for a name without tag and digest. */
export function withDefaultTag(image: string): string {
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.includes(":") || last.includes("@") ? image : `${image}:latest`;
}

/** Host, path components, tag, digest: what a registry could have. */
const reference =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

export const isImageName = (image: string): boolean => image.length <= 512 && reference.test(image);

/** The policy that applies: given, or by the tag. */
export function pullPolicy(image: string, policy: string | undefined): "Always" | "IfNotPresent" | "Never" {
  if (policy === "Always" || policy === "IfNotPresent" || policy === "Never") return policy;
  return withDefaultTag(image).endsWith(":latest") ? "Always" : "IfNotPresent";
}
