import assert from "node:assert/strict";
import { test } from "node:test";
import { modelNames, parseModels, propertyNames } from "./model-text.ts";

const declared = `/**
 * Some API
 *
 * version 1
 */
import { V1Other } from '../models/V1Other.js';
/**
* Widget says \\"hello\\", it\\'s a test.
*/
export declare class V1Widget {
    /**
    * How many. Ends with *_/ it.
    */
    'count'?: number;
    'silent'?: V1Other;
    /**
    * A word of the language
    */
    '_default'?: any;
    static readonly discriminator: string | undefined;
}
`;
const interfaces = `/** A first */
export interface First {
    /** Its spec */
    readonly spec?: FirstSpec;
}
export interface Second {
    /** Of a key */
    "x-y": string;
}
`;

test("the comments of a class and of its properties", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(parseModels(declared))), {
    V1Widget: {
      count: "How many. Ends with */ it.",
      _default: "A word of the language",
      "": `Widget says "hello", it's a test.`,
    },
  });
});

test("several interfaces in one file", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(parseModels(interfaces))), {
    First: { spec: "Its spec", "": "A first" },
    Second: { "x-y": "Of a key" },
  });
});

test("names", () => {
  assert.deepEqual(modelNames("core/v1.Event"), ["CoreV1Event", "V1Event"]);
  assert.deepEqual(modelNames("batch/v1beta1.CronJob"), ["BatchV1beta1CronJob", "V1beta1CronJob"]);
  assert.deepEqual(propertyNames("default"), ["default", "default", "_default"]);
  assert.deepEqual(propertyNames("x-kubernetes-list-type")[1], "x_kubernetes_list_type");
  assert.deepEqual(propertyNames("$ref")[1], "ref");
});
