// How a record looks on disk: a fixed header, the key, the value, and a checksum over all of it.
//
//   bytes 0–3 crc32 of its LevelDB key and the rest │ 4 format │ 5–12 create revision │ 13–20 version │ 21–28 lease
//   29–32 slots of the revision │ 33–34 key length │ key │ value
//
// The LevelDB key is `r` + big-endian revision + big-endian slot, so that disk order is revision order.

import { crc32 } from "node:zlib";
import type { StoredRecord } from "../backend.ts";

const headerSize = 35;
const format = 2;
/** What the header has room for. */
export const keyBytesMax = 0xffff;

export function recordKey(revision: number, slot: number): Buffer {
  const key = Buffer.allocUnsafe(13);
  key[0] = 0x72;
  key.writeBigUInt64BE(BigInt(revision), 1);
  key.writeUInt32BE(slot, 9);
  return key;
}

const checksum = (key: Buffer, bytes: Buffer): number => crc32(bytes.subarray(4), crc32(key));

export function encodeRecord(record: StoredRecord): Buffer {
  const key = Buffer.from(record.key);
  const bytes = Buffer.allocUnsafe(headerSize + key.length + record.value.length);
  bytes[4] = format;
  bytes.writeBigUInt64BE(BigInt(record.createRevision), 5);
  bytes.writeBigUInt64BE(BigInt(record.version), 13);
  bytes.writeBigUInt64BE(BigInt(record.lease), 21);
  bytes.writeUInt32BE(record.slots, 29);
  bytes.writeUInt16BE(key.length, 33);
  key.copy(bytes, headerSize);
  record.value.copy(bytes, headerSize + key.length);
  bytes.writeUInt32BE(checksum(recordKey(record.revision, record.slot), bytes), 0);
  return bytes;
}

/** Throws with what is wrong when the bytes are not what was written. */
export function decodeRecord(key: Buffer, bytes: Buffer): StoredRecord {
  const revision = Number(key.readBigUInt64BE(1));
  const slot = key.readUInt32BE(9);
  if (bytes.length < headerSize || checksum(key, bytes) !== bytes.readUInt32BE(0)) {
    throw new Error(`revision ${revision} is damaged: its checksum does not match`);
  }
  if (bytes[4] !== format)
    throw new Error(`revision ${revision} has format ${bytes[4]}, which this version of leme does not know`);
  const keyEnd = headerSize + bytes.readUInt16BE(33);
  return {
    revision,
    slot,
    slots: bytes.readUInt32BE(29),
    key: bytes.toString("utf8", headerSize, keyEnd),
    value: bytes.subarray(keyEnd),
    createRevision: Number(bytes.readBigUInt64BE(5)),
    version: Number(bytes.readBigUInt64BE(13)),
    lease: Number(bytes.readBigUInt64BE(21)),
  };
}
