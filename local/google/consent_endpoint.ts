import { consentPage, errorPage } from "./consent_page.ts";
import type { DriveState } from "./drive_state.ts";
import type { OAuthClient, OAuthClients } from "./oauth_clients.ts";
import { isKnownScope, isSignInScope, normalScope } from "./scopes.ts";
import type { Challenge, UserGrants } from "./user_grants.ts";

/** What the consent endpoint works with. */
export interface ConsentContext {
  readonly model: DriveState;
  readonly clients: OAuthClients;
  readonly grants: UserGrants;
}

const PARAMETERS = [
  "access_type",
  "client_id",
  "code_challenge",
  "code_challenge_method",
  "include_granted_scopes",
  "login_hint",
  "prompt",
  "redirect_uri",
  "response_type",
  "scope",
  "state",
] as const;
const PROMPTS = ["none", "consent", "select_account"];

/** What is asked of a person. */
interface Asked {
  readonly client: OAuthClient;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | null;
  readonly challenge: Challenge | null;
  readonly isOffline: boolean;
  readonly includesGrantedScopes: boolean;
  readonly prompts: readonly string[];
}

/** A request that Google tells the person of, on a page of its own. */
class BadConsentRequest extends Error {
  override readonly name = "BadConsentRequest";
  readonly code: string;
  readonly status: number;

  constructor(code: string, description: string, status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }
}

/**
 * `GET` shows a page that asks for consent; its form comes back by `POST` with `email`, the `granted`
 * scopes and a `decision`, and the answer leads to the client's redirect address.
 */
export async function answerConsent(request: Request, context: ConsentContext): Promise<Response> {
  const isDecision = request.method === "POST";
  const given = isDecision
    ? new URLSearchParams(await request.text())
    : new URL(request.url).searchParams;
  try {
    const asked = readAsked(given, context.clients);
    if (isDecision) return decide(asked, given, context);
    if (asked.prompts.includes("none")) return redirect(asked, { error: "interaction_required" });
    const accounts = [...context.model.accounts.values()].filter(({ isServiceAccount }) =>
      !isServiceAccount
    );
    const clientName = asked.client.name;
    const hint = given.get("login_hint");
    const { scopes } = asked;
    return html(consentPage({ clientName, accounts, hint, scopes, parameters: given }));
  } catch (error) {
    if (!(error instanceof BadConsentRequest)) throw error;
    return html(errorPage(error.status, error.code, error.message), error.status);
  }
}

function readAsked(given: URLSearchParams, clients: OAuthClients): Asked {
  for (const name of PARAMETERS) {
    if (given.getAll(name).length > 1) {
      throw bad(`OAuth 2 parameters can only have a single value: ${name}`);
    }
  }
  const client = clients.find(required(given, "client_id"));
  if (client === undefined) {
    throw new BadConsentRequest("invalid_client", "The OAuth client was not found.", 401);
  }
  const redirectUri = required(given, "redirect_uri");
  if (!client.redirectUris.includes(redirectUri)) {
    throw new BadConsentRequest(
      "redirect_uri_mismatch",
      `You can't sign in because this app sent an invalid request: redirect_uri=${redirectUri}`,
    );
  }
  if (required(given, "response_type") !== "code") {
    throw new BadConsentRequest("unsupported_response_type", "Invalid response_type");
  }
  return {
    client,
    redirectUri,
    scopes: readScopes(given),
    state: given.get("state"),
    challenge: readChallenge(given),
    isOffline: oneOf(given, "access_type", ["online", "offline"]) === "offline",
    includesGrantedScopes: oneOf(given, "include_granted_scopes", ["false", "true"]) === "true",
    prompts: readPrompts(given),
  };
}

function readScopes(given: URLSearchParams): readonly string[] {
  const scopes = required(given, "scope").split(" ").filter((scope) => scope !== "");
  const unknown = scopes.filter((scope) => !isKnownScope(normalScope(scope)));
  if (unknown.length > 0) {
    throw new BadConsentRequest(
      "invalid_scope",
      `Some requested scopes were invalid. {invalid=[${unknown.join(", ")}]}`,
    );
  }
  return [...new Set(scopes.map(normalScope))];
}

function readChallenge(given: URLSearchParams): Challenge | null {
  const value = given.get("code_challenge");
  if (value === null) {
    if (!given.has("code_challenge_method")) return null;
    throw bad("Missing required parameter: code_challenge");
  }
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(value)) throw bad("Invalid code_challenge");
  const method = given.get("code_challenge_method") ?? "plain";
  if (method === "plain" || method === "S256") return { value, method };
  throw bad(`Invalid parameter value for code_challenge_method: ${method}`);
}

function readPrompts(given: URLSearchParams): readonly string[] {
  const prompts = (given.get("prompt") ?? "").split(" ").filter((prompt) => prompt !== "");
  const isBad = prompts.some((prompt) => !PROMPTS.includes(prompt)) ||
    prompts.length > 1 && prompts.includes("none");
  if (isBad) throw bad(`Invalid parameter value for prompt: ${prompts.join(" ")}`);
  return prompts;
}

function oneOf(given: URLSearchParams, name: string, words: readonly [string, string]): string {
  const word = given.get(name) ?? words[0];
  if (words.includes(word)) return word;
  throw bad(`Invalid parameter value for ${name}: ${word}`);
}

function required(given: URLSearchParams, name: string): string {
  const value = given.get(name);
  if (value) return value;
  throw bad(`Missing required parameter: ${name}`);
}

function bad(description: string): BadConsentRequest {
  return new BadConsentRequest("invalid_request", description);
}

function decide(asked: Asked, given: URLSearchParams, context: ConsentContext): Response {
  const account = context.model.accounts.get(given.get("email") ?? "");
  const ticked = given.getAll("granted");
  const chosen = asked.scopes.filter((scope) => isSignInScope(scope) || ticked.includes(scope));
  const isDenied = given.get("decision") !== "allow" || chosen.length === 0 ||
    account === undefined || account.isServiceAccount;
  if (isDenied) return redirect(asked, { error: "access_denied" });
  const { clientId } = asked.client;
  const { email } = account;
  const before = asked.includesGrantedScopes ? context.grants.givenScopes(email, clientId) : [];
  const scopes = [...new Set([...chosen, ...before])];
  const insists = asked.prompts.includes("consent");
  const code = context.grants.approve({
    clientId,
    email,
    scopes,
    redirectUri: asked.redirectUri,
    challenge: asked.challenge,
    offline: asked.isOffline ? insists ? "always" : "first" : "no",
  });
  return redirect(asked, { code, scope: scopes.join(" "), authuser: "0", prompt: "consent" });
}

function redirect(
  { redirectUri, state }: Asked,
  fields: Readonly<Record<string, string>>,
): Response {
  const url = new URL(redirectUri);
  if (state !== null) url.searchParams.set("state", state);
  url.searchParams.set("iss", "https://accounts.google.com");
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return new Response(null, { status: 302, headers: { location: url.href } });
}

function html(text: string, status = 200): Response {
  return new Response(text, { status, headers: { "content-type": "text/html; charset=UTF-8" } });
}
