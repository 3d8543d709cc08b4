import { Hono } from "hono";
import { z } from "zod";
import { type OAuthSettings, readOAuthSettings } from "../config.ts";
import type { ConnectorDb } from "../db/connector_db.ts";
import { jsonAnswer } from "../http/answers.ts";
import { readJsonBody } from "../http/body.ts";
import { createIdentifyCaller, type IdentifyCaller } from "../http/caller.ts";
import { HttpError, toRefusal } from "../http/http_error.ts";
import {
  beginConsent,
  type ConsentDeps,
  type ConsentProvider,
  endpointNotFound,
  takeConsent,
} from "../oauth/consent.ts";
import { completeConsent } from "../oauth/complete_consent.ts";
import { createConsentStates } from "../oauth/consent_state.ts";
import { disconnect } from "../oauth/disconnect.ts";
import { checkRedirect, withOutcome } from "../oauth/redirects.ts";
import { createTokenVault } from "../oauth/token_vault.ts";
import { type Answer, createHandler, type Handler, type RequestContext } from "./create_handler.ts";
import type { FunctionDeps } from "./function_deps.ts";
import { connectedAnswer, redirectAnswer, wantsJson, withPrivacy } from "./oauth_answers.ts";

/** What the oauth function touches besides what every function does. */
export interface OAuthFunctionDeps
  extends FunctionDeps, Pick<ConsentDeps, "tokenFetch" | "randomBytes"> {}

const DATABASE_TIMEOUT_MS = 10_000;

const DisconnectBody = z.object({ endpoint_id: z.guid() });

/** Connects the accounts of people to their endpoints, and disconnects them. */
export function createOAuthHandler(
  getProvider: (endpointType: string) => ConsentProvider,
  deps: OAuthFunctionDeps,
): Handler {
  const handle = createHandler(deps, {
    methods: ["GET", "POST"],
    allowsBrowsers: true,
    audience: { callers: ["user", "secret"], isOpen: isCallback },
    prepare: () => prepareOAuth(getProvider, deps),
  });
  return async function handleOAuth(request) {
    return withPrivacy(await handle(request));
  };
}

/** A provider sends its user there: the state that comes along says who it is. */
function isCallback(request: Request): boolean {
  return new URL(request.url).pathname.endsWith("/callback");
}

/** What every route works with. */
interface OAuthRoutes extends ConsentDeps {
  readonly db: ConnectorDb;
  readonly settings: OAuthSettings;
  readonly identifyCaller: IdentifyCaller;
}

function prepareOAuth(
  getProvider: (endpointType: string) => ConsentProvider,
  deps: OAuthFunctionDeps,
): Answer {
  const settings = readOAuthSettings(deps.env);
  const routes: OAuthRoutes = {
    ...deps,
    settings,
    getProvider,
    identifyCaller: createIdentifyCaller(settings),
    db: deps.connectAsService(settings, DATABASE_TIMEOUT_MS),
    vault: createTokenVault(settings.tokenKeys),
    states: createConsentStates(settings.tokenKeys, deps.now),
    redirectUri: `${settings.publicUrl}/functions/v1/oauth/callback`,
  };
  const app = createRouter(routes);
  return async function answerOAuth(request, context) {
    return await app.fetch(request, context);
  };
}

function createRouter(routes: OAuthRoutes): Hono<{ Bindings: RequestContext }> {
  const app = new Hono<{ Bindings: RequestContext }>().basePath("/oauth");
  app.get("/authorize", ({ req, env }) => authorize(routes, req.raw, env));
  app.get("/callback", ({ req, env }) => callback(routes, req.raw, env));
  app.post("/disconnect", ({ req, env }) => answerDisconnect(routes, req.raw, env));
  app.all("/authorize", () => refuseMethod("GET"));
  app.all("/callback", () => refuseMethod("GET"));
  app.all("/disconnect", () => refuseMethod("POST"));
  app.notFound(() => {
    throw new HttpError("not_found", "There are /authorize, /callback and /disconnect only.");
  });
  // Errors are answered and logged as those of all functions.
  app.onError((error) => {
    throw error;
  });
  return app;
}

function refuseMethod(allow: string): never {
  throw new HttpError("method_not_allowed", `This address answers ${allow} only.`, {
    headers: { allow },
  });
}

async function authorize(
  routes: OAuthRoutes,
  request: Request,
  { log }: RequestContext,
): Promise<Response> {
  const { userId } = await routes.identifyCaller(request, ["user"]);
  const { searchParams } = new URL(request.url);
  const endpointId = readEndpointId(searchParams);
  const wanted = searchParams.get("redirect_to");
  const redirectTo = wanted === null ? null : checkRedirect(wanted, routes.settings.redirectRules);
  const endpoint = await routes.db.ownedEndpoint(endpointId, userId);
  if (endpoint === null) throw endpointNotFound();
  const { authorizationUrl, expiresAt } = await beginConsent(routes, endpoint, redirectTo);
  log.info("consent_begun", { endpoint_id: endpointId });
  if (!wantsJson(request)) return redirectAnswer(302, authorizationUrl);
  return jsonAnswer({ authorization_url: authorizationUrl, expires_at: expiresAt.toISOString() });
}

function readEndpointId(parameters: URLSearchParams): string {
  const endpointId = z.guid().safeParse(parameters.get("endpoint_id"));
  if (endpointId.success) return endpointId.data;
  throw new HttpError("parameter_invalid", "The endpoint_id must be the id of an endpoint.");
}

async function callback(
  routes: OAuthRoutes,
  request: Request,
  { log }: RequestContext,
): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const consent = await takeConsent(routes, searchParams.get("state"));
  const { endpoint_id, redirect_to } = consent;
  const code = searchParams.get("code");
  const error = searchParams.get("error");
  try {
    await completeConsent(routes, consent, { code, error });
  } catch (cause) {
    if (redirect_to === null) throw cause;
    const refusal = toRefusal(cause);
    log.warn("consent_refused", { endpoint_id, code: refusal.code, cause });
    const outcome = { error: refusal.code, error_description: refusal.message };
    return redirectAnswer(303, withOutcome(redirect_to, outcome));
  }
  log.info("account_connected", { endpoint_id });
  if (redirect_to === null) return connectedAnswer();
  return redirectAnswer(303, withOutcome(redirect_to, { connected: endpoint_id }));
}

async function answerDisconnect(
  routes: OAuthRoutes,
  request: Request,
  { log }: RequestContext,
): Promise<Response> {
  const caller = await routes.identifyCaller(request, ["user", "secret"]);
  const { endpoint_id } = await readJsonBody(request, DisconnectBody);
  const userId = caller.type === "user" ? caller.userId : null;
  const endpoint = await routes.db.ownedEndpoint(endpoint_id, userId);
  if (endpoint === null) throw endpointNotFound();
  const outcome = await disconnect({ ...routes, log }, endpoint, userId);
  log.info("account_disconnected", { endpoint_id, revoked: outcome.revoked });
  return jsonAnswer(outcome);
}
