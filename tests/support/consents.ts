/**
 * The oauth function on the test run's database, with a provider whose consent page, token address
 * and revocation address are played from memory.
 */
import { createHash } from "node:crypto";
import { registerAnswer, registerSecret } from "../../local/leaks/register.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import {
  createOAuthHandler,
  type OAuthFunctionDeps,
} from "../../supabase/functions/_shared/handlers/oauth.ts";
import type { Handler } from "../../supabase/functions/_shared/handlers/create_handler.ts";
import type { ConsentProvider } from "../../supabase/functions/_shared/oauth/consent.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { ADA, type Sql } from "./database.ts";
import { API_URL, createTokenIssuer, environment, fakeDeps } from "./function_fakes.ts";
import { connectAsService } from "./synced.ts";

export const PUBLIC_URL = "https://files.example.com";
export const REDIRECT_TO = "https://app.example.com/connected";
export const CLIENT_SECRET = "client-secret-of-the-tests";
export const SCOPES = ["files.read", "offline"] as const;

const REDIRECT_URI = `${PUBLIC_URL}/functions/v1/oauth/callback`;
const PROVIDER = "https://provider.example";

interface PendingCode {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly clientId: string;
}

/** A provider's side of the flow. Tests change how it behaves, and look at what it gave away. */
export interface PlayedProvider {
  readonly provider: ConsentProvider;
  readonly fetch: typeof fetch;
  /** The application that endpoints use. */
  clientId: string;
  /** What the token answer says of scopes; `null`: nothing. */
  scope: string | null;
  givesRefreshToken: boolean;
  isDown: boolean;
  /** Everything secret that was ever handed out or shown. */
  readonly secrets: Set<string>;
  readonly revoked: string[];
  /** How many codes were exchanged, with or without success. */
  exchanges: number;
  /** Consents on the page behind `authorizationUrl`; answers where the browser is sent back to. */
  consent(authorizationUrl: string): URL;
  /** Leaves the page with an error. */
  refuse(authorizationUrl: string, error: string): URL;
}

registerSecret("client_secret", CLIENT_SECRET);
const PLAYED_KINDS = { access: "access_token", refresh: "refresh_token", code: "code" } as const;

/** Creates a provider that allows everything. */
export function createPlayedProvider(): PlayedProvider {
  const codes = new Map<string, PendingCode>();
  let count = 0;
  const secret = (kind: keyof typeof PLAYED_KINDS) => {
    const value = `${kind}-${++count}-${crypto.randomUUID()}`;
    played.secrets.add(value);
    registerSecret(PLAYED_KINDS[kind], value);
    return value;
  };

  function exchange(form: URLSearchParams): Response {
    played.exchanges += 1;
    const code = form.get("code") ?? "";
    const verifier = form.get("code_verifier") ?? "";
    played.secrets.add(verifier);
    registerSecret("code_verifier", verifier);
    const pending = codes.get(code);
    codes.delete(code);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    if (
      pending?.challenge !== challenge || pending.redirectUri !== form.get("redirect_uri") ||
      pending.clientId !== form.get("client_id") || form.get("client_secret") !== CLIENT_SECRET
    ) return Response.json({ error: "invalid_grant" }, { status: 400 });
    return Response.json({
      access_token: secret("access"),
      ...(played.givesRefreshToken ? { refresh_token: secret("refresh") } : {}),
      ...(played.scope === null ? {} : { scope: played.scope }),
      token_type: "Bearer",
      expires_in: 3600,
    });
  }

  function redirect(authorizationUrl: string, answer: Record<string, string>): URL {
    const { searchParams } = new URL(authorizationUrl);
    const back = new URL(searchParams.get("redirect_uri") ?? "");
    for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
    back.searchParams.set("state", searchParams.get("state") ?? "");
    return back;
  }

  const played: PlayedProvider = {
    clientId: "client of the tests",
    scope: SCOPES.join(" "),
    givesRefreshToken: true,
    isDown: false,
    secrets: new Set([CLIENT_SECRET]),
    revoked: [],
    exchanges: 0,
    consent(authorizationUrl) {
      const { searchParams } = new URL(authorizationUrl);
      const code = secret("code");
      codes.set(code, {
        challenge: searchParams.get("code_challenge") ?? "",
        redirectUri: searchParams.get("redirect_uri") ?? "",
        clientId: searchParams.get("client_id") ?? "",
      });
      return redirect(authorizationUrl, { code, iss: PROVIDER });
    },
    refuse: (authorizationUrl, error) =>
      redirect(authorizationUrl, { error, error_description: "<b>description</b>" }),
    async fetch(input, init) {
      if (played.isDown) throw new TypeError("connection refused");
      const request = new Request(input, init);
      const form = new URLSearchParams(await request.text());
      if (request.url === `${PROVIDER}/token`) return exchange(form);
      played.revoked.push(form.get("token") ?? "");
      return new Response(null, { status: 200 });
    },
    provider: {
      displayName: "The Provider",
      parseConfig: (stored) => stored,
      parseSettings: () => ({ apiUrl: PROVIDER, tokenUrl: `${PROVIDER}/token`, credentials: null }),
      oauthProfile: () => ({
        authorizeUrl: `${PROVIDER}/authorize?hint=1`,
        tokenUrl: `${PROVIDER}/token`,
        revokeUrl: `${PROVIDER}/revoke`,
        clientId: played.clientId,
        clientSecret: new Secret(CLIENT_SECRET),
        clientAuthentication: "body",
        scopes: SCOPES,
        authorizeParameters: { access: "offline" },
        refreshTokenDays: 14,
        rotatesRefreshToken: true,
      }),
      classifyGrant: ({ status }) =>
        status >= 500
          ? new SyncError("unavailable", "The provider did not answer.")
          : new SyncError("grant_revoked", "The provider refused the code: connect again."),
    },
  };
  return played;
}

