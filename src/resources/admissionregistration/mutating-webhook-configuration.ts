// MutatingWebhookConfiguration: who else is asked what to change in a request.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { MutatingWebhookConfiguration } from "#machinery/gen/types/admissionregistration-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { validateWebhooks, webhookDefaults } from "./webhooks.ts";

export const mutatingWebhookConfiguration = defineResource<MutatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  resource: "mutatingwebhookconfigurations",
  categories: ["api-extensions"],
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Webhooks", ({ webhooks = [] }) => webhooks.length, { type: "integer" }),
    ageColumn,
  ],
  applyDefaults: ({ webhooks = [] }) => {
    for (const hook of webhooks) {
      webhookDefaults(hook);
      hook.reinvocationPolicy ??= "Never";
    }
  },
  prepareForCreate: (draft) => {
    (draft.metadata ??= {}).generation = 1;
  },
  prepareForUpdate: (draft, old) => {
    if (!isDeepStrictEqual(draft.webhooks, old.webhooks))
      (draft.metadata ??= {}).generation = (old.metadata?.generation ?? 0) + 1;
  },
  validate: ({ webhooks }) => validateWebhooks(webhooks),
});
