// Bodies that are not what they claim to be: broken JSON, YAML and protobuf, wrong types, bombs.

import { because, configMaps, pods, post, row, yaml, type Malformed } from "./malformed.ts";

const unread =
  "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ";
const cannot = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: ';
const strict = `${configMaps}?fieldValidation=Strict`;
const text = (name: string, body: string, ...says: [number, ...string[]]): Malformed =>
  post(`JSON: ${name}`, strict, body, ...says);
const typed = (type: string, name: string, body: unknown, ...says: [number, ...string[]]): Malformed =>
  row("POST", name, configMaps, says, body, { "content-type": type });

const bomb = [
  "a: &a [x, x, x, x, x, x, x, x, x]",
  ...["a", "b", "c", "d", "e", "f", "g"].map(
    (name, at) => `${"bcdefgh"[at]}: &${"bcdefgh"[at]} [${Array(9).fill(`*${name}`).join(", ")}]`,
  ),
].join("\n");

const json: Malformed[] = [
  text("nothing at all", " ", 400, unread, "unexpected end of JSON input"),
  text("a word", "hello", 400, unread, "invalid character 'h' looking for beginning of value"),
  text("cut off", '{"kind":"ConfigMap"', 400, unread, "unexpected end of JSON input"),
  text("cut off in a string", '{"kind":"Conf', 400, unread, "unexpected end of JSON input"),
  text(
    "trailing comma",
    '{"a":1,}',
    400,
    unread,
    "invalid character '}' looking for beginning of object key string",
  ),
  text("single quotes", "{'a':1}", 400, unread, "looking for beginning of object key string"),
  text("two values", "{} {}", 400, unread, "invalid character '{' after top-level value"),
  text("line break in a string", '{"a":"x\ny"}', 400, unread, "in string literal"),
  text("unknown escape", '{"a":"\\x"}', 400, unread, "in string escape code"),
  text("half a \\u escape", '{"a":"\\u12"}', 400, unread, "in \\u hexadecimal character escape"),
  text("leading zero", '{"a":01}', 400, unread, "invalid character '1' after object key:value pair"),
  text("not a number", '{"a":NaN}', 400, unread, "invalid character 'N' looking for beginning of value"),
  text("a list", "[]", 400, unread, "json: cannot unmarshal array into Go value"),
  text("a string", '"x"', 400, unread, "json: cannot unmarshal string into Go value"),
  text("a number", "5", 400, unread, "json: cannot unmarshal number into Go value"),
  text(
    "null is an empty object",
    "null",
    422,
    "metadata.name: Required value: name or generateName is required",
  ),
  text("100,000 open brackets", `{"data":${"[".repeat(100_000)}`, 400, "exceeded max depth"),
  text("50,000 nested objects", `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`, 400, "exceeded max depth"),
  text(
    "over three megabytes",
    `{"data":{"x":"${"x".repeat(3 * 1024 * 1024)}"}}`,
    413,
    "Request entity too large: limit is 3145728",
  ),
  text(
    "a kind that is a number",
    '{"kind":5}',
    400,
    unread,
    "cannot unmarshal number into Go struct field .kind of type string",
  ),
  text(
    "an apiVersion that is a list",
    '{"apiVersion":[]}',
    400,
    unread,
    "cannot unmarshal array into Go struct field .apiVersion of type string",
  ),
  text(
    "duplicate key",
    '{"metadata":{"name":"a","name":"b"}}',
    400,
    cannot,
    'strict decoding error: duplicate field "metadata.name"',
  ),
  text(
    "unknown field",
    '{"metadata":{"name":"a"},"spec":{}}',
    400,
    cannot,
    'strict decoding error: unknown field "spec"',
  ),
  text(
    "unknown nested fields",
    '{"metadata":{"name":"a","nme":1,"lbls":{}}}',
    400,
    'unknown field "metadata.nme", unknown field "metadata.lbls"',
  ),
  text(
    "__proto__ as a field",
    '{"metadata":{"name":"a"},"__proto__":{"data":{"x":"1"}}}',
    400,
    'unknown field "__proto__"',
  ),
  text(
    "constructor as a field",
    '{"metadata":{"name":"a","constructor":{"prototype":1}}}',
    400,
    'unknown field "metadata.constructor"',
  ),
  text(
    "__proto__ as metadata",
    '{"__proto__":{"metadata":{"name":"inherited"}}}',
    400,
    'unknown field "__proto__"',
  ),
  text(
    "__proto__ as a label",
    '{"metadata":{"name":"a","labels":{"__proto__":"x"}}}',
    422,
    'metadata.labels: Invalid value: "__proto__": name part must consist of',
  ),
];

