import type { Catalog, Setting } from "./catalog.ts";
import { ANONYMOUS_ROLE, type Caller } from "./credentials.ts";
import { RestFailure } from "./failure.ts";
import type { IncomingRequest } from "./request.ts";

const ISOLATION = "default_transaction_isolation";
const SEARCH_PATH = "public, extensions";

/** What PostgREST sets for each transaction: the caller's role and limits, and what SQL may ask about. */
export function transactionSettings(
  catalog: Catalog,
  caller: Caller,
  { rest, path, headers }: IncomingRequest,
  ofRoutine: readonly Setting[],
): { readonly list: readonly Setting[]; readonly isolation: string | null } {
  const ofRole = catalog.roles.get(caller.role);
  if (ofRole === undefined) throw roleFailure(caller.role);
  const list: readonly Setting[] = [
    ["search_path", SEARCH_PATH],
    ...ofRole,
    // From here on the caller's rights hold.
    ["role", caller.role],
    ["request.jwt.claims", JSON.stringify(caller.claims)],
    ["request.method", rest.method],
    ["request.path", path],
    ["request.headers", JSON.stringify(Object.fromEntries(headers))],
    ["request.cookies", JSON.stringify(cookiesOf(headers))],
    ...ofRoutine,
  ];
  return {
    list: list.filter(([name]) => name !== ISOLATION),
    isolation: list.findLast(([name]) => name === ISOLATION)?.[1] ?? null,
  };
}

/** As Postgres puts it when `authenticator` may not take on the role. */
function roleFailure(role: string): RestFailure {
  const status = role === ANONYMOUS_ROLE ? 401 : 403;
  const message = `permission denied to set role "${role}"`;
  return new RestFailure(status, "42501", message, { isCatalogMiss: true });
}

function cookiesOf(headers: Headers): Record<string, string> {
  const pairs = (headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return Object.fromEntries(
    pairs.filter((pair) => pair.includes("=")).map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
