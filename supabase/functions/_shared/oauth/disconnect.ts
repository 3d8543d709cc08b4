import type { ConnectorDb, Disconnected, OwnedEndpoint } from "../db/connector_db.ts";
import { SyncError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type ConsentDeps, endpointNotFound, profileOf } from "./consent.ts";
import { revokeToken, TOKEN_TIMEOUT_MS } from "./token_request.ts";

/** What {@linkcode disconnect} needs. */
export interface DisconnectDeps
  extends Pick<ConsentDeps, "vault" | "getProvider" | "env" | "tokenFetch" | "now"> {
  readonly db: Pick<ConnectorDb, "disconnect">;
  readonly log: Log;
}

/** What became of an account that was to be disconnected. */
export interface Disconnection {
  readonly disconnected: true;
  /** Whether the provider was told, and knows the grant no longer. */
  readonly revoked: boolean;
  readonly message: string;
}

/**
 * Takes the grant of an endpoint away, here first: a provider that does not answer must not keep a
 * connection alive that its owner has ended.
 */
export async function disconnect(
  deps: DisconnectDeps,
  endpoint: OwnedEndpoint,
  userId: string | null,
): Promise<Disconnection> {
  const retired = await deps.db.disconnect(endpoint.endpoint_id, userId);
  if (retired === null) throw endpointNotFound();
  const { tokens } = retired;
  if (tokens === null) {
    return { disconnected: true, revoked: false, message: "No account was connected." };
  }
  const revoked = await revoke(deps, endpoint, tokens);
  return { disconnected: true, revoked, message: revoked ? REVOKED : NOT_REVOKED };
}

const REVOKED = "The account is disconnected, and the provider has ended the grant.";
const NOT_REVOKED = "The account is disconnected and its tokens are deleted here, but the " +
  "provider could not be told: take this application's access away in the account's own settings.";

async function revoke(
  deps: DisconnectDeps,
  endpoint: OwnedEndpoint,
  { access_token, refresh_token }: NonNullable<Disconnected["tokens"]>,
): Promise<boolean> {
  const sealed = refresh_token ?? access_token;
  try {
    const { provider, profile } = profileOf(deps, endpoint);
    await revokeToken(profile, await deps.vault.open(sealed, endpoint.endpoint_id), {
      fetch: deps.tokenFetch,
      classify: (failure) => provider.classifyGrant(failure),
      now: deps.now,
      signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
      tokenTypeHint: refresh_token === null ? "access_token" : "refresh_token",
    });
    return true;
  } catch (cause) {
    // The provider had forgotten the grant before: that is what was wanted.
    if (cause instanceof SyncError && cause.code === "grant_revoked") return true;
    // The tokens are gone here whatever the provider says; the answer tells the caller what is left.
    deps.log.warn("grant_not_revoked", { endpoint_id: endpoint.endpoint_id, cause });
    return false;
  }
}
