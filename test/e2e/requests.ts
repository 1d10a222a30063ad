// HTTP requests as separate visitors make them: a new connection each, so that a balancer chooses anew each time.

import { get } from "node:http";
import { request as requestTls } from "node:https";

export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  /** The page, or why there was no answer. */
  readonly text: string;
}

const answerMsMax = 5_000;

export function visit(url: string, timeoutMs = answerMsMax): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, text: error.message });
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", failed);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on("error", failed);
  });
}

/** The pod that a page of the tutorial's images names. */
export function podOf(page: string): string | undefined {
  return /Served by pod ([-a-z0-9]+)/.exec(page)?.[1];
}

/** Answers by pod, of `count` visits one after the other; "" counts those without a page that names its pod. */
export async function visitMany(url: string, count: number): Promise<Map<string, number>> {
  const byPod = new Map<string, number>();
  for (let visits = 0; visits < count; visits++) {
    const { status, text } = await visit(url);
    const pod = status === 200 ? (podOf(text) ?? "") : "";
    byPod.set(pod, (byPod.get(pod) ?? 0) + 1);
  }
  return byPod;
}

/** What a browser gets from the API server's port, whose certificate it does not know. */
export function visitApiServer(url: string): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, text: error.message });
    const request = requestTls(
      url,
      { agent: false, rejectUnauthorized: false, timeout: answerMsMax },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", failed);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    request.on("error", failed);
    request.end();
  });
}
