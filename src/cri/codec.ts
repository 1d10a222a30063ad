// Encodes and decodes the messages of the generated descriptor, building each message type when it is first used.

import protobuf from "protobufjs/light.js";
import descriptor from "./gen/cri-api.json" with { type: "json" };

const conversion: protobuf.IConversionOptions = { longs: Number, enums: String, defaults: true };

let loaded: protobuf.Root | undefined;

function root(): protobuf.Root {
  loaded ??= protobuf.Root.fromJSON(descriptor as protobuf.INamespace);
  return loaded;
}

const types = new Map<string, protobuf.Type>();

function lookup(name: string): protobuf.Type {
  let type = types.get(name);
  if (type === undefined) {
    type = root().lookupType(name);
    types.set(name, type);
  }
  return type;
}

/** Bytes of message `name` made from a plain object. */
export function encode(name: string, object: object): Buffer {
  const type = lookup(name);
  return type.encode(type.fromObject(object as Record<string, unknown>)).finish() as Buffer;
}

/** A plain object with every field present: defaults, empty lists, null for absent messages. */
export function decode<T>(name: string, bytes: Uint8Array): T {
  const type = lookup(name);
  return type.toObject(type.decode(bytes), conversion) as T;
}
