import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "#machinery/status.ts";
import { bodyEncoding, errorEncoding, negotiate, type Offer } from "./negotiate.ts";

const protobuf = "application/vnd.kubernetes.protobuf";
const of = "v=v1;g=meta.k8s.io";
const all: Offer = { protobuf: true, views: true };
const custom: Offer = { protobuf: false, views: true };
const withCbor: Offer = { ...all, cbor: true };
const plain = ", application/yaml, application/vnd.kubernetes.protobuf";

function shown(accept: string | undefined, offer: Offer): string {
  try {
    const { encoding, as, contentType, viewVersion } = negotiate(accept, offer);
    return `${encoding} ${as} ${contentType}${as === "object" ? "" : ` ${viewVersion}`}`;
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return `${error.code} ${error.message.replace("only the following media types are accepted: ", "")}`;
  }
}

const rows: [accept: string | undefined, offer: Offer, expected: string][] = [
  [undefined, all, "json object application/json"],
  ["", all, "json object application/json"],
  ["*/*", all, "json object application/json"],
  ["application/*", all, "json object application/json"],
  ["application/json;charset=utf-8", all, "json object application/json"],
  ["APPLICATION/YAML", all, "yaml object application/yaml"],
  [`${protobuf},application/json`, all, `protobuf object ${protobuf}`],
  [`${protobuf},application/json`, custom, "json object application/json"],
  [protobuf, custom, `406 application/json${plain}`],
  ["application/json;q=0.5,application/yaml", all, "yaml object application/yaml"],
  ["text/html", all, `406 application/json${plain}`],
  ["application/cbor", all, `406 application/json${plain}`],
  ["application/cbor", withCbor, "cbor object application/cbor"],
  ["application/cbor,application/json", all, "json object application/json"],
  [`application/json;as=Table;${of}`, all, "json Table application/json meta.k8s.io/v1"],
  [`application/yaml;as=Table;${of}`, all, "yaml Table application/yaml meta.k8s.io/v1"],
  [`${protobuf};as=Table;${of}`, all, `406 application/json${plain}`],
  [`${protobuf};as=Table;${of},application/json`, all, "json object application/json"],
  [
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    all,
    "json Table application/json meta.k8s.io/v1beta1",
  ],
  ["application/json;as=Table;v=v2;g=meta.k8s.io,application/json", all, "json object application/json"],
  ["application/json;as=Pod;v=v1;g=meta.k8s.io", all, `406 application/json${plain}`],
  [`application/json;as=Table;${of}`, { ...all, views: false }, `406 application/json${plain}`],
  [
    `${protobuf};as=PartialObjectMetadata;${of}`,
    custom,
    `protobuf PartialObjectMetadata ${protobuf} meta.k8s.io/v1`,
  ],
  [
    `application/json;as=PartialObjectMetadataList;${of}`,
    all,
    "json PartialObjectMetadataList application/json meta.k8s.io/v1",
  ],
  ["application/json;stream=watch", { ...all, stream: true }, "json object application/json"],
  [protobuf, { ...all, stream: true }, `protobuf object ${protobuf};stream=watch`],
  ["application/cbor", { ...withCbor, stream: true }, "cbor object application/cbor-seq"],
  ["application/cbor-seq", { ...withCbor, stream: true }, "cbor object application/cbor-seq"],
  [
    "application/yaml",
    { ...all, stream: true },
    `406 application/json;stream=watch, ${protobuf};stream=watch`,
  ],
];
for (const [accept, offer, expected] of rows)
  test(`${accept ?? "nothing"} of ${JSON.stringify(offer)}`, () =>
    assert.equal(shown(accept, offer), expected));

test("failures are told in an encoding that was asked for", () => {
  const asked: [string | undefined, string][] = [
    [undefined, "json"],
    ["text/html", "json"],
    [protobuf, "protobuf"],
    [`application/json;as=Table;${of},application/yaml`, "yaml"],
    [`text/html,${protobuf};q=0.5`, "protobuf"],
    ["application/cbor", "json"],
  ];
  for (const [accept, expected] of asked) assert.equal(errorEncoding(accept, {}), expected, accept);
  assert.equal(errorEncoding("application/cbor", { cbor: true }), "cbor");
});

test("bodies", () => {
  assert.equal(bodyEncoding(undefined), "json");
  assert.equal(bodyEncoding(" application/YAML ; charset=utf-8"), "yaml");
  assert.equal(bodyEncoding("application/cbor", { cbor: true }), "cbor");
  for (const type of ["application/cbor", "application/*", "*/*", "text/plain", "application/cbor-seq"])
    assert.throws(
      () => bodyEncoding(type),
      (error) =>
        error instanceof ApiError &&
        error.code === 415 &&
        error.message ===
          `the body of the request was in an unknown format - accepted media types include: application/json${plain}`,
      type,
    );
});
