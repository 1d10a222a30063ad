// Makes images present: pulls run in the background, one per image, and their failures are remembered with a
// growing pause. What the planner needs to know of it is three states: here, being pulled, failed.

import { Backoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import { toError } from "#base/assert.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import { isCriError } from "#cri/errors.ts";
import type { AuthConfig, Image, PodSandboxConfig } from "#cri/messages.ts";
import { imageErrorShownMs, imageRetry, pullsAtOnceMax } from "./limits.ts";
import { isImageName, pullPolicy, withDefaultTag } from "./plan/image-reference.ts";
import type { ImageUser } from "./plan/security.ts";

export interface PresentImage {
  /** What CreateContainer is given. */
  readonly id: string;
  readonly user: ImageUser;
}

export type ImageResult =
  | { readonly state: "present"; readonly image: PresentImage; readonly pulled: boolean }
  | { readonly state: "pulling" }
  | {
      readonly state: "failed";
      readonly reason:
        "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName" | "ImageInspectError";
      readonly message: string;
      readonly retryAtMs: number;
    };

export interface PullEvents {
  pulling(image: string): void;
  pulled(image: string, pullMs: number, totalMs: number, bytes: number): void;
  failed(image: string, error: string): void;
  present(image: string): void;
  backOff(image: string): void;
  neverPull(image: string): void;
  invalid(image: string, error: string): void;
}

export interface ImageRequest {
  /** Tells attempts of different containers apart. */
  readonly key: string;
  readonly image: string;
  readonly policy: string | undefined;
  readonly sandbox: PodSandboxConfig;
  auths(): Promise<readonly AuthConfig[]>;
  readonly events: PullEvents;
  /** A pull of this request has ended. */
  wake(): void;
}

interface Attempt {
  state: "running" | "done" | "failed";
  error: string;
  retryAtMs: number;
}

export interface ImageManager {
  ensure(request: ImageRequest): Promise<ImageResult>;
  /** The attempts of containers whose key starts so are over. */
  forget(prefix: string): void;
}

const present = (image: Image, pulled: boolean): ImageResult => ({
  state: "present",
  pulled,
  image: { id: image.id, user: { uid: image.uid?.value, username: image.username } },
});

export function createImageManager(runtime: ContainerRuntime, clock: Clock): ImageManager {
  const attempts = new Map<string, Attempt>();
  const backoff = new Backoff(imageRetry);
  const pulls = new Map<string, Promise<string>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function slot<T>(work: () => Promise<T>): Promise<T> {
    if (running >= pullsAtOnceMax) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  }

  /** Tries the credentials in turn, then none. Pulls of the same image with the same credentials are one. */
  function pull(image: string, auths: readonly AuthConfig[], sandbox: PodSandboxConfig): Promise<string> {
    const key = `${image}\0${JSON.stringify(auths)}`;
    let known = pulls.get(key);
    if (known === undefined) {
      known = slot(async () => {
        let last: unknown;
        for (const auth of auths.length === 0 ? [undefined] : auths) {
          try {
            return await runtime.pullImage(image, auth, sandbox);
          } catch (error) {
            last = error;
          }
        }
        throw last;
      }).finally(() => pulls.delete(key));
      pulls.set(key, known);
    }
    return known;
  }

  async function runPull(request: ImageRequest, image: string, attempt: Attempt): Promise<void> {
    const { events, sandbox } = request;
    const askedAt = clock.monotonic();
    events.pulling(request.image);
    const backoffKey = `${request.key}\0${image}`;
    try {
      const auths = await request.auths();
      const startedAt = clock.monotonic();
      const ref = await pull(image, auths, sandbox);
      const now = clock.monotonic();
      const found = await runtime.imageStatus(ref).catch(() => undefined);
      events.pulled(request.image, now - startedAt, now - askedAt, found?.size ?? 0);
      backoff.forget(backoffKey);
      attempt.state = "done";
    } catch (thrown) {
      const message = toError(thrown).message;
      attempt.state = "failed";
      attempt.error = message;
      attempt.retryAtMs = clock.now() + backoff.next(backoffKey, clock.now());
      events.failed(request.image, message);
    }
    request.wake();
  }

  function resultOf(request: ImageRequest, attempt: Attempt): ImageResult | undefined {
    if (attempt.state === "running") return { state: "pulling" };
    if (attempt.state !== "failed") return undefined;
    const now = clock.now();
    if (now >= attempt.retryAtMs) {
      attempts.delete(request.key);
      return undefined;
    }
    const { error, retryAtMs } = attempt;
    // The failure shows once as itself, then as the pause that follows it.
    const first = attempt.error !== "" && !reported.has(attempt);
    reported.add(attempt);
    if (first)
      return {
        state: "failed",
        reason: "ErrImagePull",
        message: error,
        retryAtMs: Math.min(retryAtMs, now + imageErrorShownMs),
      };
    request.events.backOff(request.image);
    return {
      state: "failed",
      reason: "ImagePullBackOff",
      message: `Back-off pulling image "${request.image}": ErrImagePull: ${error}`,
      retryAtMs,
    };
  }
  const reported = new WeakSet<Attempt>();

  return {
    async ensure(request) {
      const { image: given, events, key } = request;
      if (!isImageName(given)) {
        const message = `Failed to apply default image tag "${given}": couldn't parse image name "${given}": invalid reference format`;
        events.invalid(given, message);
        return {
          state: "failed",
          reason: "InvalidImageName",
          message,
          retryAtMs: clock.now() + imageRetry.maxMs,
        };
      }
      const image = withDefaultTag(given);
      const attempt = attempts.get(key);
      const known = attempt === undefined ? undefined : resultOf(request, attempt);
      if (known !== undefined) return known;
      const policy = pullPolicy(given, request.policy);
      let found: Image | undefined;
      try {
        found = await runtime.imageStatus(image);
      } catch (error) {
        if (!isCriError(error)) throw error;
        const message = `Failed to inspect image "${given}": ${error.message}`;
        return {
          state: "failed",
          reason: "ImageInspectError",
          message,
          retryAtMs: clock.now() + imageRetry.initialMs,
        };
      }
      const justPulled = attempt?.state === "done";
      if (found !== undefined && (policy !== "Always" || justPulled)) {
        if (justPulled) attempts.delete(key);
        else events.present(given);
        return present(found, justPulled);
      }
      if (policy === "Never") {
        events.neverPull(given);
        const message = `Container image "${given}" is not present with pull policy of Never`;
        return {
          state: "failed",
          reason: "ErrImageNeverPull",
          message,
          retryAtMs: clock.now() + imageRetry.initialMs,
        };
      }
      const next: Attempt = { state: "running", error: "", retryAtMs: 0 };
      attempts.set(key, next);
      void runPull(request, image, next);
      return { state: "pulling" };
    },
    forget(prefix) {
      for (const key of attempts.keys()) if (key.startsWith(prefix)) attempts.delete(key);
    },
  };
}
