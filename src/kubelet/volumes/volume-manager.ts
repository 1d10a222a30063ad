// The volumes of this node's pods: made before the sandbox, refreshed while the pod runs, removed after it.
// Files with secrets live on one tmpfs of the node, so that they never reach a disk.

import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { toError } from "#base/assert.ts";
import { hasCode } from "#host/files.ts";
import { listMounts, unmountBelow } from "#host/mounts.ts";
import { run } from "#host/run.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { objectFreshMs, objectStaleMs } from "../limits.ts";
import type { ObjectCache } from "../object-cache.ts";
import { wholeUnits } from "../plan/amounts.ts";
import type { NodeFacts } from "../plan/field-ref.ts";
import type { ReadonlyPod } from "../plan/model.ts";
import { isFileVolume, volumeFiles, volumeNeeds } from "../plan/volume-files.ts";
import { writeVolumeFiles } from "./atomic-files.ts";
import { prepareHostPath } from "./host-path.ts";
import type { TokenManager } from "./tokens.ts";

type Volume = DeepReadonly<NonNullable<NonNullable<Pod["spec"]>["volumes"]>[number]>;

export interface MountedVolume {
  readonly path: string;
  /** Files that the kubelet writes: containers never may. */
  readonly readOnly: boolean;
  /** Whether a missing subPath may be made in it. */
  readonly mayCreate: boolean;
}

export interface VolumeProblem {
  readonly volume: string;
  readonly message: string;
}

export type VolumesResult =
  { readonly volumes: ReadonlyMap<string, MountedVolume> } | { readonly problem: VolumeProblem };

export interface VolumeManager {
  /** Makes what is missing. `fresh`: sources are read anew, for a pod that starts. */
  ensure(pod: ReadonlyPod, facts: NodeFacts, fresh: boolean): Promise<VolumesResult>;
  /** Removes everything of the pod. */
  remove(uid: string): Promise<void>;
  /** Pods whose folders are there. */
  known(): string[];
  podDir(uid: string): string;
}

export interface VolumeDeps {
  readonly dataDir: string;
  readonly objects: ObjectCache;
  readonly tokens: TokenManager;
  readonly clock: Clock;
}

const escaped = (plugin: string): string => `kubernetes.io~${plugin}`;

class Unavailable extends Error {}

