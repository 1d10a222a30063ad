// One suite, three transports: each check runs over HTTP/2, HTTP/1.1 and `direct`, in a namespace of its own.

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import type { ControlPlaneOptions } from "#compose/control-plane.ts";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import {
  ask,
  startApi,
  transportNames,
  watch,
  type Answer,
  type Api,
  type Ask,
  type Watching,
} from "./api-under-test.ts";

export interface Place {
  readonly api: Api;
  readonly transport: Transport;
  readonly namespace: string;
  /** `/api/v1/namespaces/NAMESPACE/RESOURCE` */
  at(resource: string): string;
  ask(method: string, url: string, options?: Ask): Promise<Answer>;
  /** As `ask`, and the answer must have this status. */
  expect(
    status: number,
    method: string,
    url: string,
    body?: unknown,
    headers?: Ask["headers"],
  ): Promise<Answer>;
  watch(url: string, options?: Ask): Promise<Watching>;
  /** A config map of this name with `data`. */
  put(name: string, data?: Record<string, string>, labels?: Record<string, string>): Promise<Answer["json"]>;
}

export type Check = (name: string, run: (place: Place) => Promise<void>) => void;

let serial = 0;

export async function placeOn(api: Api, transport: Transport): Promise<Place> {
  const namespace = `place-${++serial}`;
  const place: Place = {
    api,
    transport,
    namespace,
    at: (resource) => `/api/v1/namespaces/${namespace}/${resource}`,
    ask: (method, url, options) => ask(transport, method, url, options),
    async expect(status, method, url, body, headers) {
      const answer = await ask(transport, method, url, {
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
      assert.equal(answer.status, status, `${method} ${url}: ${answer.text.slice(0, 800)}`);
      return answer;
    },
    watch: (url, options) => watch(transport, url, options),
    async put(name, data = {}, labels = {}) {
      const object = { metadata: { name, labels }, data };
      return (await place.expect(201, "POST", place.at("configmaps"), object)).json;
    },
  };
  await place.expect(201, "POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  const account = `${place.at("serviceaccounts")}/default`;
  await eventually(async () => (await place.ask("GET", account)).status === 200);
  return place;
}

export function overEveryTransport(
  define: (check: Check) => void,
  options: Partial<ControlPlaneOptions> = {},
): void {
  let api: Api;
  before(async () => {
    api = await startApi(options);
  });
  after(() => api.stop());
  for (const over of transportNames) {
    describe(over, () => {
      let transport: Transport | undefined;
      define((name, run) =>
        test(name, async () => run(await placeOn(api, (transport ??= api.transport(over))))));
    });
  }
}

export const container = { name: "c", image: "i" };
/** A pod that nobody schedules. */
export const idlePod = (name: string, more: object = {}): object => ({
  metadata: { name },
  spec: { schedulerName: "none", containers: [container], ...more },
});
export const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
export const mergePatch = { "content-type": "application/merge-patch+json" };
export const jsonPatch = { "content-type": "application/json-patch+json" };
export const strategicPatch = { "content-type": "application/strategic-merge-patch+json" };
export const names = (list: Answer["json"]): string[] =>
  (list.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
