import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import { checkDeviceSelector } from "./device-selector.ts";

/** selector → what is wrong with it */
const rows: readonly (readonly [string, RegExp | undefined])[] = [
  ["device.driver == 'gpu.example.com'", undefined],
  [
    "device.attributes['gpu.example.com'].model == 'a' && device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('1Gi'))",
    undefined,
  ],
  ["device.attributes['x.example.com'].version.isGreaterThan(semver('1.0.0'))", undefined],
  ["cel.bind(x, device.attributes['x.example.com'], x.a && x.b)", undefined],
  ["device.attributes['x.example.com'].ready", undefined],
  ["'x.example.com' in device.attributes && device.allowMultipleAllocations", undefined],
  [
    "device.name == 'x'",
    /^at: Invalid value: .*compilation failed: ERROR: <input>:1:7: undefined field 'name'/,
  ],
  [
    "device.driver",
    /^at: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string$/,
  ],
  [`'${"x".repeat(10_240)}' == ''`, /^at: Too long: may not be more than 10240 bytes$/],
  [
    "device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a + b + c + d != ''))))",
    /^at: Forbidden: too complex, exceeds cost limit$/,
  ],
];
for (const [expression, expected] of rows) {
  test(expression.slice(0, 80), () => {
    const [first] = checkDeviceSelector(expression, "at").map(fieldErrorMessage);
    if (expected === undefined) assert.equal(first, undefined);
    else assert.match(first ?? "", expected);
  });
}
