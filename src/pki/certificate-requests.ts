// Certificate requests (PKCS #10): what they say, and the certificates that an authority makes of them. The library is
// loaded only when there is one.

import { createPrivateKey, webcrypto } from "node:crypto";
import { library, serialNumber, signingAlgorithm, type KeyPair } from "./certificates.ts";

export interface RequestContent {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** E-mail addresses and URIs. */
  readonly otherNames: readonly string[];
}

/** Throws when it cannot be read, or is not signed with its own key. */
export async function readRequest(pem: string): Promise<RequestContent> {
  const x509 = await library();
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error("the request is not signed with its own key");
  const names = request.extensions
    .filter((one) => one instanceof x509.SubjectAlternativeNameExtension)
    .flatMap((one) => one.names.items);
  const of = (...types: string[]): string[] =>
    names.filter(({ type }) => types.includes(type)).map(({ value }) => value);
  return {
    commonName: request.subjectName.getField("CN")[0] ?? "",
    organizations: request.subjectName.getField("O"),
    dnsNames: of("dns"),
    ipAddresses: of("ip"),
    otherNames: names.filter(({ type }) => type !== "dns" && type !== "ip").map(({ value }) => value),
  };
}

/** Usages as requests name them, with what they are in a certificate. */
const keyUsages: Readonly<Record<string, string>> = {
  signing: "digitalSignature",
  "digital signature": "digitalSignature",
  "content commitment": "nonRepudiation",
  "key encipherment": "keyEncipherment",
  "data encipherment": "dataEncipherment",
  "key agreement": "keyAgreement",
  "cert sign": "keyCertSign",
  "crl sign": "cRLSign",
  "encipher only": "encipherOnly",
  "decipher only": "decipherOnly",
};
const extendedUsages: Readonly<Record<string, string>> = {
  any: "2.5.29.37.0",
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
  "code signing": "1.3.6.1.5.5.7.3.3",
  "email protection": "1.3.6.1.5.5.7.3.4",
  "s/mime": "1.3.6.1.5.5.7.3.4",
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  "ocsp signing": "1.3.6.1.5.5.7.3.9",
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

export interface Signing {
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The certificate (PEM) with the subject, names and key of the request. */
export async function signRequest(authority: KeyPair, pem: string, signing: Signing): Promise<string> {
  const x509 = await library();
  const request = new x509.Pkcs10CertificateRequest(pem);
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    createPrivateKey(authority.key).export({ format: "der", type: "pkcs8" }),
    signingAlgorithm,
    false,
    ["sign"],
  );
  const names = request.extensions.filter((one) => one instanceof x509.SubjectAlternativeNameExtension);
  const flags = x509.KeyUsageFlags as unknown as Readonly<Record<string, number>>;
  let keyUsage = 0;
  for (const usage of signing.usages) keyUsage |= flags[keyUsages[usage] ?? ""] ?? 0;
  const extended = signing.usages.flatMap((usage) => extendedUsages[usage] ?? []);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: request.subjectName.toJSON(),
    issuer: issuer.subject,
    notBefore: new Date(signing.notBeforeMs),
    notAfter: new Date(Math.min(signing.notAfterMs, issuer.notAfter.getTime())),
    signingAlgorithm,
    publicKey: request.publicKey,
    signingKey,
    extensions: [
      ...(keyUsage === 0 ? [] : [new x509.KeyUsagesExtension(keyUsage, true)]),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...names,
    ],
  });
  return `${certificate.toString("pem")}\n`;
}
