import { registerSecret } from "../leaks/register.ts";

/** What kind of secret a value is. */
export type SecretKind =
  | "access_token"
  | "refresh_token"
  | "code"
  | "code_verifier"
  | "assertion"
  | "client_secret";

/** A value that nobody but its holder may see. */
export interface KnownSecret {
  readonly kind: SecretKind;
  readonly value: string;
}

/** Every secret that an emulator gave away or was shown, so that a test can look for leaks. */
export class SecretLog {
  readonly #kinds = new Map<string, SecretKind>();

  /** Notes a secret and returns it. */
  note(kind: SecretKind, value: string): string {
    if (value !== "") this.#kinds.set(value, kind);
    registerSecret(kind, value);
    return value;
  }

  /** All of them, oldest first. */
  all(): readonly KnownSecret[] {
    return [...this.#kinds].map(([value, kind]) => ({ kind, value }));
  }
}
