// The error codes of the OCI distribution specification that this registry answers, with their status.

const table = {
  BLOB_UNKNOWN: [404, "blob unknown to registry"],
  BLOB_UPLOAD_INVALID: [416, "blob upload invalid"],
  BLOB_UPLOAD_UNKNOWN: [404, "blob upload unknown to registry"],
  DENIED: [403, "requested access to the resource is denied"],
  DIGEST_INVALID: [400, "provided digest did not match uploaded content"],
  MANIFEST_BLOB_UNKNOWN: [404, "manifest references a manifest or blob unknown to registry"],
  MANIFEST_INVALID: [400, "manifest invalid"],
  MANIFEST_UNKNOWN: [404, "manifest unknown to registry"],
  NAME_INVALID: [400, "invalid repository name"],
  NAME_UNKNOWN: [404, "repository name not known to registry"],
  SIZE_INVALID: [413, "content larger than this registry takes"],
  TAG_INVALID: [400, "invalid tag"],
  UNSUPPORTED: [405, "the operation is unsupported"],
} as const;

export type RegistryErrorCode = keyof typeof table;

export class RegistryError extends Error {
  override name = "RegistryError";
  readonly code: RegistryErrorCode;
  readonly detail: string | undefined;

  constructor(code: RegistryErrorCode, detail?: string) {
    super(`${table[code][1]}${detail === undefined ? "" : `: ${detail}`}`);
    this.code = code;
    this.detail = detail;
  }

  get status(): number {
    return table[this.code][0];
  }

  get body(): string {
    return `${JSON.stringify({ errors: [{ code: this.code, message: table[this.code][1], detail: this.detail }] })}\n`;
  }
}
