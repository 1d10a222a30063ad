// Admission webhooks: what they are asked, what their answers do, and what happens where there is no answer.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { createAuthority, issue } from "#pki/certificates.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, type Answer, type Api } from "./api-under-test.ts";

const hourMs = 3_600_000;
const group = "/apis/admissionregistration.k8s.io/v1";
const configMaps = "/api/v1/namespaces/hooks/configmaps";

interface Review {
  readonly apiVersion: string;
  readonly request: { readonly uid: string; readonly [field: string]: any };
}
type Handler = (review: Review) => object | undefined;

let api: Api;
let direct: Transport;
let webhook: Server;
let caBundle: string;
/** By path: what the webhook answers; undefined answers never. */
const handlers = new Map<string, Handler>();
const asked: (Review & { readonly path: string })[] = [];

before(async () => {
  const notBeforeMs = Date.now() - hourMs;
  const authority = await createAuthority("hooks-authority", notBeforeMs, 24 * hourMs);
  const server = await issue(authority, {
    subject: { commonName: "hooks" },
    usages: ["server"],
    dnsNames: ["hook.hooks.svc"],
    ipAddresses: ["127.0.0.1"],
    notBeforeMs,
    validMs: 24 * hourMs,
  });
  caBundle = Buffer.from(authority.certificate).toString("base64");
  webhook = createServer({ cert: server.certificate, key: server.key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
      const path = (request.url ?? "").split("?")[0] ?? "";
      asked.push({ ...review, path });
      const answer = handlers.get(path)?.(review);
      if (answer !== undefined) response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
  api = await startApi();
  direct = api.transport("direct");
  await expect(201, "POST", "/api/v1/namespaces", { metadata: { name: "hooks" } });
});
after(async () => {
  webhook.closeAllConnections();
  webhook.close();
  await api.stop();
});

async function expect(status: number, method: string, path: string, body?: object): Promise<Answer> {
  const answer = await ask(direct, method, path, body === undefined ? {} : { body });
  assert.equal(answer.status, status, answer.text);
  return answer;
}

const answer = ({ apiVersion, request: { uid } }: Review, response: object): object => ({
  apiVersion,
  kind: "AdmissionReview",
  response: { uid, ...response },
});
const allow = (review: Review): object => answer(review, { allowed: true });
const patches =
  (...patch: object[]): Handler =>
  (review) =>
    answer(review, {
      allowed: true,
      patchType: "JSONPatch",
      patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
    });

const url = (path: string): string => `https://127.0.0.1:${(webhook.address() as AddressInfo).port}${path}`;
const onConfigMaps = { apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["configmaps"] };
const only = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "hooks" } } };
const hook = (path: string, more: object = {}): object => ({
  name: `${path.slice(1)}.example.com`,
  clientConfig: { url: url(path), caBundle },
  rules: [onConfigMaps],
  sideEffects: "None",
  admissionReviewVersions: ["v1", "v1beta1"],
  ...only,
  ...more,
});

async function whileHooked(
  how: "validating" | "mutating",
  hooks: readonly object[],
  during: () => Promise<void>,
): Promise<void> {
  const path = `${group}/${how}webhookconfigurations`;
  await expect(201, "POST", path, { metadata: { name: "test" }, webhooks: hooks });
  asked.length = 0;
  try {
    await during();
  } finally {
    await expect(200, "DELETE", `${path}/test`);
  }
}
const create = (status: number, data: object, name = "one", query = ""): Promise<Answer> =>
  expect(status, "POST", `${configMaps}${query}`, { metadata: { name }, data });

