// Whether bytes are a PEM block with a certificate request (PKCS #10) in it: its outer form, not its signature. Pure.

const block = /-----BEGIN ([^-\n]+)-----\r?\n([A-Za-z0-9+/=\s]+?)-----END \1-----/;
const sequence = 0x30;
const integer = 0x02;
const bitString = 0x03;
const attributes = 0xa0;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** The elements of DER bytes, or undefined when they are none. */
function elements(bytes: Buffer): Element[] | undefined {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] as number;
    const first = bytes[at + 1];
    if (first === undefined) return undefined;
    const longForm = first > 0x80 ? first - 0x80 : 0;
    const start = at + 2 + longForm;
    if (longForm > 4 || first === 0x80 || start > bytes.length) return undefined;
    const length = longForm === 0 ? first : bytes.readUIntBE(at + 2, longForm);
    if (start + length > bytes.length) return undefined;
    found.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

const tagsOf = (bytes: Buffer): number[] | undefined => elements(bytes)?.map(({ tag }) => tag);
const begins = (tags: readonly number[] | undefined, ...wanted: number[]): boolean =>
  tags !== undefined && wanted.every((tag, at) => tags[at] === tag);

function isRequest(der: Buffer): boolean {
  const [outer, ...more] = elements(der) ?? [];
  if (outer?.tag !== sequence || more.length > 0) return false;
  const parts = elements(outer.content) ?? [];
  if (
    !begins(
      parts.map(({ tag }) => tag),
      sequence,
      sequence,
      bitString,
    )
  )
    return false;
  const tags = tagsOf((parts[0] as Element).content);
  return begins(tags, integer, sequence, sequence) && (tags?.[3] ?? attributes) === attributes;
}

/** Why this is no request, or undefined. `request` is base64, as bytes are in JSON. */
export function requestError(request: string | null): string | undefined {
  const match = block.exec(Buffer.from(request ?? "", "base64").toString("latin1"));
  if (match === null || match[1] !== "CERTIFICATE REQUEST")
    return "PEM block type must be CERTIFICATE REQUEST";
  return isRequest(Buffer.from(match[2] as string, "base64"))
    ? undefined
    : "asn1: structure error: this is no certificate request";
}

/** Why these are no certificates, or undefined. */
export function certificateError(certificate: string): string | undefined {
  const text = Buffer.from(certificate, "base64").toString("latin1");
  const blocks = [...text.matchAll(new RegExp(block.source, "g"))];
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const [, type = "", body = ""] of blocks) {
    if (type !== "CERTIFICATE")
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    const [outer] = elements(Buffer.from(body, "base64")) ?? [];
    if (outer?.tag !== sequence) return "asn1: structure error: this is no certificate";
  }
  return undefined;
}

const organization = Buffer.from([0x55, 0x04, 0x0a]);

/** The O values of a request's subject: the groups that a client would be in. */
export function organizationsOf(request: string): string[] {
  const [, , body = ""] = block.exec(Buffer.from(request, "base64").toString("latin1")) ?? [];
  const inside = (element: Element | undefined): Element[] =>
    element === undefined ? [] : (elements(element.content) ?? []);
  const [outer] = elements(Buffer.from(body, "base64")) ?? [];
  const subject = inside(inside(outer)[0])[1];
  return inside(subject)
    .flatMap(inside)
    .map(inside)
    .filter(([type]) => type?.content.equals(organization) === true)
    .map(([, value]) => value?.content.toString("utf8") ?? "");
}
