// Requests that ask for what cannot be: selectors, lists, methods, paths.

import { configMaps, get, patch, pods, post, put, row, type Malformed } from "./malformed.ts";

const held = `${configMaps}/held`;
const selector = (name: string, text: string, ...says: [number, ...string[]]): Malformed =>
  get(`label selector: ${name}`, `${configMaps}?labelSelector=${encodeURIComponent(text)}`, ...says);
const fields = (name: string, path: string, text: string, ...says: [number, ...string[]]): Malformed =>
  get(`field selector: ${name}`, `${path}?fieldSelector=${encodeURIComponent(text)}`, ...says);
const token = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const listOptions = 'ListOptions.meta.k8s.io "" is invalid: ';

const selectors: Malformed[] = [
  selector("open set", "a in (b", 400, "unable to parse requirement: found '', expected: ',' or ')'"),
  selector("no key", "=x", 400, "found '=', expected: !, identifier, or 'end of string'"),
  selector(
    "two words",
    "a b",
    400,
    "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  ),
  selector("trailing comma", "a=b,", 400, "found '', expected: identifier after ','"),
  selector("two values", "a=b c", 400, "found 'c', expected: ',' or 'end of string'"),
  selector("bad key", "a/b/c=d", 400, 'unable to parse requirement: <nil>: Invalid value: "a/b/c"'),
  selector(
    "bad value",
    "a=-",
    400,
    'unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be',
  ),
  selector("more than a word", "a>b", 400, "for 'Gt', 'Lt' operators, the value must be an integer"),
  fields(
    "no operator",
    pods,
    "status.phase",
    400,
    "invalid selector: 'status.phase'; can't understand 'status.phase'",
  ),
  fields("unknown field of a pod", pods, "spec.bogus=x", 400, "field label not supported: spec.bogus"),
  fields(
    "unknown field of a config map",
    configMaps,
    "data.a=x",
    400,
    '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ),
  fields("bad escape", pods, "metadata.name=a\\b", 400, "invalid field selector: metadata.name=a\\b"),
];

const lists: Malformed[] = [
  get("limit in words", `${configMaps}?limit=ten`, 400, 'strconv.ParseInt: parsing "ten": invalid syntax'),
  get(
    "timeout in words",
    `${configMaps}?timeoutSeconds=soon`,
    400,
    'strconv.ParseInt: parsing "soon": invalid syntax',
  ),
  get(
    "continue: not base64",
    `${configMaps}?continue=${encodeURIComponent("!")}`,
    400,
    "invalid continue token: continue key is not valid: illegal base64 data",
  ),
  get(
    "continue: not JSON",
    `${configMaps}?continue=aGVsbG8`,
    400,
    "invalid continue token: continue key is not valid: invalid character 'h' looking for beginning of value",
  ),
  get(
    "continue: another version",
    `${configMaps}?continue=${token({ v: "v9", rv: 1, start: "a" })}`,
    400,
    "continue key is not valid: server does not recognize this encoded version v9",
  ),
  get(
    "continue: no revision",
    `${configMaps}?continue=${token({ v: "meta.k8s.io/v1", start: "a" })}`,
    400,
    "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
  ),
  get(
    "continue: no start",
    `${configMaps}?continue=${token({ v: "meta.k8s.io/v1", rv: 1 })}`,
    400,
    "continue key is not valid: encoded start key empty (version meta.k8s.io/v1)",
  ),
  get(
    "continue: climbing out",
    `${configMaps}?continue=${token({ v: "meta.k8s.io/v1", rv: 1, start: "../secrets/" })}`,
    400,
    "continue key is not valid: ../secrets/",
  ),
  get(
    "continue with a version",
    `${configMaps}?continue=${token({ v: "meta.k8s.io/v1", rv: 1, start: "a" })}&resourceVersion=5`,
    400,
    "specifying resource version is not allowed when using continue",
  ),
  get(
    "resource version in words",
    `${configMaps}?resourceVersion=new`,
    400,
    'resourceVersion: Invalid value: "new": strconv.ParseUint: parsing "new": invalid syntax',
  ),
  get("negative resource version", `${held}?resourceVersion=-1`, 400, 'resourceVersion: Invalid value: "-1"'),
  get(
    "watch from a version in words",
    `${configMaps}?watch=1&resourceVersion=new`,
    400,
    'resourceVersion: Invalid value: "new"',
  ),
  get(
    "match without a version",
    `${configMaps}?resourceVersionMatch=Exact`,
    422,
    listOptions,
    "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
  ),
  get(
    "exactly any version",
    `${configMaps}?resourceVersion=0&resourceVersionMatch=Exact`,
    422,
    'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
  ),
  get(
    "unknown match",
    `${configMaps}?resourceVersion=1&resourceVersionMatch=Newest`,
    422,
    'resourceVersionMatch: Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""',
  ),
  get(
    "initial events of a list",
    `${configMaps}?sendInitialEvents=true`,
    422,
    listOptions,
    "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
  ),
  get(
    "watch with a match",
    `${configMaps}?watch=true&resourceVersionMatch=NotOlderThan`,
    422,
    "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
  ),
  get(
    "initial events without a match",
    `${configMaps}?watch=true&sendInitialEvents=true`,
    422,
    "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
  ),
  row(
    "GET",
    "table of everything",
    `${configMaps}?includeObject=Everything`,
    [
      400,
      "Unable to convert to Table as requested: includeObject: Invalid value: \"Everything\": must be 'Metadata', 'Object', 'None', or empty",
    ],
    undefined,
    { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
  ),
  row(
    "GET",
    "HTML, please",
    configMaps,
    [
      406,
      "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    ],
    undefined,
    { accept: "text/html" },
  ),
  row(
    "GET",
    "a view that is none",
    configMaps,
    [406, "only the following media types are accepted"],
    undefined,
    { accept: "application/json;as=Chart;v=v1;g=meta.k8s.io" },
  ),
];

const noMethod = "the server does not allow this method on the requested resource";
const noPath = "the server could not find the requested resource";
const paths: Malformed[] = [
  post("method: create under a name", held, {}, 405, noMethod),
  put("method: update of a collection", configMaps, {}, 405, noMethod),
  patch("merge", "of a collection", configMaps, {}, 405, noMethod),
  post("method: pod without a namespace", "/api/v1/pods", {}, 405, noMethod),
  row("DELETE", "method: all pods of all namespaces", "/api/v1/pods", [405, noMethod]),
  row("DELETE", "method: all namespaces", "/api/v1/namespaces", [405, noMethod]),
  row("OPTIONS", "method: options", configMaps, [405, noMethod]),
  post("method: create of a status", `${pods}/held/status`, {}, 405, noMethod),
  post("method: component status", "/api/v1/componentstatuses", {}, 405, noMethod),
  get("path: resource", "/api/v1/namespaces/default/frobs", 404, noPath),
  get("path: group", "/apis/example.com/v1/frobs", 404, noPath),
  get("path: version", "/api/v9/pods", 404, noPath),
  get("path: subresource", `${held}/frob`, 404, noPath),
  get("path: status of what has none", `${held}/status`, 404, noPath),
  put("path: scale of what has none", `${held}/scale`, {}, 404, noPath),
  get("path: pod without a namespace", "/api/v1/pods/held", 404, noPath),
  get("path: node in a namespace", "/api/v1/namespaces/default/nodes/held", 404, noPath),
  get("path: nowhere", "/frob", 404, noPath),
  get("path: the dashboard of 2016", "/ui", 404, "the dashboard is not installed"),
  get(
    "name: with a slash",
    `${configMaps}/a%2Fb`,
    400,
    "Name parameter invalid: \"a/b\": may not contain '/'",
  ),
  get("name: that climbs", `${configMaps}/%2E%2E`, 400, "Name parameter invalid: \"..\": may not be '..'"),
  get("name: not there", `${configMaps}/gone`, 404, 'configmaps "gone" not found'),
];

export const malformedRequests = [...selectors, ...lists, ...paths];
