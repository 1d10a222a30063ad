// All functions of the language at Kubernetes 1.36, by name.
import { functionTable, type FunctionTable } from "../signature.ts";
import { authorizers } from "./authorizer.ts";
import { conversions } from "./conversions.ts";
import { namedFormats } from "./formats.ts";
import { jsonPatches } from "./json-patch.ts";
import { lists, sets } from "./lists.ts";
import { cidrs, ips } from "./network.ts";
import { operators } from "./operators.ts";
import { optionals } from "./optionals.ts";
import { quantities } from "./quantity.ts";
import { regex } from "./regex.ts";
import { semvers } from "./semver.ts";
import { strings } from "./strings.ts";
import { urls } from "./url.ts";

export const library: FunctionTable = functionTable(
  operators,
  conversions,
  optionals,
  strings,
  regex,
  lists,
  sets,
  urls,
  ips,
  cidrs,
  quantities,
  semvers,
  namedFormats,
  authorizers,
  jsonPatches,
);
