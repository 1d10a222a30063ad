// The files of configMap, secret, downwardAPI and projected volumes, from the objects that they name.

import type { ConfigMap, Pod, Secret } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { fieldValue, resourceValue, type NodeFacts } from "./field-ref.ts";
import { findContainer } from "./containers.ts";
import type { ReadonlyPod } from "./model.ts";

export interface VolumeFile {
  readonly data: Buffer;
  readonly mode: number;
}

export type VolumeFiles = Map<string, VolumeFile>;

type Volume = DeepReadonly<NonNullable<NonNullable<Pod["spec"]>["volumes"]>[number]>;
type Projection = NonNullable<NonNullable<Volume["projected"]>["sources"]>[number];

/** One thing that a volume needs before its files can be made. */
export type VolumeNeed =
  | { readonly kind: "configMap"; readonly name: string }
  | { readonly kind: "secret"; readonly name: string }
  | { readonly kind: "token"; readonly audience: string | undefined; readonly expirationSeconds: number };

/** What was found for the needs. */
export interface VolumeSources {
  configMap(name: string): DeepReadonly<ConfigMap> | undefined;
  secret(name: string): DeepReadonly<Secret> | undefined;
  token(audience: string | undefined, expirationSeconds: number): string;
}

export const defaultTokenSeconds = 3600;
const defaultMode = 0o644;

export function isFileVolume(volume: Volume): boolean {
  return (
    volume.configMap !== undefined ||
    volume.secret !== undefined ||
    volume.downwardAPI !== undefined ||
    volume.projected !== undefined
  );
}

function projectionsOf(volume: Volume): readonly Projection[] {
  if (volume.projected !== undefined) return volume.projected.sources ?? [];
  if (volume.configMap !== undefined) return [{ configMap: volume.configMap }];
  if (volume.secret !== undefined) {
    const { secretName, ...rest } = volume.secret;
    return [{ secret: { ...rest, ...(secretName === undefined ? {} : { name: secretName }) } }];
  }
  return volume.downwardAPI === undefined ? [] : [{ downwardAPI: volume.downwardAPI }];
}

export function volumeNeeds(volume: Volume): VolumeNeed[] {
  const needs: VolumeNeed[] = [];
  for (const { configMap, secret, serviceAccountToken } of projectionsOf(volume)) {
    if (configMap?.name !== undefined) needs.push({ kind: "configMap", name: configMap.name });
    if (secret?.name !== undefined) needs.push({ kind: "secret", name: secret.name });
    if (serviceAccountToken !== undefined) {
      needs.push({
        kind: "token",
        audience: serviceAccountToken.audience,
        expirationSeconds: serviceAccountToken.expirationSeconds ?? defaultTokenSeconds,
      });
    }
  }
  return needs;
}

interface Items {
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
  readonly optional?: boolean;
}

function addData(
  files: VolumeFiles,
  data: ReadonlyMap<string, Buffer>,
  { items, optional }: Items,
  mode: number,
): string | undefined {
  if (items === undefined || items.length === 0) {
    for (const [key, value] of data) files.set(key, { data: value, mode });
    return undefined;
  }
  for (const { key, path, mode: own } of items) {
    const value = data.get(key);
    if (value === undefined) {
      if (optional === true) continue;
      return `references non-existent config key: ${key}`;
    }
    files.set(path, { data: value, mode: own ?? mode });
  }
  return undefined;
}

const decoded = (
  data: Readonly<Record<string, string>> | undefined,
  encoding: BufferEncoding,
): [string, Buffer][] =>
  Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]);

function addDownward(
  files: VolumeFiles,
  pod: ReadonlyPod,
  source: NonNullable<Projection["downwardAPI"]>,
  mode: number,
  facts: NodeFacts,
): string | undefined {
  for (const { path, fieldRef, resourceFieldRef, mode: own } of source.items ?? []) {
    let text: string | undefined;
    if (fieldRef !== undefined) text = fieldValue(pod, fieldRef.fieldPath, facts);
    else if (resourceFieldRef !== undefined) {
      const container = findContainer(pod, resourceFieldRef.containerName ?? "")?.container;
      text =
        container === undefined
          ? undefined
          : resourceValue(container, resourceFieldRef.resource, resourceFieldRef.divisor, facts);
    }
    if (text === undefined) return `unsupported field of downward API item ${path}`;
    files.set(path, { data: Buffer.from(text), mode: own ?? mode });
  }
  return undefined;
}

/** All files, or why they cannot be made. */
export function volumeFiles(
  pod: ReadonlyPod,
  volume: Volume,
  sources: VolumeSources,
  facts: NodeFacts,
): { files: VolumeFiles } | { problem: string } {
  const files: VolumeFiles = new Map();
  const mode =
    volume.projected?.defaultMode ??
    volume.configMap?.defaultMode ??
    volume.secret?.defaultMode ??
    volume.downwardAPI?.defaultMode ??
    defaultMode;
  for (const projection of projectionsOf(volume)) {
    const problem = addProjection(files, pod, projection, sources, mode, facts);
    if (problem !== undefined) return { problem };
  }
  return { files };
}

function addProjection(
  files: VolumeFiles,
  pod: ReadonlyPod,
  projection: Projection,
  sources: VolumeSources,
  mode: number,
  facts: NodeFacts,
): string | undefined {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
  if (configMap !== undefined) {
    const object = sources.configMap(configMap.name ?? "");
    if (object === undefined)
      return configMap.optional === true ? undefined : `configmap "${configMap.name ?? ""}" not found`;
    const data = new Map([...decoded(object.data, "utf8"), ...decoded(object.binaryData, "base64")]);
    return addData(files, data, configMap, mode);
  }
  if (secret !== undefined) {
    const object = sources.secret(secret.name ?? "");
    if (object === undefined)
      return secret.optional === true ? undefined : `secret "${secret.name ?? ""}" not found`;
    return addData(files, new Map(decoded(object.data, "base64")), secret, mode);
  }
  if (downwardAPI !== undefined) return addDownward(files, pod, downwardAPI, mode, facts);
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = defaultTokenSeconds, path } = serviceAccountToken;
    files.set(path, { data: Buffer.from(sources.token(audience, expirationSeconds)), mode });
    return undefined;
  }
  return "this kind of projection is not supported on this node";
}
