// Flags that several commands have alike.

import type { FlagSpec } from "./flags.ts";

export const filenameFlags = (purpose: string): readonly FlagSpec[] => [
  {
    name: "filename",
    shorthand: "f",
    type: "list",
    default: "[]",
    usage: `File or folder with manifests ${purpose}; - reads stdin`,
  },
  {
    name: "kustomize",
    shorthand: "k",
    type: "string",
    default: "''",
    usage: "Folder with a kustomization; not built yet, and refused.",
  },
  {
    name: "recursive",
    shorthand: "R",
    type: "bool",
    default: "false",
    usage: "Look into the folders of -f at any depth",
  },
];

export const selectorFlag: FlagSpec = {
  name: "selector",
  shorthand: "l",
  type: "string",
  default: "''",
  usage: "Labels to pick objects by: key=value, key!=value, key in (a,b), key, !key; all of them must hold.",
};

export const fieldSelectorFlag: FlagSpec = {
  name: "field-selector",
  type: "string",
  default: "''",
  usage: "Fields to pick objects by: field=value, field!=value. The server knows a few fields of each type.",
};

const templateFormats =
  "name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file";
export const objectFormats = `json, yaml, kyaml, ${templateFormats}`;

export const outputFlags = (formats = objectFormats): readonly FlagSpec[] => [
  {
    name: "allow-missing-template-keys",
    type: "bool",
    default: "true",
    usage: "A template's field that an object does not have prints as nothing. For jsonpath and go-template.",
  },
  {
    name: "output",
    shorthand: "o",
    type: "string",
    default: "''",
    usage: `Output format. One of: (${formats}).`,
  },
  {
    name: "show-managed-fields",
    type: "bool",
    default: "false",
    usage: "Keep metadata.managedFields in JSON and YAML",
  },
  {
    name: "template",
    type: "string",
    default: "''",
    usage: "The template of -o go-template and -o jsonpath",
  },
];

export const dryRunFlag: FlagSpec = {
  name: "dry-run",
  type: "string",
  default: "'none'",
  alone: "unchanged",
  usage:
    'One of "none", "server", "client". client: print what would be sent. server: the server checks it and stores nothing.',
};

export const validateFlag: FlagSpec = {
  name: "validate",
  type: "string",
  default: "'strict'",
  alone: "strict",
  usage:
    "One of strict (true), warn, ignore (false): what becomes of fields that the server does not know, or that stand twice.",
};

export const fieldManagerFlag = (name: string): FlagSpec => ({
  name: "field-manager",
  type: "string",
  default: `'${name}'`,
  usage: "Name under which the server tracks who set a field",
});
