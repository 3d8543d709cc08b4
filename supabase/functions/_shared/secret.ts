/** Stands where a secret would have been printed. */
export const HIDDEN = "[secret]";

/** A value that cannot be printed by accident: every way of turning it into text says `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one call that needs it. */
  reveal(): string {
    return this.#value;
  }

  /** Says nothing about the value. */
  toString(): string {
    return HIDDEN;
  }

  /** Says nothing about the value. */
  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return HIDDEN;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return HIDDEN;
  }
}