export function createVolumeManager({ dataDir, objects, tokens, clock }: VolumeDeps): VolumeManager {
  const podsDir = join(dataDir, "pods");
  const memoryDir = join(dataDir, "memory");
  const podDir = (uid: string): string => join(podsDir, uid);
  let memoryReady: Promise<void> | undefined;

  /** One tmpfs for all files with secrets; it survives this process. */
  function ensureMemoryDir(): Promise<void> {
    memoryReady ??= (async () => {
      mkdirSync(memoryDir, { recursive: true, mode: 0o755 });
      if (listMounts().some(({ target }) => target === memoryDir)) return;
      const { code, stderr } = await run([
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "mode=0755",
        "leme-volumes",
        memoryDir,
      ]);
      if (code !== 0) throw new Error(`cannot mount a tmpfs on ${memoryDir}: ${stderr.trim()}`);
    })();
    memoryReady.catch(() => (memoryReady = undefined));
    return memoryReady;
  }

  async function fileVolume(
    pod: ReadonlyPod,
    volume: Volume,
    facts: NodeFacts,
    fresh: boolean,
  ): Promise<MountedVolume> {
    await ensureMemoryDir();
    const namespace = pod.metadata?.namespace ?? "";
    const ageMs = fresh ? objectFreshMs : objectStaleMs;
    const configMaps = new Map<string, Awaited<ReturnType<ObjectCache["configMap"]>>>();
    const secrets = new Map<string, Awaited<ReturnType<ObjectCache["secret"]>>>();
    const tokenOf = new Map<string, string>();
    await Promise.all(
      volumeNeeds(volume).map(async (need) => {
        if (need.kind === "configMap")
          configMaps.set(need.name, await objects.configMap(namespace, need.name, ageMs));
        else if (need.kind === "secret")
          secrets.set(need.name, await objects.secret(namespace, need.name, ageMs));
        else
          tokenOf.set(
            `${need.audience ?? ""} ${need.expirationSeconds}`,
            await tokens.token(pod, need.audience, need.expirationSeconds),
          );
      }),
    );
    const result = volumeFiles(
      pod,
      volume,
      {
        configMap: (name) => configMaps.get(name),
        secret: (name) => secrets.get(name),
        token: (audience, seconds) => tokenOf.get(`${audience ?? ""} ${seconds}`) ?? "",
      },
      facts,
    );
    if ("problem" in result) throw new Unavailable(result.problem);
    const path = join(memoryDir, pod.metadata?.uid ?? "", volume.name);
    const stamp = new Date(clock.now()).toISOString().replace(/[-:T]/g, "_").slice(0, 19);
    writeVolumeFiles(path, result.files, stamp, pod.spec?.securityContext?.fsGroup);
    return { path, readOnly: true, mayCreate: false };
  }

  async function emptyDir(pod: ReadonlyPod, volume: Volume): Promise<MountedVolume> {
    const path = join(podDir(pod.metadata?.uid ?? ""), "volumes", escaped("empty-dir"), volume.name);
    const source = volume.emptyDir ?? {};
    const isNew = !existsSync(path);
    if (isNew) mkdirSync(path, { recursive: true, mode: 0o777 });
    if (source.medium === "Memory" && !listMounts().some(({ target }) => target === path)) {
      const size = source.sizeLimit === undefined ? "" : `,size=${wholeUnits(source.sizeLimit)}`;
      const { code, stderr } = await run(["mount", "-t", "tmpfs", "-o", `mode=0777${size}`, "tmpfs", path]);
      if (code !== 0) throw new Unavailable(`cannot mount a tmpfs: ${stderr.trim()}`);
    } else if (source.medium !== undefined && source.medium !== "" && source.medium !== "Memory") {
      throw new Unavailable(`unknown storage medium "${source.medium}"`);
    }
    if (isNew) {
      const group = pod.spec?.securityContext?.fsGroup;
      if (group !== undefined) chownSync(path, statSync(path).uid, group);
      // A group's files stay the group's; the process's umask must not narrow what every user may do here.
      chmodSync(path, group === undefined ? 0o777 : 0o2777);
    }
    return { path, readOnly: false, mayCreate: true };
  }

  async function mount(
    pod: ReadonlyPod,
    volume: Volume,
    facts: NodeFacts,
    fresh: boolean,
  ): Promise<MountedVolume> {
    if (isFileVolume(volume)) return fileVolume(pod, volume, facts, fresh);
    if (volume.hostPath !== undefined) {
      const problem = prepareHostPath(volume.hostPath.path, volume.hostPath.type);
      if (problem !== undefined) throw new Unavailable(problem);
      return { path: volume.hostPath.path, readOnly: false, mayCreate: true };
    }
    const kind = Object.keys(volume).find((key) => key !== "name" && key !== "emptyDir");
    if (volume.emptyDir !== undefined || kind === undefined) return emptyDir(pod, volume);
    throw new Unavailable(`volumes of type ${kind} are not supported on this node`);
  }

  return {
    podDir,
    async ensure(pod, facts, fresh) {
      const volumes = new Map<string, MountedVolume>();
      mkdirSync(podDir(pod.metadata?.uid ?? ""), { recursive: true, mode: 0o750 });
      for (const volume of pod.spec?.volumes ?? []) {
        try {
          volumes.set(volume.name, await mount(pod, volume, facts, fresh));
        } catch (thrown) {
          return { problem: { volume: volume.name, message: toError(thrown).message } };
        }
      }
      return { volumes };
    },
    async remove(uid) {
      if (uid === "" || uid.includes("/")) return;
      const dir = podDir(uid);
      if (existsSync(join(dir, "volumes"))) await unmountBelow(dir);
      tokens.forget(uid);
      rmSync(dir, { recursive: true, force: true });
      rmSync(join(memoryDir, uid), { recursive: true, force: true });
    },
    known() {
      const names = (dir: string): string[] => {
        try {
          return readdirSync(dir);
        } catch (error) {
          if (hasCode(error, "ENOENT")) return [];
          throw error;
        }
      };
      return [...new Set([...names(podsDir), ...names(memoryDir)])];
    },
  };
}
