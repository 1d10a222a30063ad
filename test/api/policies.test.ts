// Admission policies over the API. Validating: what is refused, with which words and codes; warnings; conditions; params.
// Mutating: what is laid over an object, patches, and what may not be.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { mutatingAdmissionPolicy } from "#apiserver/admission/mutating-policy.ts";
import { validatingAdmissionPolicy } from "#apiserver/admission/validating-policy.ts";
import type { Authorizer } from "#apiserver/auth/contract.ts";
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
  ["MutatingAdmissionPolicy", "mutatingadmissionpolicies"],
  ["MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"],
  ["ValidatingWebhookConfiguration", "validatingwebhookconfigurations"],
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

const onlyAnnReads: Authorizer = {
  authorize: ({ verb, caller }) =>
    Promise.resolve({
      verdict: verb === "get" && caller.name === "ann" ? "allow" : "no-opinion",
      reason: "",
    }),
};

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
      mutatingAdmissionPolicy(reads, onlyAnnReads),
      validatingAdmissionPolicy(reads, onlyAnnReads),
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
function withPolicy(spec: object, bindingSpec: object, during: () => Promise<void>): Promise<void> {
  const binding = { policyName: "demo", validationActions: ["Deny"], ...bindingSpec };
  return whileBound("validating", "demo", spec, binding, during);
}

async function whileBound(
  how: "validating" | "mutating",
  name: string,
  spec: object,
  bindingSpec: object,
  during: () => Promise<void>,
): Promise<void> {
  const [policies, bindings] = [at(`${how}admissionpolicies`), at(`${how}admissionpolicybindings`)];
  const matchConstraints = onConfigMaps;
  await expect(201, "POST", policies, { metadata: { name }, spec: { matchConstraints, ...spec } });
  await expect(201, "POST", bindings, { metadata: { name: `${name}-binding` }, spec: bindingSpec });
  try {
    await during();
  } finally {
    await expect(200, "DELETE", `${bindings}/${name}-binding`);
    await expect(200, "DELETE", `${policies}/${name}`);
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

test("match conditions of webhooks that cannot be compiled are refused", async () => {
  const webhook = {
    name: "a.example.com",
    clientConfig: { url: "https://127.0.0.1/x" },
    rules: [],
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    matchConditions: [
      { name: "good", expression: "object.metadata.name != 'skip-me'" },
      { name: "bad", expression: "... [] bad expression" },
    ],
  };
  const { json } = await expect(422, "POST", at("validatingwebhookconfigurations"), {
    metadata: { name: "hook" },
    webhooks: [webhook],
  });
  assert.match(
    json.message,
    /webhooks\[0\]\.matchConditions\[1\]\.expression: Invalid value: .*compilation failed/,
  );
});

const laid = (expression: string): object => ({
  patchType: "ApplyConfiguration",
  applyConfiguration: { expression },
});
const patched = (expression: string): object => ({ patchType: "JSONPatch", jsonPatch: { expression } });
const mutating = (spec: object, during: () => Promise<void>, name = "change"): Promise<void> =>
  whileBound("mutating", name, { reinvocationPolicy: "Never", ...spec }, { policyName: name }, during);

test("a mutation lays a part of an object over it; the next sees what it has made", () =>
  mutating(
    {
      mutations: [
        laid(
          "Object{metadata: Object.metadata{labels: {'made': 'here'}}, data: {'n': string(size(object.data))}}",
        ),
        patched("[JSONPatch{op: 'add', path: '/data/seen', value: object.metadata.labels['made']}]"),
      ],
    },
    async () => {
      const { json } = await create({ a: "b" }, "one", 201);
      assert.deepEqual(json.metadata.labels, { made: "here" });
      assert.deepEqual(json.data, { a: "b", n: "1", seen: "here" });
    },
  ));

test("keyed lists are joined, and what is owned as a whole stays", async () => {
  const onPods = {
    resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
  };
  const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "a", image: "a", command: ["x"] }] } };
  const post = (status: number): Promise<Answer> =>
    expect(status, "POST", "/api/v1/namespaces/shop/pods?dryRun=All", pod);
  const container = "Object.spec.containers{name: 'b', image: 'b'}";
  await mutating(
    { matchConstraints: onPods, mutations: [laid(`Object{spec: Object.spec{containers: [${container}]}}`)] },
    async () => {
      const { json } = await post(201);
      assert.deepEqual(
        json.spec.containers.map(({ name }: { name: string }) => name),
        ["a", "b"],
      );
    },
  );
  const command = "Object.spec.containers{name: 'a', command: ['y']}";
  await mutating(
    { matchConstraints: onPods, mutations: [laid(`Object{spec: Object.spec{containers: [${command}]}}`)] },
    async () => {
      const { json } = await post(403);
      assert.equal(
        json.message,
        `pods "p" is forbidden: MutatingAdmissionPolicy 'change' with binding 'change-binding' denied request: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[].command`,
      );
    },
  );
});

test("a mutation that cannot be made refuses the request, or is left out", async () => {
  const mutations = [
    patched("[JSONPatch{op: 'replace', path: '/data', value: 1}]"),
    laid("Object{data: object.nope}"),
  ];
  for (const mutation of mutations) {
    await mutating({ mutations: [mutation] }, async () => void (await create({ a: "b" }, "one", 403)));
    await mutating({ mutations: [mutation], failurePolicy: "Ignore" }, async () => {
      const { json } = await create({ a: "b" }, "one", 201);
      assert.deepEqual(json.data, { a: "b" });
    });
  }
});