test("a validating webhook is asked, and what it denies is denied in its words", async () => {
  handlers.set("/deny", (review) =>
    answer(review, {
      allowed: review.request["object"].data.ok === "yes",
      status: { message: "the data is not ok", reason: "Forbidden", code: 403 },
    }),
  );
  await whileHooked(
    "validating",
    [hook("/deny", { rules: [{ ...onConfigMaps, operations: ["CREATE"] }] })],
    async () => {
      const { json } = await create(403, { ok: "no" });
      assert.equal(
        json.message,
        'admission webhook "deny.example.com" denied the request: the data is not ok',
      );
      assert.equal(json.reason, "Forbidden");
      const [{ request, apiVersion } = assert.fail("nobody asked")] = asked;
      assert.equal(apiVersion, "admission.k8s.io/v1");
      assert.deepEqual(request["kind"], { group: "", version: "v1", kind: "ConfigMap" });
      assert.deepEqual(request["requestResource"], { group: "", version: "v1", resource: "configmaps" });
      assert.equal(request["name"], "one");
      assert.equal(request["namespace"], "hooks");
      assert.equal(request["operation"], "CREATE");
      assert.equal(request["userInfo"].username, "admin");
      assert.equal(request["oldObject"], null);
      assert.equal(request["dryRun"], false);
      assert.deepEqual(request["options"], { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" });
      await create(201, { ok: "yes" });
    },
  );
  await expect(200, "DELETE", `${configMaps}/one`);
});

test("a denial without a word, and with a code that is none", async () => {
  handlers.set("/silent", (review) => answer(review, { allowed: false }));
  await whileHooked("validating", [hook("/silent")], async () => {
    const { json } = await create(400, {});
    assert.equal(
      json.message,
      'admission webhook "silent.example.com" denied the request without explanation',
    );
  });
});

test("deletions are asked for, with the object as it was", async () => {
  handlers.set("/deletions", (review) => answer(review, { allowed: false, status: { message: "it stays" } }));
  await create(201, { a: "b" }, "kept");
  await whileHooked(
    "validating",
    [hook("/deletions", { rules: [{ ...onConfigMaps, operations: ["DELETE"] }] })],
    async () => {
      await expect(400, "DELETE", `${configMaps}/kept`);
      const { request } = asked[0] ?? assert.fail("nobody asked");
      assert.equal(request["object"], null);
      assert.deepEqual(request["oldObject"].data, { a: "b" });
    },
  );
  await expect(200, "DELETE", `${configMaps}/kept`);
});

test("mutating webhooks change the object one after the other", async () => {
  handlers.set("/first", patches({ op: "add", path: "/data/first", value: "yes" }));
  handlers.set("/second", (review) =>
    review.request["object"].data.first === "yes"
      ? patches({ op: "add", path: "/data/second", value: "yes" })(review)
      : allow(review),
  );
  await whileHooked("mutating", [hook("/first"), hook("/second")], async () => {
    const { json } = await create(201, { zero: "yes" }, "one", "?dryRun=All");
    assert.deepEqual(json.data, { first: "yes", second: "yes", zero: "yes" });
    assert.equal(asked[0]?.request["dryRun"], true);
  });
});

test("a webhook is asked again after a later one has changed the object, if it wants that", async () => {
  handlers.set("/counts", (review) => {
    const count = Object.keys(review.request["object"].data).length;
    return patches({ op: "add", path: `/data/saw${count}`, value: "" })(review);
  });
  handlers.set("/adds", patches({ op: "add", path: "/data/late", value: "" }));
  for (const [reinvocationPolicy, keys] of [
    ["Never", ["a", "late", "saw1"]],
    ["IfNeeded", ["a", "late", "saw1", "saw3"]],
  ] as const)
    await whileHooked("mutating", [hook("/counts", { reinvocationPolicy }), hook("/adds")], async () => {
      const { json } = await create(201, { a: "" }, "one", "?dryRun=All");
      assert.deepEqual(Object.keys(json.data).sort(), keys);
    });
});

test("what a webhook adds to a pod has its defaults", async () => {
  const container = { name: "added", image: "added" };
  handlers.set("/pods", patches({ op: "add", path: "/spec/initContainers", value: [container] }));
  const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }];
  await whileHooked("mutating", [hook("/pods", { rules })], async () => {
    await eventually(async () => {
      const { status } = await ask(direct, "GET", "/api/v1/namespaces/hooks/serviceaccounts/default");
      return status === 200;
    });
    const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "a", image: "a" }] } };
    const { json } = await expect(201, "POST", "/api/v1/namespaces/hooks/pods?dryRun=All", pod);
    const [added] = json.spec.initContainers;
    assert.equal(added.terminationMessagePolicy, "File");
    assert.equal(added.imagePullPolicy, "Always");
  });
});

test("match conditions choose; those that cannot be compiled are refused", async () => {
  handlers.set("/marks", patches({ op: "add", path: "/data/marked", value: "yes" }));
  const matchConditions = [{ name: "skip-me", expression: "object.metadata.name != 'skip-me'" }];
  await whileHooked("mutating", [hook("/marks", { matchConditions })], async () => {
    const skipped = await create(201, {}, "skip-me", "?dryRun=All");
    assert.equal(skipped.json.data, undefined);
    const marked = await create(201, { a: "" }, "other", "?dryRun=All");
    assert.equal(marked.json.data.marked, "yes");
  });
  for (const how of ["validating", "mutating"]) {
    const bad = [{ name: "bad", expression: "... [] bad expression" }];
    const webhooks = [hook("/marks", { matchConditions: bad })];
    const { json } = await expect(422, "POST", `${group}/${how}webhookconfigurations`, {
      metadata: { name: "bad" },
      webhooks,
    });
    assert.match(
      json.message,
      /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: .*compilation failed/,
    );
  }
});

