// What may be a name, a label, an annotation key. Pure; each check answers with the documented sentences, or nothing.

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const wildcard = `\\*\\.${subdomain}`;
const label1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValue = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const configKey = "[-._a-zA-Z0-9]+";

export const dnsLabelLengthMax = 63;
export const dnsSubdomainLengthMax = 253;

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);
const patterns = {
  label: whole(label),
  subdomain: whole(subdomain),
  wildcard: whole(wildcard),
  label1035: whole(label1035),
  qualified: whole(qualified),
  labelValue: whole(labelValue),
  configKey: whole(configKey),
};

const tooLongSentence = (max: number): string => `must be no more than ${max} bytes`;
function explain(sentence: string, pattern: string, ...examples: string[]): string {
  const list = examples.map((example, at) => `${at > 0 ? " or " : ""}'${example}', `).join("");
  return `${sentence} (${examples.length > 0 ? `e.g. ${list}` : ""}regex used for validation is '${pattern}')`;
}

const labelSentence = explain(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  label,
  "my-name",
  "123-abc",
);
const subdomainSentence = explain(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomain,
  "example.com",
);
const wildcardSentence = explain(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  wildcard,
  "*.example.com",
);
const label1035Sentence = explain(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  label1035,
  "my-name",
  "abc-123",
);
const qualifiedSentence = explain(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualified,
  "MyName",
  "my.name",
  "123-abc",
);
const labelValueSentence = explain(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  labelValue,
  "MyValue",
  "my_value",
  "12345",
);

function check(value: string, pattern: RegExp, sentence: string, max: number): string[] {
  const errors: string[] = [];
  if (Buffer.byteLength(value) > max) errors.push(tooLongSentence(max));
  if (!pattern.test(value)) errors.push(sentence);
  return errors;
}

/** RFC 1123 label. */
export const checkDnsLabel = (value: string): string[] =>
  check(
    value,
    patterns.label,
    patterns.subdomain.test(value) ? "must not contain dots" : labelSentence,
    dnsLabelLengthMax,
  );
/** RFC 1123 subdomain. */
export const checkDnsSubdomain = (value: string): string[] =>
  check(value, patterns.subdomain, subdomainSentence, dnsSubdomainLengthMax);
/** `*.` and an RFC 1123 subdomain. */
export const checkWildcardDnsSubdomain = (value: string): string[] =>
  check(value, patterns.wildcard, wildcardSentence, dnsSubdomainLengthMax);
/** RFC 1035 label, as Service names are. */
export const checkDns1035Label = (value: string): string[] =>
  check(value, patterns.label1035, label1035Sentence, dnsLabelLengthMax);
export const checkLabelValue = (value: string): string[] =>
  check(value, patterns.labelValue, labelValueSentence, dnsLabelLengthMax);

/** `[prefix/]name`, as label and annotation keys are. */
export function checkQualifiedName(value: string): string[] {
  const parts = value.split("/");
  const errors: string[] = [];
  let name = parts[0] as string;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    name = parts[1] as string;
    if (prefix === "") errors.push("prefix part must be non-empty");
    else errors.push(...checkDnsSubdomain(prefix).map((error) => `prefix part ${error}`));
  } else if (parts.length > 2) {
    return [
      `a valid label key ${qualifiedSentence} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (name === "") errors.push("name part must be non-empty");
  else if (name.length > dnsLabelLengthMax) errors.push(`name part ${tooLongSentence(dnsLabelLengthMax)}`);
  if (!patterns.qualified.test(name)) errors.push(`name part ${qualifiedSentence}`);
  return errors;
}

/** Names that are only a URL path segment (RBAC objects). */
export function checkPathSegment(value: string): string[] {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
}

/** Names of environment variables: anything that a process can be given. */
export function checkEnvName(value: string): string[] {
  return /^[\x20-\x7e]*$/.test(value) && !value.includes("=")
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Keys of ConfigMap and Secret data. */
export function checkConfigKey(value: string): string[] {
  const errors: string[] = [];
  if (value.length > dnsSubdomainLengthMax) errors.push(tooLongSentence(dnsSubdomainLengthMax));
  if (!patterns.configKey.test(value)) {
    errors.push(
      explain(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configKey,
        "key.name",
        "KEY_NAME",
        "key-name",
      ),
    );
  }
  if (value === "." || value.startsWith(".."))
    errors.push(
      value === "." ? "must not be '.'" : value === ".." ? "must not be '..'" : "must not start with '..'",
    );
  return errors;
}

/** Names of container ports: IANA service names. */
export function checkPortName(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push(tooLongSentence(15));
  if (!/^[-a-z0-9]+$/.test(value))
    errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) errors.push("must contain at least one letter (a-z)");
  if (value.includes("--")) errors.push("must not contain consecutive hyphens");
  if (value !== "" && (value.startsWith("-") || value.endsWith("-")))
    errors.push("must not begin or end with a hyphen");
  return errors;
}

export const checkPortNumber = (port: number): string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : ["must be between 1 and 65535, inclusive"];

/** How a kind's name check treats the part before a generated suffix: a trailing hyphen is no error there. */
export function nameCheck(
  checkName: (value: string) => string[],
): (name: string, prefix: boolean) => string[] {
  return (name, prefix) => checkName(prefix && name.endsWith("-") ? `${name.slice(0, -1)}a` : name);
}

/** Names of HTTP headers. */
export const checkHttpHeaderName = (value: string): string[] =>
  /^[-A-Za-z0-9]+$/.test(value)
    ? []
    : [
        explain(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          "[-A-Za-z0-9]+",
          "X-Header-Name",
        ),
      ];
