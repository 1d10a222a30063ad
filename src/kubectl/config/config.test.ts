import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeConfig } from "#client/kubeconfig.ts";
import type { LoadedConfig } from "../config-files.ts";
import { mergeConfigs } from "../config-files.ts";
import { applyChange, filesOf, type Change } from "./change.ts";
import { setProperty, unsetProperty } from "./property.ts";
import { canonical } from "./shape.ts";
import { flatten, minify, redact } from "./view.ts";

const config: KubeConfig = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    { name: "two", cluster: { server: "https://two" } },
    { name: "one", cluster: { "certificate-authority-data": "Zm9v", server: "https://one" } },
  ],
  contexts: [
    { name: "x", context: { user: "u", cluster: "one" } },
    { name: "dot.ted", context: { cluster: "two", user: "u" } },
  ],
  users: [{ name: "u", user: { token: "t", "client-key": "/key", password: "p", username: "n" } }],
  "current-context": "x",
};

test("written configs: entries by name, fields in their order, empty ones left out", () => {
  const text = JSON.stringify(canonical({ ...config, users: [] }));
  assert.equal(
    text,
    JSON.stringify({
      kind: "Config",
      apiVersion: "v1",
      clusters: [
        { name: "one", cluster: { server: "https://one", "certificate-authority-data": "Zm9v" } },
        { name: "two", cluster: { server: "https://two" } },
      ],
      users: null,
      contexts: [
        { name: "dot.ted", context: { cluster: "two", user: "u" } },
        { name: "x", context: { cluster: "one", user: "u" } },
      ],
      "current-context": "x",
    }),
  );
});

test("secrets do not show; minify keeps what the context names; flatten takes files in", () => {
  const shown = redact(config);
  assert.deepEqual(shown.users?.[0]?.user, {
    token: "REDACTED",
    "client-key": "/key",
    password: "REDACTED",
    username: "n",
  });
  assert.equal(shown.clusters?.[1]?.cluster["certificate-authority-data"], "DATA+OMITTED");
  const small = minify(config, "x");
  assert.deepEqual(
    [small.clusters, small.contexts, small.users].map((list) => list?.map(({ name }) => name)),
    [["one"], ["x"], ["u"]],
  );
  assert.throws(() => minify(config, ""), /current-context must exist in order to minify/);
  const flat = flatten(config, (path) => Buffer.from(path));
  assert.equal(flat.users?.[0]?.user["client-key-data"], Buffer.from("/key").toString("base64"));
  assert.equal(flat.users?.[0]?.user["client-key"], undefined);
});

const entry = (change: Change | undefined): unknown =>
  change?.kind === "entry" ? [change.section, change.name, change.value] : change;

test("set: dotted names become changes", () => {
  const rows: [string, string, unknown][] = [
    ["current-context", "y", { kind: "current-context", value: "y" }],
    ["clusters.two.server", "https://2", ["clusters", "two", { server: "https://2" }]],
    [
      "clusters.new.insecure-skip-tls-verify",
      "true",
      ["clusters", "new", { "insecure-skip-tls-verify": true }],
    ],
    [
      "contexts.dot.ted.namespace",
      "n",
      ["contexts", "dot.ted", { cluster: "two", user: "u", namespace: "n" }],
    ],
    ["users.v.exec.command", "c", ["users", "v", { exec: { command: "c" } }]],
    ["users.v.client-key-data", "Zm9v", ["users", "v", { "client-key-data": "Zm9v" }]],
  ];
  for (const [property, value, expected] of rows)
    assert.deepEqual(entry(setProperty(config, property, value, false)), expected, property);
  assert.deepEqual(entry(setProperty(config, "users.v.client-key-data", "foo", true)), [
    "users",
    "v",
    { "client-key-data": "Zm9v" },
  ]);
});

test("set: what is no value or no name is refused", () => {
  const rows: [string, string, RegExp][] = [
    ["foo.bar", "x", /^unable to parse foo\.bar after \[\] at api\.Config$/],
    ["clusters.one.insecure-skip-tls-verify", "maybe", /strconv\.ParseBool: parsing "maybe": invalid syntax/],
    ["users.u.client-key-data", "%%", /illegal base64 data at input byte 0/],
    ["users.u.exec.args", "x", /unable to parse one or more field values of users\.u\.exec\.args/],
    ["clusters.one", "x", /can't set a map to a value/],
  ];
  for (const [property, value, message] of rows)
    assert.throws(() => setProperty(config, property, value, false), { message }, property);
});

test("unset: a value, an entry, a section", () => {
  assert.deepEqual(entry(unsetProperty(config, "contexts.x.user")), ["contexts", "x", { cluster: "one" }]);
  assert.deepEqual(entry(unsetProperty(config, "contexts.x")), ["contexts", "x", undefined]);
  assert.deepEqual(unsetProperty(config, "users"), { kind: "clear", section: "users" });
  assert.equal(unsetProperty(config, "contexts.nope"), undefined);
  assert.throws(() => unsetProperty(config, "contexts.nope.user"), /current map key `nope` is invalid/);
});

test("a change goes to the file that has the entry, a new one to the first file", () => {
  const files = [
    { path: "/a", config: { contexts: [{ name: "x", context: {} }] } },
    { path: "/b", config: { contexts: [{ name: "y", context: {} }], "current-context": "y" } },
  ];
  const loaded: LoadedConfig = { paths: ["/a", "/b"], files, merged: mergeConfigs(files) };
  const to = (change: Change): string[] => filesOf(change, loaded);
  assert.deepEqual(to({ kind: "entry", section: "contexts", name: "y", value: {} }), ["/b"]);
  assert.deepEqual(to({ kind: "entry", section: "contexts", name: "z", value: {} }), ["/a"]);
  assert.deepEqual(to({ kind: "current-context", value: "x" }), ["/b"]);
  assert.deepEqual(to({ kind: "clear", section: "contexts" }), ["/a", "/b"]);
  const none: LoadedConfig = { paths: ["/a", "/b"], files: [], merged: mergeConfigs([]) };
  assert.deepEqual(filesOf({ kind: "current-context", value: "x" }, none), ["/b"]);
  assert.deepEqual(applyChange({}, { kind: "entry", section: "users", name: "u", value: { token: "t" } }), {
    users: [{ name: "u", user: { token: "t" } }],
  });
});