test("warnings reach the client", async () => {
  handlers.set("/warns", (review) => answer(review, { allowed: true, warnings: ["mind the gap"] }));
  await whileHooked("validating", [hook("/warns")], async () => {
    const { headers } = await create(201, {}, "one", "?dryRun=All");
    assert.equal(headers["warning"], '299 - "mind the gap"');
  });
});

test("no answer: the request fails, or goes on without it", async () => {
  const nowhere = { clientConfig: { url: "https://127.0.0.1:1/x", caBundle } };
  await whileHooked("validating", [hook("/closed", { ...nowhere, failurePolicy: "Fail" })], async () => {
    const { json } = await create(500, {});
    const start =
      'Internal error occurred: failed calling webhook "closed.example.com": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=10s": ';
    assert.ok(json.message.startsWith(start), json.message);
  });
  await whileHooked("validating", [hook("/closed", { ...nowhere, failurePolicy: "Ignore" })], async () => {
    await create(201, {}, "one", "?dryRun=All");
  });
});

test("a webhook that takes too long has no answer", async () => {
  handlers.set("/slow", () => undefined);
  const slow = (failurePolicy: string): object => hook("/slow", { timeoutSeconds: 1, failurePolicy });
  await whileHooked("mutating", [slow("Fail")], async () => {
    const { json } = await create(500, {});
    assert.match(json.message, /\?timeout=1s": context deadline exceeded$/);
  });
  await whileHooked(
    "mutating",
    [slow("Ignore")],
    async () => void (await create(201, {}, "one", "?dryRun=All")),
  );
});

/** What a webhook answers → how that is told. */
const nonsense: readonly (readonly [string, Handler, RegExp])[] = [
  [
    "another uid",
    (review) => ({ ...answer(review, {}), response: { uid: "x", allowed: true } }),
    /expected response\.uid="[-0-9a-f]+", got "x"$/,
  ],
  [
    "no review",
    () => ({}),
    /expected webhook response of admission\.k8s\.io\/v1, Kind=AdmissionReview, got , Kind=$/,
  ],
  [
    "no response",
    (review) => ({ apiVersion: review.apiVersion, kind: "AdmissionReview" }),
    /webhook response was absent$/,
  ],
  [
    "a patch of no type",
    (review) => answer(review, { allowed: true, patch: "W10=" }),
    /webhook returned response\.patch but not response\.patchType$/,
  ],
];
for (const [name, handler, message] of nonsense) {
  test(`an answer that counts for nothing: ${name}`, async () => {
    handlers.set("/nonsense", handler);
    await whileHooked("mutating", [hook("/nonsense")], async () => {
      const { json } = await create(500, {});
      assert.match(json.message, /received invalid webhook response: /);
      assert.match(json.message, message);
    });
  });
}

test("a dry run asks no webhook that may do more than answer", async () => {
  // sideEffects Some cannot be written any more in v1; NoneOnDryRun may be asked.
  handlers.set("/effects", allow);
  await whileHooked("validating", [hook("/effects", { sideEffects: "NoneOnDryRun" })], async () => {
    await create(201, {}, "one", "?dryRun=All");
    assert.equal(asked.length, 1);
  });
});

test("no webhook is asked about webhooks and policies", async () => {
  handlers.set("/all", (review) => answer(review, { allowed: false }));
  const rules = [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }];
  await whileHooked("validating", [hook("/all", { rules, namespaceSelector: {} })], async () => {
    const path = `${group}/mutatingwebhookconfigurations`;
    await expect(201, "POST", path, { metadata: { name: "other" }, webhooks: [] });
    await expect(200, "DELETE", `${path}/other`);
    assert.equal(
      asked.some(({ request }) => request["kind"].group === "admissionregistration.k8s.io"),
      false,
    );
    await create(400, {});
  });
});

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const dataFields = { "mutation-start": { type: "string" }, "mutation-stage-1": { type: "string" } };
const version = (name: string, storage: boolean): object => ({
  name,
  served: true,
  storage,
  schema: {
    openAPIV3Schema: {
      type: "object",
      properties: { data: { type: "object", properties: dataFields } },
    },
  },
});

