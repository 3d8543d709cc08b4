import { SyncError } from "../../errors.ts";

/** Of whom `impersonate` may name. */
export const IMPERSONATE = "CONNECTOR_GOOGLE_IMPERSONATE";

const ADDRESS = /^[^@\s]+@[^@\s]+$/;
const DOMAIN = /^@[^@\s]+$/;

/** Says whether endpoints may read in the name of a user. */
export interface Impersonation {
  allows(email: string): boolean;
}

/** What an administrator's domain-wide delegation allows is not narrowed any further. */
const ANYONE: Impersonation = { allows: () => true };

/**
 * Reads the list of whom endpoints may read for: addresses, and whole domains as `@example.com`,
 * parted by commas. Without it, anyone.
 */
export function parseImpersonation(value: string | undefined): Impersonation {
  const text = value?.trim() ?? "";
  if (text === "") return ANYONE;
  const entries = text.toLowerCase().split(",").map((entry) => entry.trim());
  const wrong = entries.find((entry) => !ADDRESS.test(entry) && !DOMAIN.test(entry));
  if (wrong !== undefined) {
    throw new SyncError(
      "setting_invalid",
      `Cannot read ${IMPERSONATE} as it must list e-mail addresses, or domains as "@example.com", ` +
        `parted by commas: current value holds "${wrong}"`,
    );
  }
  const allowed = new Set(entries);
  return {
    allows(email) {
      const address = email.toLowerCase();
      return allowed.has(address) || allowed.has(address.slice(address.lastIndexOf("@")));
    },
  };
}
