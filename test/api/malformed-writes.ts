// Writes that cannot be: options, updates, deletions.

import { because, configMaps, controllers, del, named, post, put, row, type Malformed } from "./malformed.ts";

const held = `${configMaps}/held`;
const heldRc = `${controllers}/held`;
const stale =
  'Operation cannot be fulfilled on configmaps "held": the object has been modified; please apply your changes to the latest version and try again';
const writes: Malformed[] = [
  post(
    "field validation",
    `${configMaps}?fieldValidation=Maybe`,
    named({ name: "a" }),
    422,
    'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
  ),
  post(
    "dry run",
    `${configMaps}?dryRun=Some`,
    named({ name: "a" }),
    422,
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
  ),
  post(
    "long field manager",
    `${configMaps}?fieldManager=${"m".repeat(129)}`,
    named({ name: "a" }),
    422,
    "fieldManager: Too long: may not be more than 128 bytes",
  ),
  post(
    "field manager that rings",
    `${configMaps}?fieldManager=a%07`,
    named({ name: "a" }),
    422,
    "fieldManager: Invalid value",
    "invalid character U+0007 (at position 1)",
  ),
  put(
    "update: another name",
    held,
    named({ name: "other" }),
    400,
    "the name of the object (other) does not match the name on the URL (held)",
  ),
  put(
    "update: no name",
    held,
    named({}),
    400,
    "the name of the object (held based on URL) was undeterminable: name must be provided",
  ),
  put(
    "update: another namespace",
    held,
    named({ name: "held", namespace: "other" }),
    400,
    "the namespace of the provided object does not match the namespace sent on the request",
  ),
  because("Conflict", put("update: stale", held, named({ name: "held", resourceVersion: "1" }), 409, stale)),
  because(
    "Conflict",
    put(
      "update: another uid",
      held,
      named({ name: "held", uid: "u" }),
      409,
      "Precondition failed: UID in precondition: u, UID in object meta: ",
    ),
  ),
  put("update: not there", `${configMaps}/gone`, named({ name: "gone" }), 404, 'configmaps "gone" not found'),
  put(
    "update: another birthday",
    held,
    named({ name: "held", creationTimestamp: "2016-01-01T00:00:00Z" }),
    422,
    'metadata.creationTimestamp: Invalid value: "2016-01-01T00:00:00Z": field is immutable',
  ),
  put(
    "update: immutable data",
    `${configMaps}/frozen`,
    named({ name: "frozen" }, { immutable: true, data: { a: "2" } }),
    422,
    "data: Forbidden: field is immutable when `immutable` is set",
  ),
  put(
    "update: secret of another type",
    "/api/v1/namespaces/default/secrets/held",
    named({ name: "held" }, { type: "other" }),
    422,
    'type: Invalid value: "other": field is immutable',
  ),
  put(
    "scale: below nothing",
    `${heldRc}/scale`,
    named({ name: "held" }, { spec: { replicas: -1 } }),
    422,
    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
  ),
  put(
    "scale: another kind",
    `${heldRc}/scale`,
    { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "held" } },
    400,
    'ConfigMap in version "v1" cannot be handled as a Scale',
  ),
  because(
    "Conflict",
    put(
      "scale: stale",
      `${heldRc}/scale`,
      named({ name: "held", resourceVersion: "1" }, { spec: { replicas: 2 } }),
      409,
      "the object has been modified",
    ),
  ),
];

const deletes: Malformed[] = [
  del(
    "deletion: policy",
    held,
    { propagationPolicy: "Slowly" },
    422,
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Slowly": supported values: "Foreground", "Background", "Orphan", "nil"',
  ),
  del(
    "deletion: two policies",
    held,
    { propagationPolicy: "Orphan", orphanDependents: true },
    422,
    'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  ),
  del(
    "deletion: grace in words",
    held,
    { gracePeriodSeconds: "soon" },
    400,
    "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
  ),
  del(
    "deletion: preconditions in words",
    held,
    { preconditions: "x" },
    400,
    "cannot unmarshal string into Go struct field DeleteOptions.preconditions of type",
  ),
  del("deletion: a list", held, [], 400, "cannot unmarshal array into Go value"),
  del(
    "deletion: another kind",
    held,
    { kind: "Pod", apiVersion: "v1" },
    400,
    'Pod in version "v1" cannot be handled as a DeleteOptions',
  ),
  del(
    "deletion: dry run",
    held,
    { dryRun: ["Some"] },
    422,
    'dryRun: Unsupported value: ["Some"]: supported values: "All"',
  ),
  row("DELETE", "deletion: grace of the query in words", `${held}?gracePeriodSeconds=soon`, [
    400,
    'strconv.ParseInt: parsing "soon": invalid syntax',
  ]),
  because(
    "Conflict",
    del(
      "deletion: another uid",
      held,
      { preconditions: { uid: "u" } },
      409,
      "Precondition failed: UID in precondition: u, UID in object meta: ",
    ),
  ),
  because(
    "Conflict",
    del(
      "deletion: stale",
      held,
      { preconditions: { resourceVersion: "1" } },
      409,
      "Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: ",
    ),
  ),
  row("DELETE", "deletion: not there", `${configMaps}/gone`, [404, 'configmaps "gone" not found']),
  because(
    "Forbidden",
    row("DELETE", "deletion of kube-system", "/api/v1/namespaces/kube-system", [
      403,
      'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    ]),
  ),
  row("DELETE", "deletion of a selection that is none", `${configMaps}?labelSelector=a%20b`, [
    400,
    "unable to parse requirement",
  ]),
];

export const malformedWrites = [...writes, ...deletes];
