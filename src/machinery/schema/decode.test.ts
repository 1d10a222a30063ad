import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeObject, DecodeError } from "./decode.ts";
import { schemaFor } from "./schema.ts";

const schema = (kind: string) => {
  const found = schemaFor("", "v1", kind);
  assert.ok(found);
  return found;
};
const decode = (kind: string, json: string) => decodeObject(schema(kind), JSON.parse(json));

// What is sent → what is kept.
const kept: [string, string, string][] = [
  ["Namespace", "{}", '{"metadata":{},"spec":{},"status":{}}'],
  [
    "Namespace",
    '{"spec":null,"apiVersion":"v1","kind":"Namespace"}',
    '{"kind":"Namespace","apiVersion":"v1","metadata":{},"spec":{},"status":{}}',
  ],
  ["ConfigMap", '{"data":{"b":"2","a":"1"},"binaryData":{}}', '{"metadata":{},"data":{"a":"1","b":"2"}}'],
  ["ConfigMap", '{"immutable":false}', '{"metadata":{},"immutable":false}'],
  ["ConfigMap", '{"data":{"__proto__":"x"}}', '{"metadata":{},"data":{"__proto__":"x"}}'],
  ["ConfigMap", '{"data":{"a":null}}', '{"metadata":{},"data":{"a":""}}'],
  [
    "Service",
    '{"spec":{"ports":[{"port":80}]}}',
    '{"metadata":{},"spec":{"ports":[{"port":80,"targetPort":0}]},"status":{"loadBalancer":{}}}',
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"name":"a","args":[],"tty":false,"resources":{"limits":{"cpu":1,"memory":"1024Mi"}}}]}}',
    '{"metadata":{},"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]},"status":{}}',
  ],
  [
    "ConfigMap",
    '{"metadata":{"creationTimestamp":"2020-01-01T01:30:00.5+02:00"}}',
    '{"metadata":{"creationTimestamp":"2019-12-31T23:30:00Z"}}',
  ],
  ["Secret", '{"data":{"a":"YQ==\\n"}}', '{"metadata":{},"data":{"a":"YQ=="}}'],
];
for (const [kind, sent, want] of kept) {
  test(`${kind} ${sent}`, () => assert.equal(JSON.stringify(decode(kind, sent).object), want));
}

// What is sent → the error.
const refused: [string, string, string][] = [
  [
    "Pod",
    '{"spec":{"containers":"a"}}',
    "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"image":"b","name":5}]}}',
    "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
  ],
  [
    "Pod",
    '{"metadata":{"labels":{"a":1}}}',
    "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
  ],
  [
    "Pod",
    '{"metadata":{"labels":["a"]}}',
    "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"imagePullPolicy":true}]}}',
    "json: cannot unmarshal bool into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy",
  ],
  [
    "ReplicationController",
    '{"spec":{"replicas":1.5}}',
    "json: cannot unmarshal number 1.5 into Go struct field ReplicationControllerSpec.spec.replicas of type int32",
  ],
  [
    "ReplicationController",
    '{"spec":{"replicas":"4"}}',
    "json: cannot unmarshal string into Go struct field ReplicationControllerSpec.spec.replicas of type int32",
  ],
  [
    "Service",
    '{"spec":{"ports":[{"targetPort":true}]}}',
    "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32",
  ],
  [
    "Pod",
    '{"spec":{"volumes":[{"hostPath":"x"}]}}',
    "json: cannot unmarshal string into Go struct field Volume.spec.volumes.hostPath of type v1.HostPathVolumeSource",
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}',
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    "Pod",
    '{"metadata":{"creationTimestamp":"foo"}}',
    'parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"',
  ],
  ["Secret", '{"data":{"a":"a b"}}', "illegal base64 data at input byte 1"],
  ["Pod", "[]", "json: cannot unmarshal array into Go value of type v1.Pod"],
  // Several: the first in the document is told.
  [
    "Pod",
    '{"spec":{"restartPolicy":1},"metadata":{"name":2}}',
    "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
  ],
];
for (const [kind, sent, want] of refused) {
  test(`${kind} ${sent} is refused`, () => {
    assert.throws(
      () => decode(kind, sent),
      (thrown) => thrown instanceof DecodeError && thrown.message === want,
    );
  });
}

test("unknown fields are dropped and reported with their paths", () => {
  const sent =
    '{"id":"x","spec":{"foo":1,"containers":[{"name":"a"},{"Name":"b","__proto__":{}}]},"metadata":{"labels":{"x":"y"}}}';
  const { object, strictErrors } = decode("Pod", sent);
  assert.deepEqual(strictErrors, [
    'unknown field "id"',
    'unknown field "spec.foo"',
    'unknown field "spec.containers[1].Name"',
    'unknown field "spec.containers[1].__proto__"',
  ]);
  assert.equal(
    JSON.stringify(object),
    '{"metadata":{"labels":{"x":"y"}},"spec":{"containers":[{"name":"a","resources":{}},{"name":"","resources":{}}]},"status":{}}',
  );
});

test("fields that are known to be decoded are taken as they are, in their places", () => {
  const spec = { containers: [{ name: "a" }], foo: 1 };
  const value = { spec, id: "x", kind: "Pod", metadata: { name: "n", labels: {} } };
  const schema = schemaFor("", "v1", "Pod");
  assert.ok(schema !== undefined);
  const { object, strictErrors } = decodeObject(schema, value, (field) => field === "spec" || field === "id");
  assert.equal((object as { spec: unknown }).spec, spec);
  assert.deepEqual(Object.keys(object as object), ["kind", "metadata", "spec", "status"]);
  assert.deepEqual(strictErrors, ['unknown field "id"']);
});
