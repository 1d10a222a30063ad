// Where the records of a LevelDB log are: which bytes of the file hold which batch, whole. Pure.
//
//   file    blocks of 32 KiB; what is left of a block with less than a header is filling
//   piece   4 bytes checksum │ 2 bytes length │ 1 byte kind: 1 all, 2 first, 3 middle, 4 last of a record │ data

const blockBytes = 32 * 1024;
const headerBytes = 7;

export interface LogRecord {
  /** The batch, as its pieces joined. */
  readonly data: Buffer;
  /** Its bytes in the file, from the first header to the last byte. */
  readonly start: number;
  readonly end: number;
}

/** All whole records; a last one of which a part is missing is none. */
export function readLogRecords(log: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  let pieces: Buffer[] = [];
  let start = 0;
  for (let at = 0; at + headerBytes <= log.length;) {
    const left = blockBytes - (at % blockBytes);
    if (left < headerBytes) {
      at += left;
      continue;
    }
    const end = at + headerBytes + log.readUInt16LE(at + 4);
    const kind = log[at + 6] as number;
    if (end > log.length || kind === 0) break;
    if (kind === 1 || kind === 2) {
      pieces = [];
      start = at;
    }
    pieces.push(log.subarray(at + headerBytes, end));
    if (kind === 1 || kind === 4) records.push({ data: Buffer.concat(pieces), start, end });
    at = end;
  }
  return records;
}
