// The flags that every command takes.

import type { FlagSpec } from "./flags.ts";

const text = (name: string, usage: string, shorthand?: string): FlagSpec => ({
  name,
  type: "string",
  default: "''",
  usage,
  ...(shorthand === undefined ? {} : { shorthand }),
});
const truth = (name: string, usage: string): FlagSpec => ({ name, type: "bool", default: "false", usage });

export const globalFlags = (home: string): readonly FlagSpec[] => [
  text("as", "Name of the user, or service account, to act as."),
  { name: "as-group", type: "array", default: "[]", usage: "Group to act as; may be given several times." },
  text("as-uid", "UID to act as."),
  {
    name: "as-user-extra",
    type: "array",
    default: "[]",
    usage: "Extra facts of the user to act as, key=value; may be given several times.",
  },
  {
    name: "cache-dir",
    type: "string",
    default: `'${home}/.kube/cache'`,
    usage: "Folder in which what the server serves is remembered",
  },
  text("certificate-authority", "File with the certificate of the authority to trust"),
  text("client-certificate", "File with the client certificate to show"),
  text("client-key", "File with the key of the client certificate"),
  text("cluster", "Name of the kubeconfig cluster to talk to"),
  text("context", "Name of the kubeconfig context to use"),
  truth("disable-compression", "Ask the server for answers that are not compressed"),
  truth(
    "insecure-skip-tls-verify",
    "Do not check the server's certificate. Whoever sits in between can then read and change everything",
  ),
  text("kubeconfig", "The kubeconfig file to use"),
  text("kuberc", "File with preferences; accepted, and not read."),
  { name: "log-flush-frequency", type: "duration", default: "5s", usage: "Seconds between log flushes" },
  truth("match-server-version", "Insist that the server has the version of this client"),
  text("namespace", "The namespace to work in, instead of the context's", "n"),
  text("password", "Password for basic authentication"),
  {
    name: "profile",
    type: "string",
    default: "'none'",
    usage: "Profile to capture; accepted, and not written",
  },
  { name: "profile-output", type: "string", default: "'profile.pprof'", usage: "File for the profile" },
  {
    name: "request-timeout",
    type: "string",
    default: "'0'",
    usage: "How long one request may take, such as 1s, 2m, 3h. Zero: as long as it takes.",
  },
  text("server", "Address and port of the API server", "s"),
  text("tls-server-name", "Name that the server's certificate has to bear, if not the one in its address"),
  text("token", "Bearer token to show to the server"),
  text("user", "Name of the kubeconfig user to be"),
  text("username", "Name for basic authentication"),
  { name: "v", shorthand: "v", type: "int", default: "0", usage: "How much is logged to stderr" },
  { name: "vmodule", type: "string", default: "", usage: "Log levels by source file: pattern=N,…" },
  truth("warnings-as-errors", "Fail where the server warns"),
];
