// Which types fit which, with type parameters that are found on the way: one `Bindings` per expression.
import { dynType, isOptional, type CelType, type OpaqueType } from "./cel-type.ts";

const nullFits: ReadonlySet<CelType["kind"]> = new Set(["object", "opaque", "timestamp", "duration", "null"]);

export class Bindings {
  private bound = new Map<string, CelType>();
  private count = 0;

  /** A parameter that nothing is known of. */
  fresh(): CelType {
    return { kind: "param", name: `_var${this.count++}` };
  }

  /** A copy of the types in which each parameter is a fresh one. */
  instantiate(types: readonly CelType[]): CelType[] {
    const names = new Map<string, CelType>();
    const copy = (type: CelType): CelType => {
      switch (type.kind) {
        case "param": {
          const known = names.get(type.name) ?? this.fresh();
          names.set(type.name, known);
          return known;
        }
        case "list":
          return { ...type, element: copy(type.element) };
        case "map":
          return { ...type, key: copy(type.key), value: copy(type.value) };
        case "opaque":
          return type.params.length === 0 ? type : { ...type, params: type.params.map(copy) };
        case "type":
          return { ...type, of: copy(type.of) };
        default:
          return type;
      }
    };
    return types.map(copy);
  }

  /** What is known of a type now. Parameters that are still open stay. */
  resolve(type: CelType): CelType {
    switch (type.kind) {
      case "param": {
        const known = this.bound.get(type.name);
        return known === undefined ? type : this.resolve(known);
      }
      case "list":
        return { ...type, element: this.resolve(type.element) };
      case "map":
        return { ...type, key: this.resolve(type.key), value: this.resolve(type.value) };
      case "opaque":
        return type.params.length === 0
          ? type
          : { ...type, params: type.params.map((one) => this.resolve(one)) };
      case "type":
        return { ...type, of: this.resolve(type.of) };
      default:
        return type;
    }
  }

  /** Whether all the pairs fit; what was found of parameters is kept only if so. */
  fitAll(from: readonly CelType[], to: readonly CelType[]): boolean {
    const before = new Map(this.bound);
    const fits = from.every((type, i) => this.fit(type, to[i] ?? dynType));
    if (!fits) this.bound = before;
    return fits;
  }

  private fit(from: CelType, to: CelType): boolean {
    if (to.kind === "param") return this.bind(to.name, from);
    if (from.kind === "param") return this.bind(from.name, to);
    if (from.kind === "dyn" || to.kind === "dyn" || from.kind === "error" || to.kind === "error") return true;
    if (from.kind === "null") return nullFits.has(to.kind);
    if (to.kind === "null") return nullFits.has(from.kind);
    if (from.kind === "list") return to.kind === "list" && this.fit(from.element, to.element);
    if (from.kind === "map")
      return to.kind === "map" && this.fit(from.key, to.key) && this.fit(from.value, to.value);
    if (from.kind === "object") return to.kind === "object" && from.name === to.name;
    if (from.kind === "type") return to.kind === "type";
    if (from.kind === "opaque") return to.kind === "opaque" && this.fitOpaque(from, to);
    return from.kind === to.kind;
  }

  private fitOpaque(from: OpaqueType, to: OpaqueType): boolean {
    return from.name === to.name && from.params.every((one, i) => this.fit(one, to.params[i] ?? dynType));
  }

  private bind(name: string, type: CelType): boolean {
    const target = this.resolve(type);
    if (target.kind === "param" && target.name === name) return true;
    const known = this.bound.get(name);
    if (known === undefined) {
      if (mentions(target, name)) return false;
      this.bound.set(name, target);
      return true;
    }
    if (!this.fit(target, known)) return false;
    // What is known only at run time makes the whole so; null makes way for what may be null.
    if (target.kind === "dyn" || this.resolve(known).kind === "null") this.bound.set(name, target);
    return true;
  }
}

function mentions(type: CelType, name: string): boolean {
  switch (type.kind) {
    case "param":
      return type.name === name;
    case "list":
      return mentions(type.element, name);
    case "map":
      return mentions(type.key, name) || mentions(type.value, name);
    case "opaque":
      return type.params.some((one) => mentions(one, name));
    case "type":
      return mentions(type.of, name);
    default:
      return false;
  }
}

/** Open parameters become dyn: nothing will be found of them any more. */
export function closed(type: CelType): CelType {
  switch (type.kind) {
    case "param":
      return dynType;
    case "list":
      return { ...type, element: closed(type.element) };
    case "map":
      return { ...type, key: closed(type.key), value: closed(type.value) };
    case "opaque":
      return type.params.length === 0 ? type : { ...type, params: type.params.map(closed) };
    case "type":
      return { ...type, of: closed(type.of) };
    default:
      return type;
  }
}

/** Inside of an optional, or the type itself. */
export const unwrapOptional = (type: CelType): CelType =>
  isOptional(type) ? (type.params[0] ?? dynType) : type;
