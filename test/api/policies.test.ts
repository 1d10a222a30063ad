// ValidatingAdmissionPolicy over the API: what is refused, with which words and codes; warnings; conditions; params.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { validatingAdmissionPolicy } from "#apiserver/admission/validating-policy.ts";
import { createApiServer, type ApiServer } from "#apiserver/server.ts";
import { privilegedGroupAuthorizer } from "#apiserver/auth/authorizers.ts";
import type { Transport } from "#machinery/api-request.ts";
import { defineResource } from "#machinery/define-resource.ts";
import { checkDnsSubdomain } from "#machinery/names.ts";
import { builtinResources } from "#resources/index.ts";
import { openStore } from "#store/open.ts";
import type { Store } from "#store/store.ts";
import { admin, ask, type Answer } from "./api-under-test.ts";

const group = "admissionregistration.k8s.io";
const own = [
  ["ValidatingAdmissionPolicy", "validatingadmissionpolicies"],
  ["ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"],
]
  .filter(([kind]) => !builtinResources.some((one) => one.kind === kind))
  .map(([kind = "", resource = ""]) =>
    defineResource({
      group,
      version: "v1",
      kind,
      resource,
      namespaced: false,
      validateName: checkDnsSubdomain,
      columns: [],
    }),
  );

let store: Store;
let server: ApiServer;
let api: Transport;

before(async () => {
  store = await openStore({ engine: "memory" }, realClock);
  server = await createApiServer({
    store,
    resources: [...builtinResources, ...own],
    settings: { serviceClusterIpRanges: ["10.0.0.0/16"], serviceNodePortRange: { from: 30_000, to: 32_767 } },
    clock: realClock,
    random: seededRandom(1),
    log: silentLogger,
    admission: (reads) => [
      validatingAdmissionPolicy(reads, {
        authorize: ({ verb, caller }) =>
          Promise.resolve({
            verdict: verb === "get" && caller.name === "ann" ? "allow" : "no-opinion",
            reason: "",
          }),
      }),
    ],
    authenticator: { authenticate: () => undefined },
    authorizer: privilegedGroupAuthorizer,
    subresources: {},
    rulesOf: () => [],
    issuer: "https://issuer",
    jwks: () => ({ keys: [] }),
  });
  api = server.direct(admin);
  await expect(201, "POST", "/api/v1/namespaces", { metadata: { name: "shop", labels: { env: "prod" } } });
});
after(async () => {
  await server.stop();
  await store.close();
});

async function expect(
  status: number,
  method: string,
  path: string,
  body?: object,
  by = api,
): Promise<Answer> {
  const answer = await ask(by, method, path, body === undefined ? {} : { body });
  assert.equal(answer.status, status, answer.text);
  return answer;
}

const at = (resource: string): string => `/apis/${group}/v1/${resource}`;
const configMaps = "/api/v1/namespaces/shop/configmaps";
const onConfigMaps = {
  resourceRules: [
    { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["configmaps"] },
  ],
};

/** A policy with its binding for as long as `during` runs. */
async function withPolicy(
  spec: object,
  bindingSpec: object,
  during: (name: string) => Promise<void>,
): Promise<void> {
  const policy = { metadata: { name: "demo" }, spec: { matchConstraints: onConfigMaps, ...spec } };
  const binding = {
    metadata: { name: "demo-binding" },
    spec: { policyName: "demo", validationActions: ["Deny"], ...bindingSpec },
  };
  await expect(201, "POST", at("validatingadmissionpolicies"), policy);
  await expect(201, "POST", at("validatingadmissionpolicybindings"), binding);
  try {
    await during("demo");
  } finally {
    await expect(200, "DELETE", `${at("validatingadmissionpolicybindings")}/demo-binding`);
    await expect(200, "DELETE", `${at("validatingadmissionpolicies")}/demo`);
  }
}

const create = (data: object, name = "one", status = 422): Promise<Answer> =>
  expect(status, "POST", `${configMaps}?dryRun=All`, { metadata: { name }, data });

const small = { validations: [{ expression: "!has(object.data.size) || int(object.data.size) <= 5" }] };
const said = "ValidatingAdmissionPolicy 'demo' with binding 'demo-binding' denied request:";

test("a denial: message, reason, code and cause", () =>
  withPolicy(small, {}, async () => {
    const { json } = await create({ size: "9" });
    const why = `${said} failed expression: !has(object.data.size) || int(object.data.size) <= 5`;
    assert.equal(json.message, `configmaps "one" is forbidden: ${why}`);
    assert.equal(json.reason, "Invalid");
    assert.deepEqual(json.details, { name: "one", kind: "configmaps", causes: [{ message: why }] });
    await create({ size: "5" }, "one", 201);
  }));

test("updates are looked at, too; deletions only where the rules say so", () =>
  withPolicy(
    { validations: [{ expression: "oldObject == null", message: "no", reason: "Forbidden" }] },
    {},
    async () => {
      await expect(201, "POST", configMaps, { metadata: { name: "kept" } });
      const { json } = await expect(403, "PUT", `${configMaps}/kept`, {
        metadata: { name: "kept" },
        data: { a: "b" },
      });
      assert.equal(json.message, `configmaps "kept" is forbidden: ${said} no`);
      assert.equal(json.reason, "Forbidden");
      await expect(200, "DELETE", `${configMaps}/kept`);
    },
  ));

