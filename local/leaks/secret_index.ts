import { formsOf, type Secret } from "./secret_forms.ts";

/** A secret at a place in bytes. */
export interface Hit {
  readonly secret: string;
  /** Where its form begins. */
  readonly at: number;
}

/** Bytes that are compared at once. */
const WINDOW = 8;
/** Of so many bytes in a row, eight stand together at a multiple of eight. */
const ANCHOR = 2 * WINDOW - 1;
/** Longest form: every byte of a value written as three. */
export const LONGEST_FORM = 256;

/**
 * Many secrets, to be found in one pass over any number of bytes. Only every eighth position is
 * looked at: of each form, all eight groups of eight bytes that end in its last fifteen are kept,
 * and one of them stands there wherever the form may lie. What matches is compared in full.
 */
export class SecretIndex {
  /** How many values are searched for. */
  readonly size: number;
  readonly #names: string[] = [];
  readonly #forms: Uint8Array[] = [];
  /** One bit for each group that is known, and for some that are not. */
  readonly #filter: Uint32Array;
  readonly #mask: number;
  /** The first group of each hash, and the next one after each group; -1 ends a chain. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  /** Prepares to search for `secrets`. */
  constructor(secrets: readonly Secret[]) {
    const names = new Map<string, string>();
    for (const secret of secrets) {
      for (const form of formsOf(secret)) if (!names.has(form)) names.set(form, secret.name);
    }
    const encoder = new TextEncoder();
    for (const [form, name] of names) {
      this.#names.push(name);
      this.#forms.push(encoder.encode(form));
    }
    this.size = new Set(secrets.map(({ value }) => value)).size;
    const groups = this.#forms.length * WINDOW;
    const bits = Math.min(27, Math.max(16, Math.ceil(Math.log2(groups + 1)) + 4));
    this.#filter = new Uint32Array(2 ** (bits - 5));
    this.#mask = 2 ** bits - 1;
    this.#first = new Int32Array(2 ** Math.max(4, bits - 4)).fill(-1);
    this.#next = new Int32Array(groups);
    for (let group = 0; group < groups; group++) this.#add(group);
  }

  #add(group: number): void {
    const form = this.#forms[group >> 3] ?? new Uint8Array();
    const at = form.length - ANCHOR + (group & 7);
    const view = new DataView(form.buffer, form.byteOffset + at, WINDOW);
    const hash = hashOf(view.getUint32(0, true), view.getUint32(4, true));
    const bit = hash & this.#mask;
    this.#filter[bit >>> 5] = (this.#filter[bit >>> 5] ?? 0) | (1 << (bit & 31));
    const slot = hash & (this.#first.length - 1);
    this.#next[group] = this.#first[slot] ?? -1;
    this.#first[slot] = group;
  }

  /** Finds every secret in these bytes, each once for every form in which it stands there. */
  scan(given: Uint8Array): Hit[] {
    // Words are read on their own boundaries; this is the rule on every machine we run on.
    const bytes = given.byteOffset % 4 === 0 ? given : given.slice();
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    const filter = this.#filter;
    const mask = this.#mask;
    const last = words.length - 1;
    const hits: Hit[] = [];
    for (let n = 0; n < last; n += 2) {
      const hash = hashOf(words[n] ?? 0, words[n + 1] ?? 0);
      const bit = hash & mask;
      if (((filter[bit >>> 5] ?? 0) >>> (bit & 31) & 1) === 1) {
        this.#check(bytes, n * 4, hash, hits);
      }
    }
    return hits;
  }

  #check(bytes: Uint8Array, at: number, hash: number, hits: Hit[]): void {
    const slot = hash & (this.#first.length - 1);
    for (let group = this.#first[slot] ?? -1; group !== -1; group = this.#next[group] ?? -1) {
      const form = this.#forms[group >> 3] ?? new Uint8Array();
      const start = at - (form.length - ANCHOR + (group & 7));
      if (!isThere(bytes, start, form)) continue;
      const secret = this.#names[group >> 3] ?? "";
      hits.push({ secret, at: start });
    }
  }
}

function isThere(bytes: Uint8Array, start: number, form: Uint8Array): boolean {
  if (start < 0 || start + form.length > bytes.length) return false;
  for (let n = form.length - 1; n >= 0; n--) {
    if (bytes[start + n] !== form[n]) return false;
  }
  return true;
}

function hashOf(low: number, high: number): number {
  let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ hash >>> 13) >>> 0;
}
