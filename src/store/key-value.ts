// From a record, or its entry in the index, to what readers and watchers get. Pure.

import type { KeyValue } from "./store.ts";

type Written = Pick<KeyValue, "createRevision" | "version" | "lease"> & { readonly revision: number };

export const keyValue = (key: string, value: Buffer, written: Written): KeyValue => ({
  key,
  value,
  createRevision: written.createRevision,
  modRevision: written.revision,
  version: written.version,
  lease: written.lease,
});
