import { isPlainAddress, type RedirectRule } from "../config_redirects.ts";
import { HttpError } from "../http/http_error.ts";

const LONGEST_REDIRECT = 2_000;
// A server behind the address may decode these into other segments than the ones compared here.
const ENCODED_SEPARATOR = /%(2f|5c|2e|00)/i;

/**
 * Returns the address to send the browser back to, as a browser would read it; throws
 * `parameter_invalid` for one that no rule allows. Whoever could choose it freely could have people
 * sent anywhere in our name.
 */
export function checkRedirect(redirectTo: string, rules: readonly RedirectRule[]): string {
  const url = redirectTo.length <= LONGEST_REDIRECT ? URL.parse(redirectTo) : null;
  if (url !== null && isPlainAddress(url) && rules.some((rule) => isBelow(url, rule))) {
    return url.href;
  }
  throw new HttpError(
    "parameter_invalid",
    "The redirect_to is not among the addresses of CONNECTOR_OAUTH_REDIRECT_URLS.",
  );
}

function isBelow(url: URL, { origin, path }: RedirectRule): boolean {
  if (url.origin !== origin || ENCODED_SEPARATOR.test(url.pathname)) return false;
  return url.pathname === path || url.pathname.startsWith(`${path}/`);
}

const OUTCOME_NAMES = ["connected", "error", "error_description"] as const;

/**
 * Adds what became of a consent to the address that the browser is sent back to; what an earlier one
 * came to is taken off.
 */
export function withOutcome(
  redirectTo: string,
  outcome: Readonly<Partial<Record<typeof OUTCOME_NAMES[number], string>>>,
): string {
  const url = new URL(redirectTo);
  for (const name of OUTCOME_NAMES) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(outcome)) url.searchParams.set(name, value);
  return url.href;
}
