import type { Env } from "../config.ts";
import type { ConnectorDb, OwnedEndpoint, TakenConsent } from "../db/connector_db.ts";
import { HttpError } from "../http/http_error.ts";
import type { OAuthProfile, Provider } from "../providers/types.ts";
import { type ConsentReference, type ConsentStates, stateUsedUp } from "./consent_state.ts";
import { challengeOf, createVerifier, type RandomBytes } from "./pkce.ts";
import type { TokenVault } from "./token_vault.ts";

/** What connecting an account needs to know of a provider. */
export type ConsentProvider = Pick<
  Provider<unknown>,
  "displayName" | "parseConfig" | "parseSettings" | "oauthProfile" | "classifyGrant"
>;

/** What connecting an account needs. */
export interface ConsentDeps {
  readonly db: Pick<ConnectorDb, "beginConsent" | "takeConsent" | "storeGrant">;
  readonly vault: TokenVault;
  readonly states: ConsentStates;
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string;
  readonly getProvider: (endpointType: string) => ConsentProvider;
  readonly env: Env;
  /** Reaches the providers' token addresses. */
  readonly tokenFetch: typeof fetch;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly randomBytes: RandomBytes;
}

/** Where a person gives their consent, and until when. */
export interface ConsentAddress {
  readonly authorizationUrl: string;
  readonly expiresAt: Date;
}

/** A consent that was taken, with the application it was asked for. */
export interface ConsentUnderWay extends TakenConsent, Pick<ConsentReference, "clientId"> {}

/** How long a person may take at the provider. */
const CONSENT_SECONDS = 600;

/** Begins a consent of the endpoint's owner. */
export async function beginConsent(
  deps: ConsentDeps,
  endpoint: OwnedEndpoint,
  redirectTo: string | null,
): Promise<ConsentAddress> {
  const { endpoint_id, user_id } = endpoint;
  const { profile } = profileOf(deps, endpoint);
  const verifier = createVerifier(deps.randomBytes);
  const consentId = deps.newId();
  const expiresAt = new Date(deps.now().getTime() + CONSENT_SECONDS * 1000);
  const isBegun = await deps.db.beginConsent({
    consent_id: consentId,
    endpoint_id,
    user_id,
    code_verifier: await deps.vault.seal(verifier, endpoint_id),
    redirect_to: redirectTo,
    lifetime_seconds: CONSENT_SECONDS,
  });
  if (!isBegun) throw endpointNotFound();
  const { clientId } = profile;
  const reference = { consentId, endpointId: endpoint_id, userId: user_id, clientId };
  const authorizationUrl = authorizationUrlOf(profile, {
    redirect_uri: deps.redirectUri,
    state: await deps.states.sign(reference, expiresAt),
    code_challenge: await challengeOf(verifier),
  });
  return { authorizationUrl, expiresAt };
}

/** Takes the consent that a state refers to; whatever becomes of it, the state is used up. */
export async function takeConsent(
  { states, db }: Pick<ConsentDeps, "states" | "db">,
  state: string | null,
): Promise<ConsentUnderWay> {
  if (state === null || state === "") {
    throw new HttpError("state_invalid", "The provider's redirect carries no state.");
  }
  const { consentId, endpointId, userId, clientId } = await states.verify(state);
  const consent = await db.takeConsent(consentId);
  if (consent?.endpoint_id !== endpointId || consent.user_id !== userId) throw stateUsedUp();
  return { ...consent, clientId };
}

/** The refusal of an endpoint that is not there, or not the caller's: neither is told. */
export function endpointNotFound(): HttpError {
  return new HttpError("not_found", "There is no such endpoint among yours.");
}

/** The provider of an endpoint, and the application with which its accounts are connected. */
export function profileOf(
  { getProvider, env }: Pick<ConsentDeps, "getProvider" | "env">,
  { endpoint_type, endpoint_config }: Pick<OwnedEndpoint, "endpoint_type" | "endpoint_config">,
): { readonly provider: ConsentProvider; readonly profile: OAuthProfile } {
  const provider = getProvider(endpoint_type);
  const settings = provider.parseSettings(env);
  const profile = provider.oauthProfile(provider.parseConfig(endpoint_config), settings);
  return { provider, profile };
}

function authorizationUrlOf(
  profile: OAuthProfile,
  parameters: Readonly<Record<"redirect_uri" | "state" | "code_challenge", string>>,
): string {
  const url = new URL(profile.authorizeUrl);
  const all = {
    ...profile.authorizeParameters,
    ...parameters,
    response_type: "code",
    client_id: profile.clientId,
    scope: profile.scopes.join(" "),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  return url.href;
}
