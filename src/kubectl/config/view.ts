// What `kubectl config view` shows of a kubeconfig: without secrets, and only the current context's part if asked. Pure.

import type { KubeConfig } from "#client/kubeconfig.ts";
import type { JsonObject } from "#machinery/json-object.ts";
import { CommandError } from "../command.ts";
import { entriesOf, sections, withEntries, type Section } from "./shape.ts";

const omitted = "DATA+OMITTED";
const redacted = "REDACTED";

/** Secret fields and what stands in their place. */
const hidden: Readonly<Partial<Record<Section, Readonly<Record<string, string>>>>> = {
  clusters: { "certificate-authority-data": omitted },
  users: {
    "client-certificate-data": omitted,
    "client-key-data": omitted,
    token: redacted,
    password: redacted,
  },
};

export function redact(config: KubeConfig): KubeConfig {
  let out = config;
  for (const section of sections) {
    const secrets = hidden[section] ?? {};
    const entries = entriesOf(config, section).map(({ name, value }) => {
      const shown: JsonObject = { ...value };
      for (const [field, word] of Object.entries(secrets)) if (shown[field]) shown[field] = word;
      return { name, value: shown };
    });
    out = withEntries(out, section, entries);
  }
  return out;
}

/** Only the context `name` and what it names. */
export function minify(config: KubeConfig, name: string): KubeConfig {
  if (name === "") throw new CommandError("current-context must exist in order to minify");
  const context = entriesOf(config, "contexts").find((entry) => entry.name === name);
  if (context === undefined) throw new CommandError(`cannot locate context ${name}`);
  const keep = (section: "clusters" | "users", field: string): KubeConfig => {
    const entries = entriesOf(config, section).filter((entry) => entry.name === context.value[field]);
    return withEntries({}, section, entries);
  };
  return {
    ...config,
    ...keep("clusters", "cluster"),
    ...keep("users", "user"),
    contexts: (config.contexts ?? []).filter((entry) => entry.name === name),
    "current-context": name,
  };
}

/** Files that entries name, by the field that holds their content instead. */
const embedded: Readonly<Partial<Record<Section, Readonly<Record<string, string>>>>> = {
  clusters: { "certificate-authority": "certificate-authority-data" },
  users: { "client-certificate": "client-certificate-data", "client-key": "client-key-data" },
};

/** Everything in one piece: what files hold goes in. `read` gives a file's bytes. */
export function flatten(config: KubeConfig, read: (path: string) => Buffer): KubeConfig {
  let out = config;
  for (const section of sections) {
    const pairs = Object.entries(embedded[section] ?? {});
    const entries = entriesOf(config, section).map(({ name, value }) => {
      const whole: JsonObject = { ...value };
      for (const [field, data] of pairs) {
        const path = whole[field];
        if (typeof path !== "string" || path === "") continue;
        whole[data] = read(path).toString("base64");
        delete whole[field];
      }
      return { name, value: whole };
    });
    out = withEntries(out, section, entries);
  }
  return out;
}
