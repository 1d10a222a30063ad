// Asks a webhook: one POST over TLS, with a time and a size that end it. Redirects are not followed: an answer is the
// webhook's own, or none.

import { isIP } from "node:net";
import { request } from "node:https";
import type { WebhookClientConfig } from "#machinery/gen/types/apiextensions-v1.ts";
import { boundedBody } from "#base/bounded-body.ts";

const answerBytesMax = 32 * 1024 * 1024;
const defaultPort = 443;

export interface WebhookDeps {
  /** Where a service is reached now. */
  resolve(namespace: string, name: string, port: number): { readonly host: string; readonly port: number };
}

export interface WebhookCall {
  readonly config: WebhookClientConfig;
  readonly body: unknown;
  readonly timeoutMs: number;
}

interface Target {
  /** As errors show it. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly serverName: string;
}

function targetOf({ url, service }: WebhookClientConfig, deps: WebhookDeps): Target {
  if (service !== undefined) {
    const { namespace, name, port = defaultPort, path = "/" } = service;
    const serverName = `${name}.${namespace}.svc`;
    const { host, port: at } = deps.resolve(namespace, name, port);
    return { url: `https://${serverName}:${port}${path}`, host, port: at, path, serverName };
  }
  const { hostname, port, pathname } = new URL(url ?? "");
  const host = hostname.replace(/^\[|\]$/g, "");
  const number = port === "" ? defaultPort : Number(port);
  return { url: url ?? "", host, port: number, path: pathname, serverName: host };
}

/** The parsed answer. Every failure says `Post "https://…": why`. */
export async function askWebhook(
  { config, body, timeoutMs }: WebhookCall,
  deps: WebhookDeps,
): Promise<unknown> {
  const target = targetOf(config, deps);
  const shown = new URL(target.url);
  shown.searchParams.set("timeout", `${timeoutMs / 1000}s`);
  const fail = (why: string): Error => new Error(`Post ${JSON.stringify(shown.href)}: ${why}`);
  const { status, text } = await post(target, shown.search, { config, body, timeoutMs }).catch(
    (error: unknown) => {
      throw fail(error instanceof Error ? error.message : String(error));
    },
  );
  if (status < 200 || status > 206)
    throw new Error(text === "" ? `the webhook answered ${status}` : text.trim());
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw fail("the answer is no JSON");
  }
}

function post(
  { host, port, path, serverName }: Target,
  search: string,
  { config, body, timeoutMs }: WebhookCall,
): Promise<{ status: number; text: string }> {
  const bytes = Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host,
      port,
      path: `${path}${search}`,
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, */*",
        "content-length": bytes.length,
      },
      // Addresses are no names of servers.
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      ...(config.caBundle ? { ca: Buffer.from(config.caBundle, "base64") } : {}),
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    outgoing.on("error", (error) =>
      reject(
        error.name === "TimeoutError" || error.name === "AbortError"
          ? new Error("context deadline exceeded")
          : error,
      ),
    );
    outgoing.on("response", (incoming) => {
      boundedBody(incoming, answerBytesMax).then(
        (text) => resolve({ status: incoming.statusCode ?? 0, text: text.toString() }),
        reject,
      );
    });
    outgoing.end(bytes);
  });
}