/** Defines a kind of its own for a test; the path of its first version. */
async function define(plural: string, kind: string, versions: readonly object[]): Promise<string> {
  await expect(201, "POST", definitions, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.hooks.example.com` },
    spec: {
      group: "hooks.example.com",
      scope: "Namespaced",
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions,
    },
  });
  const path = `/apis/hooks.example.com/v1/namespaces/hooks/${plural}`;
  await eventually(async () => (await ask(direct, "GET", path)).status === 200);
  return path;
}

test("custom resources: webhooks change them, and what the schema does not know is dropped", async () => {
  const things = await define("things", "Thing", [version("v1", true)]);
  handlers.set(
    "/things",
    patches(
      { op: "add", path: "/data/mutation-stage-1", value: "yes" },
      { op: "add", path: "/data/mutation-stage-2", value: "yes" },
    ),
  );
  const rules = [
    { apiGroups: ["hooks.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] },
  ];
  await whileHooked("mutating", [hook("/things", { rules })], async () => {
    const { json } = await expect(201, "POST", things, {
      apiVersion: "hooks.example.com/v1",
      kind: "Thing",
      metadata: { name: "t" },
      data: { "mutation-start": "yes" },
    });
    assert.deepEqual(json.data, { "mutation-start": "yes", "mutation-stage-1": "yes" });
  });
});

test("custom resources: what a webhook denies is not created, not changed, not deleted", async () => {
  const gadgets = await define("gadgets", "Gadget", [version("v1", true)]);
  const gadget = (name: string, start: string): object => ({
    apiVersion: "hooks.example.com/v1",
    kind: "Gadget",
    metadata: { name },
    data: { "mutation-start": start },
  });
  const isFine = (object: { data?: Record<string, string> } | null): boolean =>
    object?.data?.["mutation-start"] !== "no";
  handlers.set("/gadgets", (review) => {
    const { object, oldObject, operation } = review.request;
    return answer(review, { allowed: isFine(operation === "DELETE" ? oldObject : object) });
  });
  const rules = [
    { apiGroups: ["hooks.example.com"], apiVersions: ["*"], operations: ["*"], resources: ["gadgets"] },
  ];
  await expect(201, "POST", gadgets, gadget("kept", "no"));
  await whileHooked("validating", [hook("/gadgets", { rules })], async () => {
    await expect(400, "POST", gadgets, gadget("two", "no"));
    await expect(201, "POST", gadgets, gadget("two", "yes"));
    const { json } = await expect(200, "GET", `${gadgets}/two`);
    await expect(400, "PUT", `${gadgets}/two`, { ...json, data: { "mutation-start": "no" } });
    await expect(400, "DELETE", `${gadgets}/kept`);
    await expect(200, "DELETE", `${gadgets}/two`);
  });
  const { json } = await expect(200, "GET", gadgets);
  assert.deepEqual(
    json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ["kept"],
  );
});

test("custom resources: webhooks change them also after another version is the stored one", async () => {
  const parts = await define("parts", "Part", [version("v1", true), version("v2", false)]);
  await expect(201, "POST", parts, {
    apiVersion: "hooks.example.com/v1",
    kind: "Part",
    metadata: { name: "p" },
    data: { "mutation-start": "yes" },
  });
  await ask(direct, "PATCH", `${definitions}/parts.hooks.example.com`, {
    body: { spec: { versions: [version("v1", false), version("v2", true)] } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  handlers.set("/parts", patches({ op: "add", path: "/data/mutation-stage-1", value: "yes" }));
  const rules = [
    { apiGroups: ["hooks.example.com"], apiVersions: ["*"], operations: ["UPDATE"], resources: ["parts"] },
  ];
  await whileHooked("mutating", [hook("/parts", { rules })], async () => {
    for (const path of [parts, parts.replace("/v1/", "/v2/")]) {
      const { json } = await expect(200, "GET", `${path}/p`);
      const changed = await expect(200, "PUT", `${path}/p`, { ...json, data: { "mutation-start": "again" } });
      assert.deepEqual(changed.json.data, { "mutation-start": "again", "mutation-stage-1": "yes" });
    }
  });
});

test("pods, and definitions of kinds, are denied like anything else", async () => {
  handlers.set("/never", (review) => answer(review, { allowed: false, status: { message: "not here" } }));
  const rules = [
    { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] },
    {
      apiGroups: ["apiextensions.k8s.io"],
      apiVersions: ["*"],
      operations: ["CREATE"],
      resources: ["customresourcedefinitions"],
    },
  ];
  await whileHooked("validating", [hook("/never", { rules, namespaceSelector: {} })], async () => {
    const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } };
    const { json } = await expect(400, "POST", "/api/v1/namespaces/hooks/pods", pod);
    assert.equal(json.message, 'admission webhook "never.example.com" denied the request: not here');
    await expect(400, "POST", definitions, {
      metadata: { name: "knobs.hooks.example.com" },
      spec: {
        group: "hooks.example.com",
        scope: "Namespaced",
        names: { plural: "knobs", singular: "knob", kind: "Knob", listKind: "KnobList" },
        versions: [version("v1", true)],
      },
    });
  });
  await expect(404, "GET", `${definitions}/knobs.hooks.example.com`);
});

test("connections are asked about before they begin: who may not attach never reaches the node", async () => {
  const pod = { metadata: { name: "closed" }, spec: { containers: [{ name: "c", image: "i" }] } };
  const pods = "/api/v1/namespaces/hooks/pods";
  await expect(201, "POST", pods, pod);
  handlers.set("/connect", (review) =>
    answer(review, { allowed: false, status: { message: "attaching to pod 'closed' is not allowed" } }),
  );
  const rules = [
    { apiGroups: [""], apiVersions: ["v1"], operations: ["CONNECT"], resources: ["pods/attach"] },
  ];
  await whileHooked("validating", [hook("/connect", { rules })], async () => {
    const { json } = await expect(400, "GET", `${pods}/closed/attach?container=c&stdout=true`);
    assert.equal(
      json.message,
      `admission webhook "connect.example.com" denied the request: attaching to pod 'closed' is not allowed`,
    );
    const [{ request } = assert.fail("nobody asked")] = asked;
    assert.deepEqual(
      [request["operation"], request["name"], request["subResource"], request["object"]],
      [
        "CONNECT",
        "closed",
        "attach",
        { kind: "PodAttachOptions", apiVersion: "v1", stdout: true, container: "c" },
      ],
    );
    assert.equal(request["kind"].kind, "PodAttachOptions");
    // Of exec the rules say nothing.
    const exec = await expect(400, "GET", `${pods}/closed/exec?command=ls`);
    assert.equal(exec.json.message, "pod closed does not have a host assigned");
  });
});

for (const how of ["validating", "mutating"] as const) {
  const path = `${group}/${how}webhookconfigurations`;
  /** Whether somebody is asked about a ConfigMap now. */
  const isAsked = async (): Promise<boolean> => {
    asked.length = 0;
    await create(201, {}, "asked", "?dryRun=All");
    return asked.length > 0;
  };
  const becomes = (is: boolean): Promise<unknown> => eventually(async () => (await isAsked()) === is);

  test(`${how} webhooks are listed by label, and deleted together`, async () => {
    handlers.set("/listed", allow);
    const labels = { of: `${how}-list` };
    for (const name of ["first", "second"])
      await expect(201, "POST", path, { metadata: { name, labels }, webhooks: [hook("/listed")] });
    await becomes(true);
    const query = `?labelSelector=of%3D${how}-list`;
    const { json } = await expect(200, "GET", `${path}${query}`);
    assert.equal(json.items.length, 2);
    await expect(200, "DELETE", `${path}${query}`);
    await becomes(false);
  });

  test(`${how} webhooks are asked by their rules of now, updated or patched`, async () => {
    handlers.set("/ruled", allow);
    const rulesFor = (...operations: string[]): object[] => [{ ...onConfigMaps, operations }];
    const { json } = await expect(201, "POST", path, {
      metadata: { name: "ruled" },
      webhooks: [hook("/ruled", { rules: rulesFor("CREATE") })],
    });
    try {
      await becomes(true);
      const webhooks = [{ ...json.webhooks[0], rules: rulesFor("DELETE") }];
      await expect(200, "PUT", `${path}/ruled`, { ...json, webhooks });
      await becomes(false);
      const patched = await ask(direct, "PATCH", `${path}/ruled`, {
        body: [{ op: "replace", path: "/webhooks/0/rules/0/operations", value: ["CREATE"] }],
        headers: { "content-type": "application/json-patch+json" },
      });
      assert.equal(patched.status, 200, patched.text);
      await becomes(true);
    } finally {
      await expect(200, "DELETE", `${path}/ruled`);
    }
  });
}
