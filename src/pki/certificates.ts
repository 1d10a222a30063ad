// X.509 certificates: a CA, and what it signs. The library is loaded only when something has to be signed,
// so that a server which finds its certificates on disk starts without it.

import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";

export interface KeyPair {
  /** Certificate in PEM. */
  readonly certificate: string;
  /** PKCS #8 private key in PEM. */
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  /** `O` values: the groups of a client. */
  readonly organizations?: readonly string[];
}

export interface LeafRequest {
  readonly subject: Subject;
  readonly usages: readonly ("client" | "server")[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly notBeforeMs: number;
  readonly validMs: number;
}

export const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export async function library() {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto as never); // the DOM type of the same object
  return x509;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

async function newKeys(): Promise<{ keys: webcrypto.CryptoKeyPair; key: string }> {
  const keys = (await webcrypto.subtle.generateKey(signingAlgorithm, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  return { keys, key: pem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)) };
}

/** A private key alone, as service-account tokens are signed with. */
export async function createSigningKey(): Promise<string> {
  return (await newKeys()).key;
}

export function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] as number) & 0x7f; // a positive integer
  return Buffer.from(bytes).toString("hex");
}

function nameOf({ commonName, organizations = [] }: Subject) {
  return [...organizations.map((o) => ({ O: [o] })), { CN: [commonName] }];
}

/** A self-signed certificate authority. */
export async function createAuthority(
  commonName: string,
  notBeforeMs: number,
  validMs: number,
): Promise<KeyPair> {
  const x509 = await library();
  const { keys, key } = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: nameOf({ commonName }),
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notBeforeMs + validMs),
    signingAlgorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign |
          x509.KeyUsageFlags.digitalSignature |
          x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key };
}

/** A certificate for a client or a server, signed by `authority`, with a new key. */
export async function issue(authority: KeyPair, request: LeafRequest): Promise<KeyPair> {
  const x509 = await library();
  const { keys, key } = await newKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    createPrivateKey(authority.key).export({ format: "der", type: "pkcs8" }),
    signingAlgorithm,
    false,
    ["sign"],
  );
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const usages = request.usages.map((usage) =>
    usage === "client" ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
  );
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: nameOf(request.subject),
    issuer: issuer.subject,
    notBefore: new Date(request.notBeforeMs),
    notAfter: new Date(request.notBeforeMs + request.validMs),
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { certificate: `${certificate.toString("pem")}\n`, key };
}

/** Whether the certificate is still good at `nowMs` with `marginMs` to spare, and was signed by `authorityPem`. */
export function isUsable(
  certificatePem: string,
  authorityPem: string,
  nowMs: number,
  marginMs: number,
): boolean {
  const certificate = new X509Certificate(certificatePem);
  const authority = new X509Certificate(authorityPem);
  const inTime =
    Date.parse(certificate.validFrom) <= nowMs && nowMs + marginMs < Date.parse(certificate.validTo);
  return inTime && certificate.verify(authority.publicKey);
}

/** The certificates of a bundle (PEM), each by itself. Throws when one cannot be read, or there are none. */
export function certificatesOf(bundle: string): string[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error("there is no PEM certificate in it");
  for (const [at, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      throw new Error(`its certificate number ${at + 1} cannot be read`);
    }
  }
  return [...blocks];
}

/** Whether the certificate names all of these hosts and addresses. */
export function covers(
  certificatePem: string,
  dnsNames: readonly string[],
  ipAddresses: readonly string[],
): boolean {
  const certificate = new X509Certificate(certificatePem);
  return (
    dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
    ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}
