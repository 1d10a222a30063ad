// Everything that is not a resource: health, version, discovery, OpenAPI, keys of the token issuer.

import type { ApiResponse } from "#machinery/api-request.ts";
import { failure, pathNotFound } from "#machinery/status.ts";
import { bytesAnswer, jsonAnswer, textAnswer } from "./answer.ts";
import type { RequestContext } from "./context.ts";
import type { Discovery } from "./discovery.ts";
import type { OpenApi } from "./openapi.ts";

export interface PathHandlers {
  serve(context: RequestContext): Promise<ApiResponse>;
}

export interface HealthCheck {
  readonly name: string;
  /** Resolves when healthy; rejects with why not. */
  check(): Promise<void> | void;
}

export const version = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.0+leme",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: `none (node ${process.versions.node})`,
  compiler: "v8",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

/** What anybody may read: a browser sent to the dashboard has no credentials, and the answer holds nothing. */
export const openPaths: ReadonlySet<string> = new Set(["/ui", "/ui/"]);

interface PathOptions {
  readonly discovery: Discovery;
  readonly openapi: OpenApi;
  readonly checks: readonly HealthCheck[];
  /** Checks that only readiness needs. */
  readonly readyChecks: readonly HealthCheck[];
  readonly jwks: () => Record<string, unknown>;
  readonly issuer: string;
}

export function createPaths(options: PathOptions): PathHandlers {
  return {
    async serve(context) {
      const { path } = context.info;
      const { method } = context.request;
      if (method !== "GET" && method !== "HEAD")
        throw failure(405, "MethodNotAllowed", `${method} is not supported on ${path}`);
      const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
      switch (trimmed) {
        case "/healthz":
        case "/livez":
          return health(trimmed.slice(1), options.checks, context.query);
        case "/readyz":
          return health("readyz", [...options.checks, ...options.readyChecks], context.query);
        case "/version":
          return jsonAnswer(200, version);
        case "/ui":
          throw failure(
            404,
            "NotFound",
            "the dashboard is not installed: use kubectl, or a dashboard of your own through kubectl port-forward",
          );
        case "/openid/v1/jwks":
          return bytesAnswer(200, "application/jwk-set+json", [Buffer.from(JSON.stringify(options.jwks()))]);
        case "/.well-known/openid-configuration":
          return jsonAnswer(200, {
            issuer: options.issuer,
            jwks_uri: `${options.issuer}/openid/v1/jwks`,
            response_types_supported: ["id_token"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["ES256"],
          });
      }
      for (const name of ["healthz", "livez", "readyz"]) {
        if (trimmed.startsWith(`/${name}/`))
          return oneCheck(trimmed.slice(name.length + 2), [...options.checks, ...options.readyChecks]);
      }
      const found =
        (await options.discovery.serve(trimmed, context)) ?? (await options.openapi.serve(trimmed, context));
      if (found === undefined) throw pathNotFound();
      return found;
    },
  };
}

async function failureOf(check: HealthCheck): Promise<string | undefined> {
  try {
    await check.check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function health(
  name: string,
  checks: readonly HealthCheck[],
  query: URLSearchParams,
): Promise<ApiResponse> {
  const excluded = new Set(query.getAll("exclude"));
  const unknown = [...excluded].filter((one) => !checks.some((check) => check.name === one)).sort();
  const lines: string[] = [];
  let failed = false;
  for (const check of checks) {
    if (excluded.has(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const why = await failureOf(check);
    failed ||= why !== undefined;
    // Why it failed is for the log: anybody may ask for health.
    lines.push(why === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
  }
  if (unknown.length > 0) {
    const quoted = unknown.map((one) => JSON.stringify(one)).join(",");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${quoted}`);
  }
  if (failed) return textAnswer(500, `${lines.join("\n")}\n${name} check failed\n`);
  return textAnswer(200, query.has("verbose") ? `${lines.join("\n")}\n${name} check passed\n` : "ok");
}

async function oneCheck(name: string, checks: readonly HealthCheck[]): Promise<ApiResponse> {
  const check = checks.find((one) => one.name === name);
  if (check === undefined) throw pathNotFound();
  const why = await failureOf(check);
  return why === undefined ? textAnswer(200, "ok") : textAnswer(500, `internal server error: ${why}\n`);
}
