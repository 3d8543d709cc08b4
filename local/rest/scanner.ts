import { parseFailure } from "./failure.ts";

const IDENTIFIER = /[\p{L}\p{Nd}_ $]+/uy;
const LIST_END = /[,)]/;

/** Walks over one query parameter. Everything it refuses is a PGRST100 that says where. */
export class Scanner {
  private position = 0;
  private readonly text: string;
  private readonly subject: string;

  constructor(text: string, subject: string) {
    this.text = text;
    this.subject = subject;
  }

  get isAtEnd(): boolean {
    return this.position >= this.text.length;
  }

  startsWith(token: string): boolean {
    return this.text.startsWith(token, this.position);
  }

  /** Consumes `token` if it comes next. */
  take(token: string): boolean {
    if (!this.startsWith(token)) return false;
    this.position += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.failure(`expecting "${token}"`);
  }

  skipSpaces(): void {
    while (this.take(" ") || this.take("\t"));
  }

  /** Consumes what a sticky expression matches, or answers `null`. */
  match(pattern: RegExp): string | null {
    const sticky = new RegExp(pattern.source, `${pattern.flags.replace("y", "")}y`);
    sticky.lastIndex = this.position;
    const found = sticky.exec(this.text)?.[0] ?? null;
    if (found !== null) this.position += found.length;
    return found;
  }

  /** A name: quoted, or words joined by dashes. */
  fieldName(): string {
    if (this.startsWith('"')) return this.quoted();
    const words = [this.identifier()];
    while (this.startsWith("-") && !this.startsWith("->")) {
      this.expect("-");
      words.push(this.identifier());
    }
    return words.join("-");
  }

  identifier(): string {
    const word = this.match(IDENTIFIER)?.trim() ?? "";
    if (word === "") throw this.failure("expecting field name (* or [a..z0..9_$])");
    return word;
  }

  /** A text in double quotes; a backslash keeps the character after it. */
  quoted(): string {
    this.expect('"');
    let value = "";
    while (!this.take('"')) {
      this.take("\\");
      const character = this.text.at(this.position);
      if (character === undefined) throw this.failure('unexpected end of input, expecting "\\""');
      value += character;
      this.position += 1;
    }
    return value;
  }

  /** A value inside a list: quoted, or all up to the next comma or closing parenthesis. */
  listValue(): string {
    const start = this.position;
    if (this.startsWith('"')) {
      const value = this.quotedOrNull();
      if (value !== null && (this.isAtEnd || this.followedBy(LIST_END))) return value;
      this.position = start;
    }
    return this.match(/[^,)]*/) ?? "";
  }

  /** All that is left. */
  rest(): string {
    const value = this.text.slice(this.position);
    this.position = this.text.length;
    return value;
  }

  /** Ends the walk: nothing may be left. */
  end(): void {
    if (!this.isAtEnd) throw this.failure(`unexpected ${JSON.stringify(this.text[this.position])}`);
  }

  failure(details: string): Error {
    return parseFailure(
      `"failed to parse ${this.subject} (${this.text})" (line 1, column ${this.position + 1})`,
      details,
    );
  }

  private followedBy(pattern: RegExp): boolean {
    return pattern.test(this.text.charAt(this.position));
  }

  private quotedOrNull(): string | null {
    // A quote without its partner is an ordinary character here.
    const closing = /"(?:[^"\\]|\\.)*"/su;
    return closing.exec(this.text.slice(this.position))?.index === 0 ? this.quoted() : null;
  }
}
