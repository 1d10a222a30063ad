// A real kubectl 1.36, without special flags, against this server: what it prints and how it exits.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeKubeConfig } from "#client/kubeconfig.ts";
import { startApi, type Api } from "./api-under-test.ts";
import { realKubectl } from "../reference-clients.ts";

const repository = join(import.meta.dirname, "../..");
const recipes = join(repository, "examples/tutorial");

const kubectl = realKubectl("1.36");
const options = { skip: kubectl === undefined && "no kubectl 1.36 here: scripts/reference-kubectl.sh 1.36" };

let api: Api;
let folder: string;

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(line: string, input?: string): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(
      kubectl as string,
      line.match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'|'$/g, "")) ?? [],
      { env: { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: join(folder, "config") } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
    child.stdin?.end(input ?? "");
  });
}

async function prints(line: string, expected: string | RegExp, input?: string): Promise<void> {
  const { code, out, err } = await run(line, input);
  assert.equal(code, 0, `kubectl ${line}\n${out}${err}`);
  if (typeof expected === "string") assert.equal(out, expected, line);
  else assert.match(out, expected, line);
}

async function fails(line: string, expected: string | RegExp, input?: string): Promise<void> {
  const { code, out, err } = await run(line, input);
  assert.notEqual(code, 0, `kubectl ${line}\n${out}${err}`);
  if (typeof expected === "string") assert.equal(err, expected, line);
  else assert.match(err, expected, line);
}

