import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { createClient } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { ApiRequest, ApiResponse, SharedEvent, Transport } from "#machinery/api-request.ts";
import type { KubeList, KubeObject } from "#machinery/meta.ts";
import { gone } from "#machinery/status.ts";
import { createInformerFactory } from "./informers.ts";

const pod = (name: string, resourceVersion: string): KubeObject => ({
  kind: "Pod",
  metadata: { name, namespace: "default", uid: `u-${name}`, resourceVersion },
});
const bookmark = (resourceVersion: string): SharedEvent => ({
  type: "BOOKMARK",
  object: { kind: "Pod", metadata: { resourceVersion } },
});

/** A server of fixed answers in order; a watch after the last one stays open. */
function scripted(answers: ((query: URLSearchParams) => KubeList | readonly SharedEvent[] | Error)[]): {
  transport: Transport;
  queries: string[];
} {
  const queries: string[] = [];
  const respond = (status: number, body: ApiResponse["body"]): ApiResponse => ({ status, headers: {}, body });
  async function* events(batch: readonly SharedEvent[]): AsyncGenerator<readonly SharedEvent[]> {
    await Promise.resolve();
    for (const event of batch) yield [event];
  }
  async function* silence(signal: AbortSignal | undefined): AsyncGenerator<readonly SharedEvent[]> {
    if (signal?.aborted !== true)
      await new Promise<void>((resolve) =>
        signal?.addEventListener("abort", () => resolve(), { once: true }),
      );
    yield [];
  }
  const transport: Transport = {
    async request({ query, signal }: ApiRequest) {
      await Promise.resolve();
      const parameters = new URLSearchParams(query);
      parameters.delete("timeoutSeconds");
      queries.push(parameters.toString());
      const answer = answers.shift()?.(parameters);
      if (answer === undefined) return respond(200, { kind: "events", events: silence(signal) });
      if (answer instanceof Error) throw answer;
      return Array.isArray(answer)
        ? respond(200, { kind: "events", events: events(answer) })
        : respond(200, { kind: "object", object: answer as KubeObject });
    },
    close: () => Promise.resolve(),
  };
  return { transport, queries };
}

const list = (resourceVersion: string, items: KubeObject[], next?: string): KubeList => ({
  metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) },
  items,
});

test("lists in pages, watches, resumes, and lists again after 410", async () => {
  const { transport, queries } = scripted([
    () => list("5", [pod("a", "1"), pod("b", "2")], "more"),
    () => list("5", [pod("c", "3")]),
    () => [
      { type: "MODIFIED", object: pod("a", "6") },
      { type: "DELETED", object: pod("b", "7") },
      bookmark("9"),
    ],
    () => gone("too old resource version: 9 (20)"),
    () => list("21", [pod("a", "6"), pod("d", "20")]),
  ]);
  const factory = createInformerFactory(
    createClient(transport),
    { clock: realClock, random: seededRandom(1), log: silentLogger },
    { freeze: true },
  );
  const informer = factory.informer(Pods);
  const seen: string[] = [];
  informer.onChange((object, old) =>
    seen.push(
      `${old === undefined ? "+" : object === undefined ? "-" : "~"}${(object ?? old)?.metadata?.name}`,
    ),
  );
  const reached: string[] = [];
  const done = new Promise<void>((resolve) =>
    informer.onProgress((version) => {
      reached.push(version);
      if (version === "21") resolve();
    }),
  );
  await factory.start();
  await done;
  await factory.stop();
  assert.deepEqual(seen, ["+a", "+b", "+c", "~a", "-b", "+d", "-c"]);
  assert.deepEqual(reached, ["5", "6", "7", "9", "21"]);
  const versions = queries.map((query) => new URLSearchParams(query)).filter((query) => query.has("watch"));
  assert.deepEqual(
    versions.slice(0, 2).map((query) => query.get("resourceVersion")),
    ["5", "9"],
  );
  assert.equal(queries[1], "limit=500&continue=more");
});

test("one informer per resource and options; a late one starts by itself", async () => {
  const { transport } = scripted([() => list("1", [pod("a", "1")])]);
  const factory = createInformerFactory(createClient(transport), {
    clock: realClock,
    random: seededRandom(1),
    log: silentLogger,
  });
  await factory.start();
  const informer = factory.informer(Pods);
  assert.equal(factory.informer(Pods), informer);
  await informer.waitForSync();
  assert.equal(informer.get("default/a")?.metadata?.name, "a");
  await factory.stop();
});
