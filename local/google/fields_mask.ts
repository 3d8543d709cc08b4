import { invalidParameter } from "./api_error.ts";

/** A parsed `fields` parameter: `null` means everything below this point. */
export type Mask = ReadonlyMap<string, Mask> | null;

/** The fields a resource can have; `null` for one that holds a plain value. */
export interface Shape {
  readonly [field: string]: Shape | null;
}

/** Reads a `fields` parameter against the shape of the answer; throws a 400 for unknown fields. */
export function parseMask(text: string, shape: Shape): Mask {
  const reader = new MaskReader(text);
  const mask = reader.list(shape);
  reader.end();
  return mask;
}

/** Leaves of a plain value what the mask names. Arrays are masked element by element. */
export function applyMask(value: unknown, mask: Mask): unknown {
  if (mask === null || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => applyMask(element, mask));
  const kept: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    const submask = mask.get(name);
    if (submask === undefined || field === undefined) continue;
    kept[name] = applyMask(field, submask);
  }
  return kept;
}

/** The mask that holds inside a field; an empty one where the field is not named. */
export function submaskOf(mask: Mask, name: string): Mask {
  if (mask === null) return null;
  const submask = mask.get(name);
  return submask === undefined ? new Map() : submask;
}

class MaskReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replace(/\s+/g, "");
  }

  end(): void {
    if (this.#at < this.#text.length) throw invalid(this.#text);
  }

  // list := path ("," path)*
  list(shape: Shape): Mask {
    const fields = new Map<string, Mask>();
    let isEverything = false;
    do {
      if (this.#path(fields, shape)) isEverything = true;
    } while (this.#skip(","));
    return isEverything ? null : fields;
  }

  // path := "*" | name ("/" path | "(" list ")")?; answers whether it was "*".
  #path(fields: Map<string, Mask>, shape: Shape): boolean {
    if (this.#skip("*")) return true;
    const name = this.#name();
    const inner = shape[name];
    if (inner === undefined) throw invalid(name);
    let mask: Mask = null;
    if (this.#skip("/")) {
      const nested = new Map<string, Mask>();
      mask = this.#path(nested, inner ?? {}) ? null : nested;
    } else if (this.#skip("(")) {
      mask = this.list(inner ?? {});
      if (!this.#skip(")")) throw invalid(this.#text);
    }
    fields.set(name, fields.has(name) ? merge(fields.get(name) ?? null, mask) : mask);
    return false;
  }

  #name(): string {
    const match = /^[A-Za-z][A-Za-z0-9_]*/.exec(this.#text.slice(this.#at));
    if (match === null) throw invalid(this.#text.slice(this.#at) || this.#text);
    this.#at += match[0].length;
    return match[0];
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}

function merge(left: Mask, right: Mask): Mask {
  if (left === null || right === null) return null;
  const merged = new Map(left);
  for (const [name, mask] of right) {
    merged.set(name, merged.has(name) ? merge(merged.get(name) ?? null, mask) : mask);
  }
  return merged;
}

function invalid(field: string): Error {
  return invalidParameter("fields", `Invalid field selection ${field}`);
}
