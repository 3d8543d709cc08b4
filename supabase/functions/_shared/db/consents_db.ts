import { z } from "zod";
import type { Call } from "./connector_db.ts";
import { isMissing } from "./database_error.ts";

/** The part of the database that connects and disconnects accounts. */
export interface ConsentsDb {
  /** An endpoint of a user, or of anyone where `userId` is null; `null` where there is none. */
  ownedEndpoint(endpointId: string, userId: string | null): Promise<OwnedEndpoint | null>;
  /** Keeps what a redirect will be checked against; `false` where the endpoint is not the user's. */
  beginConsent(consent: BegunConsent): Promise<boolean>;
  /** Takes a consent, so that nobody can take it again; `null` where it is worth nothing (any more). */
  takeConsent(consentId: string): Promise<TakenConsent | null>;
  /** Keeps a grant and makes its endpoint due; `false` where the endpoint is no longer the user's. */
  storeGrant(grant: SealedGrant): Promise<boolean>;
  /** Takes the grant of an endpoint away; `null` where there is no such endpoint. */
  disconnect(endpointId: string, userId: string | null): Promise<Disconnected | null>;
}

/** A consent that is about to be asked for. */
export interface BegunConsent {
  readonly consent_id: string;
  readonly endpoint_id: string;
  readonly user_id: string;
  /** Of PKCE; compact JWE, never the verifier itself. */
  readonly code_verifier: string;
  readonly redirect_to: string | null;
  readonly lifetime_seconds: number;
}

/** The tokens of a connected account, ready to be stored. */
export interface SealedGrant {
  readonly endpoint_id: string;
  readonly user_id: string;
  /** Compact JWE, as the next. */
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly scope: string | null;
  readonly expires_at: string;
  /** When the refresh token is to be used at the latest, lest it lapse. */
  readonly refresh_by: string;
}

const OwnedEndpointSchema = z.object({
  endpoint_id: z.string(),
  user_id: z.string(),
  name: z.string(),
  endpoint_type: z.string(),
  project_id: z.string(),
  endpoint_config: z.unknown(),
  file_types: z.array(z.string()).nullable(),
  needs_grant: z.boolean(),
  token: z.object({
    access_token: z.string(),
    token_type: z.string(),
    scope: z.string().nullable(),
    expires_at: z.string(),
    grant_type: z.enum(["application", "user"]),
    generation: z.number(),
  }).nullable(),
});

const TakenConsentSchema = z.object({
  endpoint_id: z.string(),
  user_id: z.string(),
  code_verifier: z.string(),
  redirect_to: z.string().nullable(),
  endpoint_type: z.string(),
  endpoint_config: z.unknown(),
});

const RetiredTokensSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string().nullable(),
});

/** An endpoint as the functions for its owner need it, with its sealed token. */
export type OwnedEndpoint = z.infer<typeof OwnedEndpointSchema>;

/** What a consent was begun with, and its endpoint as it is now. */
export type TakenConsent = z.infer<typeof TakenConsentSchema>;

/** The sealed tokens that an endpoint had, to be revoked; `null` where no account was connected. */
export interface Disconnected {
  readonly tokens: z.infer<typeof RetiredTokensSchema> | null;
}

/** Makes the calls of {@linkcode ConsentsDb}. */
export function createConsentsDb(call: Call): ConsentsDb {
  return {
    ownedEndpoint: (endpointId, userId) =>
      call(
        "connector_owned_endpoint",
        { p_endpoint_id: endpointId, p_user_id: userId },
        OwnedEndpointSchema.nullable(),
      ),
    beginConsent: async (consent) => {
      const begun = call("connector_begin_consent", { p_consent: consent }, z.unknown());
      return await unlessMissing(begun.then(() => true)) ?? false;
    },
    takeConsent: (consentId) =>
      call(
        "connector_take_consent",
        { p_consent_id: consentId },
        TakenConsentSchema.nullable(),
      ),
    storeGrant: (grant) => call("connector_store_grant", { p_grant: grant }, z.boolean()),
    disconnect: (endpointId, userId) =>
      unlessMissing(
        call(
          "connector_disconnect",
          { p_endpoint_id: endpointId, p_user_id: userId },
          RetiredTokensSchema.nullable(),
        ).then((tokens) => ({ tokens })),
      ),
  };
}

async function unlessMissing<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
