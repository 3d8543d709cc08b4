import { missingScope } from "./api_error.ts";
import { OAuthError } from "./oauth_error.ts";

const SCOPES: ReadonlySet<string> = new Set([
  "user:read",
  "user:write",
  "user-profile:read",
  "viewables:read",
  "data:read",
  "data:write",
  "data:create",
  "data:search",
  "bucket:create",
  "bucket:read",
  "bucket:update",
  "bucket:delete",
  "code:all",
  "account:read",
  "account:write",
  "application:service_account:read",
  "application:service_account:write",
  "openid",
]);

const MOST_SCOPES = 50;
const LONGEST_SCOPE_TEXT = 3000;

/** Reads a list of scopes; throws `invalid_scope` where it is empty, too long or unknown. */
export function parseScopes(text: string, longest = LONGEST_SCOPE_TEXT): string[] {
  const scopes = [...new Set(text.split(" ").filter((scope) => scope !== ""))];
  const isKnown = (scope: string) => SCOPES.has(scope) || /^data:read:.+/.test(scope);
  if (text.length > longest || scopes.length > MOST_SCOPES) {
    throw new OAuthError("invalid_scope", "The scope parameter is too long.");
  }
  if (scopes.length === 0 || !scopes.every(isKnown)) {
    throw new OAuthError("invalid_scope", "The requested scope is invalid, unknown, or malformed.");
  }
  return scopes;
}

/** Reads scopes that must not go beyond what was granted; by default all of it. */
export function narrowScopes(text: string | null, granted: readonly string[]): readonly string[] {
  if (text === null) return granted;
  const scopes = parseScopes(text);
  if (!scopes.every((scope) => granted.includes(scope))) {
    throw new OAuthError("invalid_scope", "The requested scope exceeds the scope granted.");
  }
  return scopes;
}

/** Every method of the emulator reads data: refuses a token that may not. */
export function requireDataRead(scopes: readonly string[]): void {
  if (!scopes.includes("data:read")) throw missingScope();
}
