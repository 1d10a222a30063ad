// SPDY/3.1 frames, as far as Kubernetes' streaming subresources use them: bytes ⇄ frames. Pure.
//
//   control:  1│version 15 │ type 16 │ flags 8 │ length 24 │ payload
//   data:     0│stream 31              │ flags 8 │ length 24 │ payload
//
// Header blocks are one zlib stream per direction and connection. Ours is made of stored (uncompressed) blocks, which
// every inflater reads; the other side's blocks carry nothing that a client needs, and are passed on as they are.

export const spdyVersion = 3;
const storedBlockMax = 0xffff;
const headerBytes = 8;

export const finFlag = 0x01;

export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export interface DataFrame {
  readonly kind: "data";
  readonly stream: number;
  readonly fin: boolean;
  readonly payload: Buffer;
}

export interface ControlFrame {
  readonly kind: "control";
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

export type Frame = DataFrame | ControlFrame;

function frame(first: number, second: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.allocUnsafe(headerBytes);
  head.writeUInt16BE(first, 0);
  head.writeUInt16BE(second, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

export const controlFrame = (type: number, flags: number, payload: Buffer): Buffer =>
  frame(0x8000 | spdyVersion, type, flags, payload);

export function dataFrame(stream: number, payload: Buffer, fin: boolean): Buffer {
  return frame((stream >>> 16) & 0x7fff, stream & 0xffff, fin ? finFlag : 0, payload);
}

export function pingFrame(id: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(id);
  return controlFrame(frameTypes.ping, 0, payload);
}

export function rstStreamFrame(stream: number, status: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(stream, 0);
  payload.writeUInt32BE(status, 4);
  return controlFrame(frameTypes.rstStream, 0, payload);
}

/** `headerBlock` has been through the connection's HeaderEncoder. */
export function synStreamFrame(stream: number, headerBlock: Buffer): Buffer {
  const start = Buffer.alloc(10);
  start.writeUInt32BE(stream, 0);
  return controlFrame(frameTypes.synStream, 0, Buffer.concat([start, headerBlock]));
}

/** The adler-32 of the dictionary that SPDY/3 header blocks are compressed with: names it in the zlib header. */
const dictionaryId = 0xe3c6a7c2;

/** Turns the headers of one connection into blocks of its zlib stream, in the order in which they are sent. */
export class HeaderEncoder {
  #started = false;

  encode(headers: Readonly<Record<string, string>>): Buffer {
    const pairs = Object.entries(headers);
    const parts = [uint32(pairs.length)];
    for (const [name, value] of pairs) {
      const [nameBytes, valueBytes] = [Buffer.from(name.toLowerCase()), Buffer.from(value)];
      parts.push(uint32(nameBytes.length), nameBytes, uint32(valueBytes.length), valueBytes);
    }
    const plain = Buffer.concat(parts);
    const blocks: Buffer[] = [];
    if (!this.#started) {
      this.#started = true;
      // deflate, 32 KiB window, preset dictionary; the low bits make the two bytes a multiple of 31.
      blocks.push(Buffer.from([0x78, 0xbb]), uint32(dictionaryId));
    }
    for (let at = 0; at < plain.length; at += storedBlockMax) {
      const piece = plain.subarray(at, at + storedBlockMax);
      const head = Buffer.alloc(5);
      head.writeUInt16LE(piece.length, 1);
      head.writeUInt16LE(~piece.length & 0xffff, 3);
      blocks.push(head, piece);
    }
    // An empty block is a flush: without it a reader may hold the last bytes back until it has seen the next block.
    blocks.push(Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]));
    return Buffer.concat(blocks);
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Cuts a byte stream into frames, however its chunks fall. */
export class FrameReader {
  #rest: Buffer[] = [];
  #bytes = 0;

  /** The frames that are complete with this chunk. Throws where the bytes are not SPDY/3. */
  push(chunk: Buffer): Frame[] {
    this.#rest.push(chunk);
    this.#bytes += chunk.length;
    const frames: Frame[] = [];
    while (this.#bytes >= headerBytes) {
      const all = this.#rest.length === 1 ? (this.#rest[0] as Buffer) : Buffer.concat(this.#rest);
      this.#rest = [all];
      const length = all.readUIntBE(5, 3);
      if (all.length < headerBytes + length) break;
      frames.push(parseFrame(all, length));
      const left = all.subarray(headerBytes + length);
      this.#rest = left.length === 0 ? [] : [left];
      this.#bytes = left.length;
    }
    return frames;
  }
}

function parseFrame(all: Buffer, length: number): Frame {
  const payload = all.subarray(headerBytes, headerBytes + length);
  const flags = all.readUInt8(4);
  const first = all.readUInt16BE(0);
  if ((first & 0x8000) === 0)
    return { kind: "data", stream: all.readUInt32BE(0), fin: (flags & finFlag) !== 0, payload };
  const version = first & 0x7fff;
  if (version !== spdyVersion) throw new Error(`a frame of SPDY version ${version}, not ${spdyVersion}`);
  return { kind: "control", type: all.readUInt16BE(2), flags, payload };
}
