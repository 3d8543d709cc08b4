import { z } from "zod";
import { parseKeys } from "./token_keys_setting.ts";

const KEY_BYTES = 32;

const Keys = z.record(z.string(), z.string());

/** A value of the setting with one more key. */
export interface NewKeys {
  readonly value: string;
  readonly keyId: string;
}

/** Adds a random key after those of `text`, which keep their names and values. */
export function withNewKey(text: string | null): NewKeys {
  const keys = text === null ? {} : readKeys(text);
  const keyId = nextId(Object.keys(keys));
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const key = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  const value = JSON.stringify({ ...keys, [keyId]: key });
  // A value that the functions would refuse is not handed out.
  parseKeys(value, "the new value");
  return { value, keyId };
}

function readKeys(text: string): Record<string, string> {
  parseKeys(text, "the value there is");
  return Keys.parse(JSON.parse(text));
}

/** `k` and a number higher than any there is. */
function nextId(ids: readonly string[]): string {
  const numbers = ids.map((id) => Number(/^k(\d{1,9})$/.exec(id)?.[1] ?? 0));
  return `k${Math.max(0, ...numbers) + 1}`;
}
