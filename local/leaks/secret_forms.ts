/** The disguises in which a secret travels. */
import { Buffer } from "node:buffer";

/** A value that must be nowhere in clear. */
export interface Secret {
  /** What it is; a finding says this and never the value. */
  readonly name: string;
  readonly value: string;
}

/** Shorter values would be found everywhere. */
export const SHORTEST = 16;
/** The end of a value is enough to find it, and to use it: of a JWT, its signature. */
const TAIL = 64;
/** The server's log shows the first 64 characters of a value, and other logs cut as well. */
const HEAD = 32;
/** Every JWT and every private key begins with what is no secret. */
const OPEN_BEGINNING = /^(eyJ|MII)/;

/** What to look for, to find a value or its beginning: each of them as text in ASCII. */
export function formsOf({ name, value }: Secret): ReadonlySet<string> {
  if (value.length < SHORTEST) throw new RangeError(`Cannot search for the short secret ${name}`);
  const forms = new Set<string>();
  addForms(forms, value.slice(-TAIL));
  const isCut = value.length > HEAD && !OPEN_BEGINNING.test(value);
  if (isCut) addForms(forms, value.slice(0, HEAD));
  return forms;
}

/** As it is, in an address, in a form, in JSON, and as the bytes of a `bytea` or of a header. */
function addForms(forms: Set<string>, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  const json = JSON.stringify(text).slice(1, -1);
  forms.add(text).add(json).add(json.replaceAll("/", "\\/")).add(encodeURIComponent(text));
  forms.add(new URLSearchParams([["", text]]).toString().slice(1));
  forms.add(bytes.toString("hex")).add(bytes.toString("hex").toUpperCase());
  for (let offset = 0; offset < 3; offset++) {
    // Bytes in the middle look different in base64 for each of three offsets.
    const whole = bytes.subarray(offset, bytes.length - (bytes.length - offset) % 3);
    forms.add(whole.toString("base64")).add(whole.toString("base64url"));
  }
}

/** The lines of a private key, of which each would be too much. */
export function keyLines(name: string, pem: string): Secret[] {
  const lines = pem.split("\n").filter((line) => /^[A-Za-z0-9+/=]{60,}$/.test(line));
  return lines.map((value) => ({ name, value }));
}
