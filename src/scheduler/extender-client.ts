// One question to an extender: a POST with JSON, over HTTP or TLS, with a time and a size that end it.

import { readFileSync } from "node:fs";
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { boundedBody } from "#base/bounded-body.ts";
import { extenderAnswerBytesMax, extenderSocketsMax } from "./limits.ts";
import type { ExtenderConfig, ExtenderTls } from "./plan/extender-protocol.ts";

function material(data: string | undefined, file: string | undefined): Buffer | undefined {
  if (data !== undefined && data !== "") return Buffer.from(data, "base64");
  return file === undefined || file === "" ? undefined : readFileSync(file);
}

/** Without an authority of its own, the system's count: only `insecure` turns the check off. */
function tlsOptions({ insecure, serverName, ...files }: ExtenderTls): object {
  const ca = material(files.caData, files.caFile);
  const cert = material(files.certData, files.certFile);
  const key = material(files.keyData, files.keyFile);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined || serverName === "" ? {} : { servername: serverName }),
    rejectUnauthorized: insecure !== true,
  };
}

export class ExtenderClient {
  readonly config: ExtenderConfig;
  readonly #isTls: boolean;
  readonly #agent: PlainAgent;
  readonly #stopped = new AbortController();

  /** Certificates are read here: a file that is missing is told at the start. */
  constructor(config: ExtenderConfig) {
    this.config = config;
    this.#isTls = config.urlPrefix.startsWith("https:");
    const pool = { keepAlive: true, maxSockets: extenderSocketsMax };
    this.#agent = this.#isTls
      ? new TlsAgent({ ...pool, ...tlsOptions(config.tls ?? {}) })
      : new PlainAgent(pool);
  }

  close(): void {
    this.#stopped.abort();
    this.#agent.destroy();
  }

  /** The parsed answer. Every failure says which extender it was. */
  async ask(verb: string, body: object): Promise<unknown> {
    const url = `${this.config.urlPrefix.replace(/\/+$/, "")}/${verb}`;
    const fail = (why: string): Error => new Error(`extender ${url}: ${why}`);
    let answer: { status: number; text: string };
    try {
      answer = await this.#post(url, Buffer.from(JSON.stringify(body)));
    } catch (thrown) {
      const error = thrown as Error;
      throw fail(error.name === "TimeoutError" ? "context deadline exceeded" : error.message);
    }
    if (answer.status !== 200) throw fail(`failed with code ${answer.status}`);
    try {
      return JSON.parse(answer.text) as unknown;
    } catch {
      throw fail("the answer is no JSON");
    }
  }

  #post(url: string, bytes: Buffer): Promise<{ status: number; text: string }> {
    const request = this.#isTls ? tlsRequest : plainRequest;
    return new Promise((resolve, reject) => {
      const outgoing = request(url, {
        method: "POST",
        headers: { "content-type": "application/json", "content-length": bytes.length },
        agent: this.#agent,
        signal: AbortSignal.any([AbortSignal.timeout(this.config.timeoutMs), this.#stopped.signal]),
      });
      outgoing.on("error", (error) =>
        reject(outgoing.destroyed && error.cause instanceof Error ? error.cause : error),
      );
      outgoing.on("response", (incoming) => {
        boundedBody(incoming, extenderAnswerBytesMax).then(
          (text) => resolve({ status: incoming.statusCode ?? 0, text: text.toString() }),
          reject,
        );
      });
      outgoing.end(bytes);
    });
  }
}
