import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import type { CustomResourceDefinition } from "#machinery/gen/types/apiextensions-v1.ts";
import { customResourceDefinition } from "./custom-resource-definition.ts";
import { validateDefinition, validateDefinitionUpdate } from "./definition-validation.ts";

type Crd = CustomResourceDefinition;

const valid = (): Crd => {
  const crd: Crd = {
    metadata: { name: "boats.sea.example.com" },
    spec: {
      group: "sea.example.com",
      scope: "Namespaced",
      names: { plural: "boats", kind: "Boat" },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
      ],
    },
  };
  customResourceDefinition.applyDefaults(crd);
  return crd;
};

const version = (crd: Crd) => crd.spec.versions[0] as Crd["spec"]["versions"][number];
const label =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const webhook = (clientConfig: object, conversionReviewVersions = ["v1"]) => ({
  strategy: "Webhook",
  webhook: { clientConfig, conversionReviewVersions },
});

const rows: readonly [name: string, change: (crd: Crd) => void, ...errors: string[]][] = [
  ["as it should be", () => undefined],
  [
    "another name",
    (crd) => void (crd.metadata = { name: "x" }),
    `metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group`,
  ],
  [
    "a group without a dot",
    (crd) => {
      crd.spec.group = "sea";
      crd.metadata = { name: "boats.sea" };
    },
    `spec.group: Invalid value: "sea": should be a domain with at least one dot`,
  ],
  ["no scope", (crd) => void (crd.spec.scope = ""), "spec.scope: Required value"],
  [
    "another scope",
    (crd) => void (crd.spec.scope = "World"),
    `spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"`,
  ],
  [
    "names that are no names",
    (crd) =>
      Object.assign(crd.spec.names, { singular: "A b", shortNames: ["-"], categories: ["X"], kind: "1" }),
    `spec.names.singular: Invalid value: "A b": ${label}`,
    `spec.names.shortNames[0]: Invalid value: "-": ${label}`,
    `spec.names.kind: Invalid value: "1": may have mixed case, but should otherwise match: ${label}`,
    `spec.names.categories[0]: Invalid value: "X": ${label}`,
  ],
  [
    "one name for kind and list",
    (crd) => void (crd.spec.names.listKind = "Boat"),
    `spec.names.listKind: Invalid value: "Boat": kind and listKind may not be the same`,
  ],
  [
    "no schema",
    (crd) => delete version(crd).schema,
    "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
  ],
  [
    "no stored version",
    (crd) => void (version(crd).storage = false),
    `spec.versions: Invalid value: [{"name":"v1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}}]: must have exactly one version marked as storage version`,
  ],
  [
    "a warning of a version that is not deprecated",
    (crd) => void (version(crd).deprecationWarning = "old"),
    `spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions`,
  ],
  [
    "unknown fields kept everywhere",
    (crd) => void (crd.spec.preserveUnknownFields = true),
    "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
  ],
  [
    "a scale without paths",
    (crd) =>
      void (version(crd).subresources = { scale: { specReplicasPath: ".replicas", statusReplicasPath: "" } }),
    `spec.subresources.scale.specReplicasPath: Invalid value: ".replicas": should be a json path under .spec`,
    "spec.subresources.scale.statusReplicasPath: Required value",
  ],
  [
    "columns",
    (crd) =>
      void (version(crd).additionalPrinterColumns = [
        { name: "", type: "text", jsonPath: "spec.a", format: "x" },
        { name: "a", type: "", jsonPath: "" },
      ]),
    "spec.additionalPrinterColumns[0].name: Required value",
    `spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string`,
    `spec.additionalPrinterColumns[0].format: Invalid value: "x": must be one of byte,date,date-time,double,float,int32,int64,password`,
    `spec.additionalPrinterColumns[0].jsonPath: Invalid value: "spec.a": must be a simple json path starting with .`,
    "spec.additionalPrinterColumns[1].type: Required value: must be one of boolean,date,integer,number,string",
    "spec.additionalPrinterColumns[1].jsonPath: Required value",
  ],
  [
    "a strategy that nobody knows",
    (crd) => void (crd.spec.conversion = { strategy: "Magic" }),
    `spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"`,
  ],
  [
    "a webhook where none is used",
    (crd) => void (crd.spec.conversion = { ...webhook({ url: "https://x" }), strategy: "None" }),
    "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook",
    "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
  ],
  [
    "a webhook at two places",
    (crd) =>
      void (crd.spec.conversion = webhook({ url: "https://x", service: { name: "a", namespace: "b" } })),
    "spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required",
  ],
  [
    "authorities that are none",
    (crd) => void (crd.spec.conversion = webhook({ url: "https://x", caBundle: "Zm9v" })),
    `spec.conversion.webhookClientConfig.caBundle: Invalid value: "Zm9v": unable to load root certificates: unable to parse bytes as PEM block`,
  ],
  [
    "a webhook without TLS",
    (crd) => void (crd.spec.conversion = webhook({ url: "http://x/y" })),
    `spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
  ],
  [
    "reviews that nobody knows",
    (crd) => void (crd.spec.conversion = webhook({ url: "https://x" }, ["v9"])),
    `spec.conversion.conversionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1`,
  ],
  [
    "a group of the system",
    (crd) => {
      crd.spec.group = "sea.k8s.io";
      crd.metadata = { name: "boats.sea.k8s.io" };
    },
    `metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111`,
  ],
];

for (const [name, change, ...errors] of rows)
  test(`a definition: ${name}`, () => {
    const crd = valid();
    change(crd);
    assert.deepEqual(validateDefinition(crd).map(fieldErrorMessage), errors);
  });

test("what may not change", () => {
  const old = valid();
  old.status = { conditions: [{ type: "Established", status: "True" }], storedVersions: ["v1"] };
  const next = structuredClone(old);
  next.spec.scope = "Cluster";
  next.spec.names.kind = "Ship";
  next.spec.versions = [{ ...version(next), name: "v2" }];
  assert.deepEqual(validateDefinitionUpdate(next, old).map(fieldErrorMessage), [
    `spec.scope: Invalid value: "Cluster": field is immutable`,
    `spec.names.kind: Invalid value: "Ship": field is immutable`,
    `status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions`,
    `status.storedVersions: Invalid value: ["v1"]: must have the storage version v2`,
  ]);
});

test("defaults, and what creation and deletion set", () => {
  const crd = valid();
  assert.equal(crd.spec.names.singular, "boat");
  assert.equal(crd.spec.names.listKind, "BoatList");
  assert.deepEqual(crd.spec.conversion, { strategy: "None" });
  const context = {
    nowMs: 0,
    settings: { serviceClusterIpRanges: [], serviceNodePortRange: { from: 1, to: 2 } },
  };
  customResourceDefinition.prepareForCreate(crd, context);
  assert.deepEqual(crd.status?.storedVersions, ["v1"]);
  customResourceDefinition.prepareForDelete?.(crd, context);
  assert.deepEqual(crd.metadata?.finalizers, ["customresourcecleanup.apiextensions.k8s.io"]);
});
