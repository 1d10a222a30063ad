// Kubernetes' format library: `format.dns1123Label().validate(name)` gives the complaints, or nothing.
import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkQualifiedName,
  nameCheck,
} from "#machinery/names.ts";
import { overload, type CostRule, type Overload } from "../signature.ts";
import { ListValue, OpaqueValue, OptionalValue } from "../value.ts";
import { tenth } from "../signature.ts";
import { parseTimestamp } from "../time.ts";
import { isUrl } from "./url.ts";

type Check = (text: string) => readonly string[];

class FormatValue extends OpaqueValue {
  readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;
  readonly check: Check;

  constructor(name: string, check: Check) {
    super();
    this.name = name;
    this.check = check;
  }

  get identity(): string {
    return this.name;
  }
}

const unless =
  (isValid: (text: string) => boolean, complaint: string): Check =>
  (text) =>
    isValid(text) ? [] : [complaint];
const prefixOf = (check: (text: string) => string[]): Check => {
  const named = nameCheck(check);
  return (text) => named(text, true);
};
const isBase64 = (text: string): boolean =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(`${text}T00:00:00Z`) !== undefined;
const isUuid = (text: string): boolean =>
  /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text);

const formats: ReadonlyMap<string, FormatValue> = new Map(
  (
    [
      ["dns1123Label", checkDnsLabel],
      ["dns1123Subdomain", checkDnsSubdomain],
      ["dns1035Label", checkDns1035Label],
      ["qualifiedName", checkQualifiedName],
      ["dns1123LabelPrefix", prefixOf(checkDnsLabel)],
      ["dns1123SubdomainPrefix", prefixOf(checkDnsSubdomain)],
      ["dns1035LabelPrefix", prefixOf(checkDns1035Label)],
      ["labelValue", checkLabelValue],
      ["uri", unless(isUrl, "invalid URI")],
      ["uuid", unless(isUuid, "does not match the UUID format")],
      ["byte", unless(isBase64, "invalid base64")],
      ["date", unless(isDate, "invalid date")],
      ["datetime", unless((text) => parseTimestamp(text) !== undefined, "invalid datetime")],
    ] satisfies readonly (readonly [string, Check])[]
  ).map(([name, check]) => [name, new FormatValue(name, check)]),
);

/** The formats' own expressions are taken to be this long. */
const patternSize = 128;
const validateCost: CostRule = (sizes) => tenth(sizes.size(1)) * Math.ceil(patternSize * 0.25);

function validate({ check }: FormatValue, text: string): OptionalValue {
  const complaints = check(text);
  return complaints.length === 0 ? OptionalValue.none : OptionalValue.of(ListValue.of(complaints));
}

function named(name: string): OptionalValue {
  const found = formats.get(name);
  return found === undefined ? OptionalValue.none : OptionalValue.of(found);
}

const type = "kubernetes.NamedFormat";
export const namedFormats: readonly Overload[] = [
  ...[...formats].map(([name, value]) => overload(`format::${name}(): ${type}`, () => value)),
  overload(`format::named(string): optional(${type})`, named),
  overload(`${type}.validate(string): optional(list(string))`, validate, validateCost, () => 10),
];
