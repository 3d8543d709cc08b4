import { extractCredentials, verifyCredentials } from "@supabase/server/core";
import type { KeySet } from "../config.ts";
import { SyncError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { HttpError } from "./http_error.ts";
import { secretsEqual } from "./secrets_equal.ts";

/** Carries the dispatch token: database schedule and sync functions use it to wake the dispatcher. */
export const DISPATCH_TOKEN_HEADER = "x-connector-token";

/** Who is calling. */
export type Caller =
  /** Whoever knows the dispatch token: it opens the dispatcher and nothing else. */
  | { readonly type: "dispatch" }
  /** Another function, or an operator: a secret key on the header `apikey`. */
  | { readonly type: "secret" }
  /** A signed-in user, whose own token reaches the database so that RLS applies. */
  | { readonly type: "user"; readonly userId: string; readonly accessToken: Secret };

/** What callers are checked against. */
export interface CallerSettings {
  readonly supabaseUrl: string;
  readonly secretKeys: ReadonlyMap<string, Secret>;
  /** Needed for `dispatch` callers. */
  readonly dispatchToken?: Secret;
  /** Needed for `user` callers. */
  readonly keySet?: KeySet;
}

/** Identifies callers of the accepted types; throws `unauthorized` (401) for all others. */
export type IdentifyCaller = <Type extends Caller["type"]>(
  request: Request,
  accepted: readonly Type[],
) => Promise<Extract<Caller, { type: Type }>>;

interface Credentials {
  readonly token: string | null;
  readonly apikey: string | null;
}

/** Creates the check of who is calling. */
export function createIdentifyCaller(settings: CallerSettings): IdentifyCaller {
  return async function identifyCaller(request, accepted) {
    const caller = await identify(settings, request, new Set<Caller["type"]>(accepted));
    if (isOneOf(caller, accepted)) return caller;
    throw unauthorized(new Set<Caller["type"]>(accepted));
  };
}

function isOneOf<Type extends Caller["type"]>(
  caller: Caller | null,
  accepted: readonly Type[],
): caller is Extract<Caller, { type: Type }> {
  return caller !== null && accepted.some((type) => type === caller.type);
}

async function identify(
  settings: CallerSettings,
  request: Request,
  accepted: ReadonlySet<Caller["type"]>,
): Promise<Caller | null> {
  const dispatchToken = request.headers.get(DISPATCH_TOKEN_HEADER);
  if (accepted.has("dispatch") && dispatchToken !== null) {
    const expected = settings.dispatchToken;
    if (expected !== undefined && await secretsEqual(dispatchToken, expected.reveal())) {
      return { type: "dispatch" };
    }
    throw new HttpError("unauthorized", DISPATCH_TOKEN_REFUSED);
  }
  const credentials = extractCredentials(request);
  if (accepted.has("user") && carriesUserToken(credentials)) {
    return await verifyUser(settings, credentials);
  }
  return accepted.has("secret") ? await verifySecretKey(settings, credentials) : null;
}

// supabase-js repeats its API key as the bearer token; anything else there is a user's own token,
// and a user stays a user whatever key comes along.
function carriesUserToken({ token, apikey }: Credentials): boolean {
  return token !== null && !token.startsWith("sb_") && token !== apikey;
}

async function verifyUser(settings: CallerSettings, credentials: Credentials): Promise<Caller> {
  const { data, error } = await verifyCredentials(credentials, {
    auth: "user",
    audience: "authenticated",
    env: keysFor(settings),
  });
  if (error !== null) {
    if (error.status < 500) throw new HttpError("unauthorized", TOKEN_REFUSED, { cause: error });
    throw new SyncError("unavailable", KEY_SET_UNREACHABLE, { cause: error });
  }
  const { token, userClaims } = data;
  if (token === null || userClaims === null || userClaims.role !== "authenticated") {
    throw new HttpError("unauthorized", TOKEN_REFUSED);
  }
  return { type: "user", userId: userClaims.id, accessToken: new Secret(token) };
}

async function verifySecretKey(
  settings: CallerSettings,
  credentials: Credentials,
): Promise<Caller | null> {
  if (credentials.apikey === null) return null;
  const { error } = await verifyCredentials(
    { token: null, apikey: credentials.apikey },
    { auth: "secret:*", env: keysFor(settings) },
  );
  // The package's own error lists the names of the configured keys: it goes no further.
  return error === null ? { type: "secret" } : null;
}

// Everything the package would otherwise read from the environment is given, checked by config.ts.
function keysFor(settings: CallerSettings) {
  return {
    url: settings.supabaseUrl,
    publishableKeys: {},
    secretKeys: Object.fromEntries(
      Array.from(settings.secretKeys, ([name, key]) => [name, key.reveal()]),
    ),
    jwks: settings.keySet ?? { keys: [] },
  };
}

const TOKEN_REFUSED = "The access token is not valid or has expired: sign in again.";
const DISPATCH_TOKEN_REFUSED =
  `The header ${DISPATCH_TOKEN_HEADER} does not hold this project's CONNECTOR_DISPATCH_TOKEN. ` +
  "The Vault secret connector_dispatch_token must have the same value.";
const KEY_SET_UNREACHABLE = "The project's signing keys cannot be read now; try again.";

/** How each type of caller shows who it is. */
const WAYS: Readonly<Record<Caller["type"], string>> = {
  dispatch: `the dispatch token on the header ${DISPATCH_TOKEN_HEADER}`,
  secret: "a secret key on the header apikey",
  user: "a signed-in user's access token on the header authorization",
};

function unauthorized(accepted: ReadonlySet<Caller["type"]>): HttpError {
  const ways = Array.from(accepted, (type) => WAYS[type]).join(", or ");
  return new HttpError("unauthorized", `This function needs ${ways}.`);
}
