import assert from "node:assert/strict";
import { test } from "node:test";
import { identityOf, permissions, wantedIdentity } from "./impersonate.ts";

const wanted = (headers: Record<string, string>) => {
  const found = wantedIdentity(headers);
  assert.ok(found !== undefined);
  return found;
};

test("headers → whom to be, and which permissions that takes", () => {
  assert.equal(wantedIdentity({ accept: "x" }), undefined);
  const all = wanted({
    "impersonate-user": "ana",
    "impersonate-uid": "7",
    "impersonate-group": "dev, ops",
    "impersonate-extra-example.com%2fscopes": "view, edit",
  });
  assert.deepEqual(
    permissions(all).map(({ group, resource, subresource, name }) => [group, resource, subresource, name]),
    [
      ["", "users", "", "ana"],
      ["", "groups", "", "dev"],
      ["", "groups", "", "ops"],
      ["authentication.k8s.io", "uids", "", "7"],
      ["authentication.k8s.io", "userextras", "example.com/scopes", "view"],
      ["authentication.k8s.io", "userextras", "example.com/scopes", "edit"],
    ],
  );
  assert.deepEqual(identityOf(all), {
    name: "ana",
    uid: "7",
    groups: ["dev", "ops", "system:authenticated"],
    extra: { "example.com/scopes": ["view", "edit"] },
  });
});

test("service accounts, nobody, and groups that say it themselves", () => {
  const account = wanted({ "impersonate-user": "system:serviceaccount:team:robot" });
  assert.deepEqual(permissions(account), [
    { group: "", resource: "serviceaccounts", subresource: "", namespace: "team", name: "robot" },
  ]);
  assert.deepEqual(identityOf(account).groups, [
    "system:serviceaccounts",
    "system:serviceaccounts:team",
    "system:authenticated",
  ]);
  assert.deepEqual(identityOf(wanted({ "impersonate-user": "system:anonymous" })).groups, [
    "system:unauthenticated",
  ]);
  assert.deepEqual(
    identityOf(wanted({ "impersonate-user": "a", "impersonate-group": "system:authenticated" })).groups,
    ["system:authenticated"],
  );
});

test("groups without a user are no identity", () => {
  assert.throws(() => wantedIdentity({ "impersonate-group": "dev" }), /without impersonating a user/);
});