const types: Malformed[] = [
  text(
    "metadata is a string",
    '{"metadata":"x"}',
    400,
    cannot,
    "json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta",
  ),
  text(
    "data holds a number",
    '{"metadata":{"name":"a"},"data":{"a":1}}',
    400,
    cannot,
    "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
  ),
  text(
    "labels are a list",
    '{"metadata":{"labels":[]}}',
    400,
    cannot,
    "cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
  ),
  text(
    "immutable is infinite",
    '{"immutable":1e999}',
    400,
    cannot,
    "cannot unmarshal number into Go struct field ConfigMap.immutable of type bool",
  ),
  text("bad base64", '{"binaryData":{"a":"%%%"}}', 400, cannot, "illegal base64 data at input byte 0"),
  text("bad time", '{"metadata":{"creationTimestamp":"yesterday"}}', 400, cannot, 'parsing time "yesterday"'),
  post(
    "a port as text",
    pods,
    podWith({ ports: [{ containerPort: "80" }] }),
    400,
    "cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
  ),
  post(
    "half a port",
    pods,
    podWith({ ports: [{ containerPort: 80.5 }] }),
    400,
    "cannot unmarshal number 80.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
  ),
  post("a port beyond 32 bits", pods, podWith({ ports: [{ containerPort: 2 ** 40 }] }), 400, "of type int32"),
  post(
    "an impossible quantity",
    pods,
    podWith({ resources: { limits: { cpu: "lots" } } }),
    400,
    "quantities must match the regular expression",
  ),
  post(
    "containers are an object",
    pods,
    { metadata: { name: "a" }, spec: { containers: {} } },
    400,
    "cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
  ),
  post(
    "another kind",
    configMaps,
    { kind: "Pod", apiVersion: "v1" },
    400,
    'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to',
  ),
  post(
    "an unknown kind",
    configMaps,
    { kind: "Frob", apiVersion: "v1" },
    400,
    'Frob in version "v1" cannot be handled as a ConfigMap: no kind "Frob" is registered for version "v1"',
  ),
  post(
    "an unknown version",
    configMaps,
    { kind: "ConfigMap", apiVersion: "example.com/v9" },
    400,
    'ConfigMap in version "v9" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "example.com/v9"',
  ),
  post(
    "a kind of another group",
    configMaps,
    { kind: "Lease", apiVersion: "coordination.k8s.io/v1" },
    400,
    'Lease in version "v1" cannot be handled as a ConfigMap: converting (v1.Lease) to',
  ),
  post(
    "a list where an object goes",
    configMaps,
    { kind: "ConfigMapList", apiVersion: "v1", items: [] },
    400,
    'ConfigMapList in version "v1" cannot be handled as a ConfigMap: converting',
  ),
];

function podWith(container: object): object {
  return { metadata: { name: "a" }, spec: { containers: [{ name: "a", image: "a", ...container }] } };
}

const yamlRows: Malformed[] = [
  yaml("tab as indent", "metadata:\n\tname: a", 400, "yaml: line 2: found"),
  yaml("mapping in a value", "a: b: c", 400, "mapping values are not allowed in this context"),
  yaml("open quote", 'a: "b', 400, "found unexpected end of stream"),
  yaml("open flow list", "a: [1, 2", 400, "did not find expected ',' or ']'"),
  yaml("open flow map", "a: {b: 1", 400, "did not find expected ',' or '}'"),
  yaml("a scalar", "hello", 400, "json: cannot unmarshal string into Go value"),
  yaml("a list", "- a\n- b", 400, "json: cannot unmarshal array into Go value"),
  yaml("only a comment", "# nothing", 422, "metadata.name: Required value"),
  yaml("unknown anchor", "a: *x", 400, "yaml: unknown anchor 'x' referenced"),
  yaml("anchor in itself", "a: &a [*a]", 400, "yaml: anchor 'a' value contains itself"),
  yaml("alias bomb", bomb, 400, "yaml: document contains excessive aliasing"),
  yaml(
    "alias bomb under data",
    `data:\n  ${bomb.replaceAll("\n", "\n  ")}`,
    400,
    "yaml: document contains excessive aliasing",
  ),
  yaml(
    "merge bomb",
    `a: &a {x: 1}\nb: &b {<<: *a, y: *a}\n<<: 5`,
    400,
    "map merge requires map or sequence of maps as the value",
  ),
  yaml("20,000 open brackets", `a: ${"[".repeat(20_000)}`, 400, "yaml: "),
  yaml(
    "duplicate key",
    "metadata:\n  name: a\n  name: b",
    400,
    cannot,
    'line 3: key "name" already set in map',
  ),
  yaml("a list as a key", "? [a]\n: b", 400, "invalid map key"),
  yaml("not a number", "metadata: {name: a}\ndata: {a: .nan}", 400, "json: unsupported value: NaN"),
  yaml(
    "a bare number in data",
    "metadata: {name: a}\ndata: {a: 1}",
    400,
    "cannot unmarshal number into Go struct field ConfigMap.data of type string",
  ),
  yaml(
    "yes is a word with a meaning",
    "metadata: {name: a}\ndata: {a: yes}",
    400,
    "cannot unmarshal bool into Go struct field ConfigMap.data of type string",
  ),
  yaml("__proto__", "metadata: {name: a}\n__proto__: {data: {x: '1'}}", 400, 'unknown field "__proto__"'),
];

const encodings: Malformed[] = [
  typed(
    "application/vnd.kubernetes.protobuf",
    "protobuf without its magic",
    Buffer.from("not protobuf"),
    400,
    "the object provided is unrecognized (must be of type ConfigMap)",
  ),
  typed(
    "application/vnd.kubernetes.protobuf",
    "protobuf cut off",
    Buffer.from([0x6b, 0x38, 0x73, 0, 0x0a, 0x7f, 1]),
    400,
    "",
  ),
  typed(
    "application/vnd.kubernetes.protobuf",
    "protobuf: noise after the magic",
    Buffer.from([0x6b, 0x38, 0x73, 0, ...Array<number>(64).fill(0xff)]),
    400,
    "",
  ),
  typed(
    "text/html",
    "HTML",
    "<p>",
    415,
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  ),
  typed("application/x-www-form-urlencoded", "a form", "a=b", 415, "accepted media types include"),
  typed("*/*", "any type", "{}", 415, "accepted media types include"),
  because(
    "BadRequest",
    typed(
      "application/json",
      "gzip where JSON goes",
      Buffer.from([0x1f, 0x8b, 8, 0, 1]),
      400,
      unread,
      "(1f8b080001)",
    ),
  ),
];

export const malformedBodies = [...json, ...types, ...yamlRows, ...encodings];