before(async () => {
  if (kubectl === undefined) return;
  api = await startApi();
  folder = await mkdtemp(join(tmpdir(), "leme-kubectl-"));
  await writeFile(
    join(folder, "config"),
    JSON.stringify(makeKubeConfig({ name: "test", access: api.access as never })),
  );
});
after(async () => {
  await api?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

test("it finds its way: version, discovery, OpenAPI", options, async () => {
  await prints("version", /Server Version: v1\.36\.\d+\+leme/);
  // Every group that is served, in the alphabet's order.
  await prints(
    "api-versions",
    /^(?:\S+\/v\d\S*\n)*rbac\.authorization\.k8s\.io\/v1\n(?:\S+\/v\d\S*\n)*v1\n$/,
  );
  await prints(
    "api-resources --namespaced=false --no-headers -o name",
    /^componentstatuses\nnamespaces\nnodes\n/,
  );
  await prints("explain pod.spec.containers.image", /^KIND: +Pod\nVERSION: +v1\n\nFIELD: image <string>/);
  await prints("get --raw /readyz", "ok");
  await prints("cluster-info", /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:/);
});

test("config maps: created, read, changed, deleted", options, async () => {
  await prints("create configmap a --from-literal=x=1", "configmap/a created\n");
  await fails(
    "create configmap a --from-literal=x=1",
    'error: failed to create configmap: configmaps "a" already exists\n',
  );
  await prints("get cm a -o 'jsonpath={.data.x}'", "1");
  await prints("label cm a l=1", "configmap/a labeled\n");
  await prints("annotate cm a n=1", "configmap/a annotated\n");
  await prints('patch cm a --type merge -p \'{"data":{"y":"2"}}\'', "configmap/a patched\n");
  await prints('patch cm a -p \'{"data":{"y":"2"}}\'', "configmap/a patched (no change)\n");
  await prints("get cm -l l=1 --no-headers", /^a +2 +\d+s\n$/);
  await prints("get cm --chunk-size=1 -o name", "configmap/a\nconfigmap/kube-root-ca.crt\n");
  await prints("get cm a -o yaml", /\ndata:\n {2}x: "1"\n {2}"y": "2"\n/);
  await prints("delete cm a", 'configmap "a" deleted from default namespace\n');
  await fails("get cm a", 'Error from server (NotFound): configmaps "a" not found\n');
});

test("apply, replace, diff-less", options, async () => {
  const manifest = (value: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {x: '${value}'}\n`;
  await prints("apply -f -", "configmap/applied created\n", manifest("1"));
  await prints("apply -f -", "configmap/applied unchanged\n", manifest("1"));
  await prints("apply -f -", "configmap/applied configured\n", manifest("2"));
  await prints(
    "apply --dry-run=server -f -",
    "configmap/applied configured (server dry run)\n",
    manifest("3"),
  );
  await prints("replace -f -", "configmap/applied replaced\n", manifest("4"));
  await prints("get cm applied -o 'jsonpath={.data.x}'", "4");
  await prints("delete -f -", 'configmap "applied" deleted from default namespace\n', manifest("4"));
});

test("pods that wait: tables, selectors, waits", options, async () => {
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: x}}\nspec:\n  schedulerName: none\n  containers: [{name: c, image: i}]\n`;
  assert.equal((await run("get pods")).err, "No resources found in default namespace.\n");
  await prints("create -f -", "pod/p created\n", pod);
  await prints("get pods", /^NAME +READY +STATUS +RESTARTS +AGE\np +0\/1 +Pending +0 +\d+s\n$/);
  await prints(
    "get pods -o wide -A",
    /NAMESPACE +NAME +.* NODE +NOMINATED NODE +READINESS GATES\ndefault +p +.*<none> +<none> +<none> +<none>\n/,
  );
  await prints("get pods --field-selector status.phase=Pending,spec.nodeName= -o name", "pod/p\n");
  await prints("wait --for=jsonpath={.status.phase}=Pending pod/p --timeout=5s", "pod/p condition met\n");
  await prints("describe pod p", /\nStatus: +Pending\n/);
  await prints("logs p", "");
  await prints("set image pod/p c=j", "pod/p image updated\n");
  await prints("delete pod p", 'pod "p" deleted from default namespace\n');
  await prints("run q --image=i --restart=Never --dry-run=server", "pod/q created (server dry run)\n");
});

test("controllers and services", options, async () => {
  await prints(`create -f ${recipes}/app-rc.yaml`, "replicationcontroller/website created\n");
  await prints("scale rc website --replicas=2", "replicationcontroller/website scaled\n");
  await fails(
    "scale rc website --replicas=-1",
    "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0\n",
  );
  await prints("get rc website --no-headers", /^website +2 +0 +0 +\d+s\n$/);
  await prints("expose rc website --port=80 --target-port=3000", "service/website exposed\n");
  await prints(
    "get svc website --no-headers",
    /^website +ClusterIP +10\.96\.\d+\.\d+ +<none> +80\/TCP +\d+s\n$/,
  );
  await prints("get all -o name", /replicationcontroller\/website\nservice\/kubernetes\nservice\/website\n/);
  await prints(
    "delete rc,svc website",
    /replicationcontroller "website" deleted from default namespace\nservice "website" deleted/,
  );
});

test("the recipes of 2016, with the validation that is on by default", options, async () => {
  const pod = await run(`create -f ${recipes}/crontab-pod.yaml`);
  assert.deepEqual([pod.code, pod.out], [0, "pod/crontab created\n"], pod.err);
  for (const field of ["id", "spec.version", "spec.name"])
    assert.match(
      pod.err,
      new RegExp(`^Warning: unknown field "${field.replace(".", "\\.")}": today's field is`, "m"),
    );
  await fails(
    `create -f ${recipes}/nginx-service.yaml`,
    /The Service "nginx" is invalid: spec\.externalIPs\[0\]: Invalid value: "xxx\.xxx\.xxx\.xxx": must be a valid IP address/,
  );
  await prints(`create -f ${recipes}/nginx-service-usable.yaml`, "service/nginx created\n");
  await prints("delete pod/crontab svc/nginx --grace-period=0 --force", /deleted/);
});

test("errors as it tells them", options, async () => {
  await fails(
    "create -f -",
    'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"\n',
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndta: {}\n",
  );
  await fails(
    "create -f -",
    /^The ConfigMap "Bad_Name" is invalid: metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of/,
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\n",
  );
  await fails(
    "get pods --field-selector spec.bogus=x",
    'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.bogus=x": field label not supported: spec.bogus\n',
  );
  await fails(
    'patch svc kubernetes --type json -p \'[{"op":"remove","path":"/spec/nothing"}]\'',
    /^The request is invalid: /,
  );
  await fails(
    'patch svc kubernetes -p \'{"spec":{"ports":[{"port":"many"}]}}\'',
    /^The request is invalid: patch: Invalid value: ".*": .*cannot unmarshal string into Go struct field ServicePort\.spec\.ports\.port of type int32\n$/,
  );
  await fails(
    'patch svc kubernetes -p \'{"metadata":{"name":"other"}}\'',
    "Error from server (BadRequest): the name of the object (other) does not match the name on the URL (kubernetes)\n",
  );
  await fails(
    "delete ns default",
    'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n',
  );
  await fails("create cm x -n nowhere", /namespaces "nowhere" not found\n$/);
  await fails("get frobs", `error: the server doesn't have a resource type "frobs"\n`);
});

test("other people", options, async () => {
  const asToken = (token: string, line: string) =>
    `${line} --server ${api.url} --insecure-skip-tls-verify --kubeconfig /dev/null --token ${token}`;
  await fails(
    asToken("alice-token", "get nodes"),
    'Error from server (Forbidden): nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope\n',
  );
  await fails(
    asToken("wrong", "get nodes"),
    /You must be logged in to the server \(Unauthorized\)|the server has asked for the client to provide credentials/,
  );
  const token = (await run("create token default")).out.trim();
  await fails(
    asToken(token, "get pods"),
    /User "system:serviceaccount:default:default" cannot list resource "pods"/,
  );
});

test("namespaces, accounts, roles; and a namespace that takes all with it", options, async () => {
  await prints("create namespace team", "namespace/team created\n");
  await prints("create sa robot -n team", "serviceaccount/robot created\n");
  await prints(
    "create role reader --verb=get,list --resource=pods -n team",
    "role.rbac.authorization.k8s.io/reader created\n",
  );
  await prints(
    "create rolebinding reads --role=reader --serviceaccount=team:robot -n team",
    "rolebinding.rbac.authorization.k8s.io/reads created\n",
  );
  await prints("create secret generic s --from-literal=p=q -n team", "secret/s created\n");
  await prints("get rolebinding -n team -o wide --no-headers", /^reads +Role\/reader +\d+s +team\/robot\n$/);
  await prints("delete ns team --timeout=20s", 'namespace "team" deleted\n');
  await fails("get ns team", 'Error from server (NotFound): namespaces "team" not found\n');
  assert.match((await run("get cs")).err, /^Warning: v1 ComponentStatus is deprecated in v1\.19\+\n$/);
});