/** The oauth function, and everything it wrote or said. */
export interface TestOAuth {
  readonly played: PlayedProvider;
  readonly handler: Handler;
  readonly lines: string[];
  /** Replaces the way to the provider's token address. */
  intercept(fetch: typeof globalThis.fetch): void;
  /** Moves the function's clock; the database keeps its own. */
  readonly clock: { offsetMs: number };
  readonly sign: (userId: string) => Promise<string>;
  /** Asks for a consent as a user, as a browser app does. */
  authorize(endpointId: string, options?: AuthorizeOptions): Promise<Response>;
  /** Like {@linkcode TestOAuth.authorize}, of one that must be given; answers the consent's address. */
  begin(endpointId: string, options?: AuthorizeOptions): Promise<string>;
  /** Follows the provider's redirect. */
  follow(back: URL | string): Promise<Response>;
  disconnect(body: unknown, headers: Readonly<Record<string, string>>): Promise<Response>;
  /** Throws if anything secret shows in an answer, in the logs or in a table. */
  assertNothingLeaks(sql: Sql, ...responses: readonly Response[]): Promise<void>;
}

/** Who asks, and how. */
export interface AuthorizeOptions {
  readonly userId?: string;
  readonly redirectTo?: string | null;
  readonly accept?: string;
}

/** Creates the function. */
export async function createTestOAuth(): Promise<TestOAuth> {
  const played = createPlayedProvider();
  const issuer = await createTokenIssuer();
  const env = environment({
    SUPABASE_JWKS: issuer.jwks,
    CONNECTOR_PUBLIC_URL: PUBLIC_URL,
    CONNECTOR_OAUTH_REDIRECT_URLS: REDIRECT_TO,
  });
  const clock = { offsetMs: 0 };
  let tokenFetch = played.fetch;
  const fakes = fakeDeps({ env, db: connectAsService() });
  const deps: OAuthFunctionDeps = {
    ...fakes,
    now: () => new Date(Date.now() + clock.offsetMs),
    newId: () => crypto.randomUUID(),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    tokenFetch: (input, init) => tokenFetch(input, init),
  };
  const answer = createOAuthHandler(() => played.provider, deps);
  const handler: Handler = async (request) => {
    const response = await answer(request);
    await registerAnswer(`answer of ${request.method} ${new URL(request.url).pathname}`, response);
    return response;
  };
  const sign = (userId: string) => issuer.sign({ sub: userId });

  const authorize: TestOAuth["authorize"] = async (endpointId, options = {}) => {
    const { userId = ADA, redirectTo = REDIRECT_TO, accept = "application/json" } = options;
    const url = new URL(`${API_URL}/oauth/authorize`);
    url.searchParams.set("endpoint_id", endpointId);
    if (redirectTo !== null) url.searchParams.set("redirect_to", redirectTo);
    const headers = { authorization: `Bearer ${await sign(userId)}`, accept };
    return await handler(new Request(url, { headers }));
  };

  return {
    played,
    handler,
    lines: fakes.lines,
    clock,
    intercept: (fetch) => tokenFetch = fetch,
    sign,
    authorize,
    async begin(endpointId, options) {
      const response = await authorize(endpointId, options);
      const { authorization_url, message } = await response.json();
      if (response.status !== 200) throw new Error(`Cannot begin a consent: ${message}`);
      return authorization_url;
    },
    follow(back) {
      const { pathname, search } = new URL(back);
      return handler(new Request(`${API_URL}${pathname.replace("/functions/v1", "")}${search}`));
    },
    disconnect: (body, headers) =>
      handler(
        new Request(`${API_URL}/oauth/disconnect`, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
        }),
      ),
    async assertNothingLeaks(sql, ...responses) {
      const texts = await Promise.all([...responses.map(textOf), tablesOf(sql)]);
      const everything = [...texts, ...fakes.lines].join("\n");
      const found = [...played.secrets].filter((value) => everything.includes(value));
      if (found.length > 0) throw new Error(`These show in clear: ${found.join(", ")}`);
    },
  };
}

/** Where the provider sends browsers back to. */
export { REDIRECT_URI };

async function textOf(response: Response): Promise<string> {
  const body = response.bodyUsed ? "" : await response.clone().text();
  return `${JSON.stringify([...response.headers])}\n${body}`;
}

async function tablesOf(sql: Sql): Promise<string> {
  const rows = await sql`
    select to_jsonb(t)::text as row from public.oauth_tokens as t
    union all select to_jsonb(e)::text from public.endpoints as e
    union all select to_jsonb(l)::text from public.sync_logs as l
    union all select to_jsonb(c)::text from connector.consents as c`;
  return rows.map(({ row }) => row).join("\n");
}