test("a policy is asked again after another has changed the object, if it wants that", async () => {
  const count = [patched("[JSONPatch{op: 'add', path: '/data/x' + string(size(object.data)), value: ''}]")];
  const once = { mutations: [laid("Object{data: {'late': ''}}")] };
  for (const [reinvocationPolicy, keys] of [
    ["Never", ["a", "late", "x1"]],
    ["IfNeeded", ["a", "late", "x1", "x3"]],
  ] as const)
    await mutating(
      { mutations: count, reinvocationPolicy },
      () =>
        mutating(
          once,
          async () => {
            const { json } = await create({ a: "b" }, "one", 201);
            assert.deepEqual(Object.keys(json.data).sort(), keys);
          },
          "later",
        ),
      "early",
    );
});

const onDeployments = {
  resourceRules: [
    { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] },
  ],
};
const deployment = (replicas: number): object => ({
  metadata: { name: "web", labels: { app: "web" } },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web" }] },
    },
  },
});
const deploy = (replicas: number, status: number): Promise<Answer> =>
  expect(status, "POST", "/apis/apps/v1/namespaces/shop/deployments?dryRun=All", deployment(replicas));

test("a policy validates a Deployment", () =>
  withPolicy(
    {
      matchConstraints: onDeployments,
      validations: [
        {
          expression: "object.spec.replicas > 1",
          messageExpression: "'wants ' + string(object.spec.replicas) + ' > 1'",
        },
        { expression: "object.spec.template.spec.containers.all(c, c.image == 'web')" },
      ],
    },
    {},
    async () => {
      const { json } = await deploy(1, 422);
      assert.equal(json.message, `deployments.apps "web" is forbidden: ${said} wants 1 > 1`);
      await deploy(2, 201);
    },
  ));

test("expressions refer to variables, which refer to variables", () =>
  withPolicy(
    {
      matchConstraints: onDeployments,
      variables: [
        { name: "replicas", expression: "object.spec.replicas" },
        { name: "oddReplicas", expression: "variables.replicas % 2 == 1" },
      ],
      validations: [{ expression: "variables.replicas > 1" }, { expression: "variables.oddReplicas" }],
    },
    {},
    async () => {
      await deploy(1, 422);
      const { json } = await deploy(2, 422);
      assert.match(json.message, /failed expression: variables\.oddReplicas$/);
      await deploy(3, 201);
    },
  ));

test("a policy changes a Deployment: its replicas, and annotations that were not there", async () => {
  const replicas = laid("Object{spec: Object.spec{replicas: object.spec.replicas + 100}}");
  const annotations = laid(
    "Object{metadata: Object.metadata{annotations: {'my-foo-annotation': 'myAnnotationValue'}}}",
  );
  const sidecar = patched(
    "[JSONPatch{op: 'add', path: '/spec/template/spec/containers/-', value: Object.spec.template.spec.containers{name: 'side', image: 'side'}}]",
  );
  const mutations = [replicas, annotations, sidecar];
  await mutating({ matchConstraints: onDeployments, mutations }, async () => {
    const { json } = await deploy(1, 201);
    assert.equal(json.spec.replicas, 101);
    assert.equal(json.metadata.annotations["my-foo-annotation"], "myAnnotationValue");
    const [, side] = json.spec.template.spec.containers;
    assert.equal(side.name, "side");
    assert.equal(side.imagePullPolicy, "Always", "what is added has its defaults");
  });
});

const autoscaler = {
  metadata: { name: "hpa" },
  spec: {
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 50,
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
  },
};
const onAutoscalersV2 = {
  resourceRules: [
    {
      apiGroups: ["autoscaling"],
      apiVersions: ["v2"],
      operations: ["*"],
      resources: ["horizontalpodautoscalers"],
    },
  ],
};
const scale = (status: number): Promise<Answer> =>
  expect(
    status,
    "POST",
    "/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers?dryRun=All",
    autoscaler,
  );

test("a policy about one version sees requests for another one in its own, unless it wants them exact", async () => {
  const validations = [
    {
      expression: "object.apiVersion != 'autoscaling/v2' || !has(object.spec.metrics)",
      message: "seen as v2",
    },
  ];
  await withPolicy({ matchConstraints: onAutoscalersV2, validations }, {}, async () => {
    const { json } = await scale(422);
    assert.match(json.message, /denied request: seen as v2$/);
  });
  const kinds = [{ expression: "request.kind.version == 'v2' && request.requestKind.version == 'v1'" }];
  await withPolicy(
    { matchConstraints: onAutoscalersV2, validations: kinds },
    {},
    async () => void (await scale(201)),
  );
  const exact = { ...onAutoscalersV2, matchPolicy: "Exact" };
  await withPolicy({ matchConstraints: exact, validations }, {}, async () => void (await scale(201)));
});

test("a policy changes what was asked for in another version", () =>
  mutating(
    {
      matchConstraints: onAutoscalersV2,
      mutations: [
        laid("Object{spec: Object.spec{maxReplicas: object.spec.maxReplicas + 4}}"),
        patched(
          "[JSONPatch{op: 'replace', path: '/spec/metrics/0/resource/target/averageUtilization', value: 70}]",
        ),
      ],
    },
    async () => {
      const { json } = await scale(201);
      assert.equal(json.apiVersion, "autoscaling/v1");
      assert.equal(json.spec.maxReplicas, 7);
      assert.equal(json.spec.targetCPUUtilizationPercentage, 70);
    },
  ));
