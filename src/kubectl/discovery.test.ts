import assert from "node:assert/strict";
import { test } from "node:test";
import { findResource, makeDiscovery, type GroupVersion } from "./discovery.ts";

const resource = (
  group: string,
  version: string,
  name: string,
  kind: string,
  more: { shortNames?: string[]; categories?: string[] } = {},
): GroupVersion["resources"][number] => ({
  group,
  version,
  resource: name,
  kind,
  namespaced: true,
  singular: kind.toLowerCase(),
  shortNames: more.shortNames ?? [],
  categories: more.categories ?? [],
  verbs: ["list"],
  subresources: [],
});

const served: GroupVersion[] = [
  {
    group: "",
    version: "v1",
    rank: 0,
    stale: false,
    resources: [
      resource("", "v1", "pods", "Pod", { shortNames: ["po"], categories: ["all"] }),
      resource("", "v1", "events", "Event", { shortNames: ["ev"] }),
    ],
  },
  {
    group: "apps",
    version: "v1",
    rank: 0,
    stale: false,
    resources: [
      resource("apps", "v1", "deployments", "Deployment", { shortNames: ["deploy"], categories: ["all"] }),
    ],
  },
  {
    group: "apps",
    version: "v1beta1",
    rank: 1,
    stale: false,
    resources: [resource("apps", "v1beta1", "deployments", "Deployment", { categories: ["all"] })],
  },
  {
    group: "events.k8s.io",
    version: "v1",
    rank: 0,
    stale: false,
    resources: [resource("events.k8s.io", "v1", "events", "Event")],
  },
];

const words: [string, string | undefined][] = [
  ["pods", "/v1/pods"],
  ["pod", "/v1/pods"],
  ["po", "/v1/pods"],
  ["Pod", "/v1/pods"],
  ["events", "/v1/events"],
  ["events.events.k8s.io", "events.k8s.io/v1/events"],
  ["events.events", "events.k8s.io/v1/events"],
  ["deploy", "apps/v1/deployments"],
  ["deployments.apps", "apps/v1/deployments"],
  ["deployments.v1beta1.apps", "apps/v1beta1/deployments"],
  ["pods.v1.", "/v1/pods"],
  ["pods.v1", undefined],
  ["deployments.v2.apps", undefined],
  ["", undefined],
  ["constructor", undefined],
];
for (const [word, want] of words)
  test(`${JSON.stringify(word)} is ${want ?? "nothing"}`, () => {
    const found = findResource(served, word);
    assert.equal(found && `${found.group}/${found.version}/${found.resource}`, want);
  });

test("a category names each resource once", () => {
  const names = makeDiscovery(served, undefined)
    .category("all")
    .map(({ group, version, resource: name }) => `${group}/${version}/${name}`);
  assert.deepEqual(names, ["/v1/pods", "apps/v1/deployments"]);
});

test("a word that is not known is looked up once more, and only once", async () => {
  let asked = 0;
  const discovery = makeDiscovery([], () => {
    asked++;
    return Promise.resolve(served);
  });
  assert.equal((await discovery.find("po"))?.kind, "Pod");
  assert.equal(await discovery.find("nope"), undefined);
  assert.equal(asked, 1);
  assert.equal((await discovery.findKind("apps/v1", "Deployment"))?.resource, "deployments");
});