test("an error of an expression denies, unless the policy says that errors do not matter", async () => {
  const broken = { validations: [{ expression: "object.data.nope == 'x'" }] };
  await withPolicy(broken, {}, async () => {
    const { json } = await create({ a: "b" });
    assert.match(
      json.message,
      /denied request: expression 'object\.data\.nope == 'x'' resulted in error: no such key: nope$/,
    );
  });
  await withPolicy({ ...broken, failurePolicy: "Ignore" }, {}, async () => {
    await create({ a: "b" }, "one", 201);
  });
});

test("Warn warns, Audit is silent", async () => {
  await withPolicy(small, { validationActions: ["Warn", "Audit"] }, async () => {
    const { headers } = await create({ size: "9" }, "one", 201);
    assert.equal(
      headers["warning"],
      `299 - "Validation failed for ValidatingAdmissionPolicy 'demo' with binding 'demo-binding': failed expression: !has(object.data.size) || int(object.data.size) <= 5"`,
    );
  });
});

test("a binding is for some namespaces and objects", async () => {
  const other = { matchResources: { namespaceSelector: { matchLabels: { env: "test" } } } };
  await withPolicy(small, other, async () => void (await create({ size: "9" }, "one", 201)));
  const same = { matchResources: { namespaceSelector: { matchLabels: { env: "prod" } } } };
  await withPolicy(small, same, async () => void (await create({ size: "9" })));
});

test("match conditions leave requests out", () =>
  withPolicy(
    {
      ...small,
      matchConditions: [{ name: "not-mine", expression: "!object.metadata.name.startsWith('my-')" }],
    },
    {},
    async () => {
      await create({ size: "9" }, "my-own", 201);
      await create({ size: "9" }, "your-own");
    },
  ));

test("params: by name, by selector, in the request's namespace, and where there are none", async () => {
  const limited = {
    paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    validations: [
      {
        expression: "int(object.data.size) <= int(params.data.max)",
        messageExpression: "'at most ' + params.data.max",
      },
    ],
  };
  await expect(201, "POST", configMaps, {
    metadata: { name: "limit", labels: { use: "limit" } },
    data: { max: "3" },
  });
  for (const paramRef of [
    { name: "limit", parameterNotFoundAction: "Deny" },
    { selector: { matchLabels: { use: "limit" } }, namespace: "shop", parameterNotFoundAction: "Deny" },
  ])
    await withPolicy(limited, { paramRef }, async () => {
      const { json } = await create({ size: "4" });
      assert.match(json.message, /denied request: at most 3$/);
      await create({ size: "3" }, "one", 201);
    });
  const nobody = { name: "nobody" };
  await withPolicy(limited, { paramRef: { ...nobody, parameterNotFoundAction: "Deny" } }, async () => {
    const { json } = await create({ size: "1" });
    assert.match(
      json.message,
      /failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
    );
  });
  await withPolicy(limited, { paramRef: { ...nobody, parameterNotFoundAction: "Allow" } }, async () => {
    await create({ size: "9" }, "one", 201);
  });
  await expect(200, "DELETE", `${configMaps}/limit`);
});

test("variables, the namespace, and questions to the authorizer", () =>
  withPolicy(
    {
      variables: [{ name: "env", expression: "namespaceObject.metadata.labels['env']" }],
      validations: [
        {
          expression:
            "variables.env != 'prod' || authorizer.group('').resource('pods').check('get').allowed() && !authorizer.requestResource.check('delete').allowed()",
          messageExpression: "'not for ' + request.userInfo.username",
        },
      ],
    },
    {},
    async () => {
      const { json } = await create({});
      assert.match(json.message, /denied request: not for admin$/);
      const ann = server.direct({ name: "ann", groups: ["system:masters"] });
      await expect(201, "POST", `${configMaps}?dryRun=All`, { metadata: { name: "one" } }, ann);
    },
  ));

test("a policy whose expressions cannot be compiled is refused", async () => {
  const policy = {
    metadata: { name: "bad" },
    spec: {
      matchConstraints: onConfigMaps,
      validations: [{ expression: "object.x +" }, { expression: "1" }],
    },
  };
  const { json } = await expect(422, "POST", at("validatingadmissionpolicies"), policy);
  assert.deepEqual(
    json.details.causes.map(({ field }: { field: string }) => field),
    ["spec.validations[0].expression", "spec.validations[1].expression"],
  );
  assert.match(
    json.message,
    /compilation failed: ERROR: <input>:1:11: Syntax error: mismatched input '<EOF>'/,
  );
});

test("policies are not about policies", () =>
  withPolicy(
    {
      matchConstraints: {
        resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }],
      },
      validations: [{ expression: "false" }],
    },
    {},
    () => create({}).then(() => undefined),
  ));
