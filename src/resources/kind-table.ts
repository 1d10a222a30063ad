// What the table tests of kinds have in common: an object goes through the same steps as in the server, and what is
// wrong with it is told as the causes of a Status say it.

import type { ResourceDefinition, StrategyContext } from "#machinery/define-resource.ts";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import type { KubeObject } from "#machinery/meta.ts";

const context: StrategyContext = {
  nowMs: Date.UTC(2020, 0, 2),
  settings: { serviceClusterIpRanges: ["10.96.0.0/12"], serviceNodePortRange: { from: 30000, to: 32767 } },
};

/** Changes a copy of the valid object. */
export type Change<T> = (object: T) => unknown;

/** One definition, and one valid object of it. */
export interface KindTable<T extends KubeObject> {
  /** The object as it is stored. */
  created(change?: Change<T>): T;
  /** What creating it is told, `field: message` each. */
  onCreate(change: Change<T>): string[];
  /** What the change of the stored object is told. */
  onUpdate(change: Change<T>, before?: Change<T>): string[];
  /** The same through the status. */
  onStatus(change: Change<T>): string[];
  /** The stored object after a change that is valid. */
  updated(change: Change<T>): T;
  warnings(change?: Change<T>): string[];
  row(change?: Change<T>): (string | number | boolean | null)[];
}

export function kindTable<T extends KubeObject>(definition: ResourceDefinition<T>, valid: T): KindTable<T> {
  const draft = (change: Change<T> = () => undefined): T => {
    const object = structuredClone(valid);
    change(object);
    definition.applyDefaults(object);
    definition.prepareForCreate(object, context);
    return object;
  };
  const changed = (change: Change<T>, before?: Change<T>): { next: T; old: T } => {
    const old = draft(before);
    const next = structuredClone(old);
    change(next);
    definition.applyDefaults(next);
    return { next, old };
  };
  return {
    created: draft,
    onCreate: (change) => definition.validate(draft(change)).map(fieldErrorMessage),
    onUpdate(change, before) {
      const { next, old } = changed(change, before);
      definition.prepareForUpdate(next, old, context);
      return definition.validateUpdate(next, old).map(fieldErrorMessage);
    },
    onStatus(change) {
      const { next, old } = changed(change);
      definition.status?.prepareForUpdate?.(next, old, context);
      return (definition.status?.validateUpdate?.(next, old) ?? []).map(fieldErrorMessage);
    },
    updated(change) {
      const { next, old } = changed(change);
      definition.prepareForUpdate(next, old, context);
      return next;
    },
    warnings: (change) => definition.warnings(draft(change), undefined),
    row: (change) => {
      const object = draft(change);
      return definition.columns.map(({ cell }) => cell(object, context.nowMs));
    },
  };
}

/** What is done, how, and what is told: `field: message` each. */
export type Row<T> = readonly [title: string, change: Change<T>, ...causes: string[]];

export interface Rows<T> {
  readonly create?: readonly Row<T>[];
  readonly update?: readonly Row<T>[];
  readonly status?: readonly Row<T>[];
}

/** Makes a function that checks the rows of a kind, each by `check`. */
export const tableChecker =
  (check: (title: string, told: () => string[], causes: string[]) => void) =>
  <T extends KubeObject>(name: string, kind: KindTable<T>, rows: Rows<T>): void => {
    const told = { create: kind.onCreate, update: kind.onUpdate, status: kind.onStatus };
    for (const way of ["create", "update", "status"] as const)
      for (const [title, change, ...causes] of rows[way] ?? [])
        check(`${name}, ${way}: ${title}`, () => told[way](change), causes);
  };
