import { pause, type Silence } from "../emulator/pause.ts";
import { type KnownSecret, SecretLog } from "../emulator/secret_log.ts";
import { AccessTokens, type Grant } from "./access_tokens.ts";
import { type ApiAnswer, ApiCall } from "./api_call.ts";
import { ApiError, badInput, dataError, notEmulated } from "./api_error.ts";
import { findRoute, type FoundRoute } from "./api_routes.ts";
import { AppRegistry, type NewApp, type NewServiceAccount } from "./apps.ts";
import { ApsModel } from "./aps_model.ts";
import { answerAuth, type AuthContext, authRouteOf } from "./auth_service.ts";
import { answerAuthorize, AUTHORIZE_PATH } from "./authorize_endpoint.ts";
import { Consents } from "./consents.ts";
import { answerControlRequest, CONTROL_PREFIX } from "./control_routes.ts";
import { EmulatorControl } from "./emulator_control.ts";
import { answerFault, damage, jsonResponse } from "./fault_responses.ts";
import { AUTH_ROUTES, type Fault } from "./faults.ts";
import { requireDataRead } from "./scopes.ts";

/** What an emulator is made with. */
export interface ApsEmulatorOptions {
  readonly model?: ApsModel;
  readonly apps?: readonly NewApp[];
  /** Serves `/__control` too: anybody who reaches the port may then change everything. */
  readonly hasControlRoute?: boolean;
  /** What becomes of a call that a `timeout` fault hits; by default its caller must give it up. */
  readonly silence?: Silence;
}

/** An emulated Autodesk Platform Services. */
export interface ApsEmulator {
  readonly model: ApsModel;
  readonly control: EmulatorControl;
  /** Answers `/authentication/v2/…`, `/project/v1/…`, `/data/v1/…` or `/__control/…` of any host. */
  readonly fetch: typeof fetch;
  /** An access token without the token endpoint; two-legged unless a user is named. */
  issueAccessToken(
    clientId: string,
    scopes: readonly string[],
    userId?: string | null,
  ): string;
  /** A refresh token without anybody's consent page. */
  issueRefreshToken(clientId: string, scopes: readonly string[], userId: string): string;
  /** Lets one more app ask for tokens. */
  registerApp(app: NewApp): void;
  /** Lets a service account ask for tokens. */
  registerServiceAccount(account: NewServiceAccount): void;
  /** Every secret that was given away or shown so far. */
  knownSecrets(): readonly KnownSecret[];
}

const CALLS_PER_MINUTE: Readonly<Record<string, number>> = {
  token: 500,
  introspect: 500,
  revoke: 100,
};

/** Makes an emulated Autodesk Platform Services that is called through its `fetch`. */
export function createApsEmulator(options: ApsEmulatorOptions = {}): ApsEmulator {
  const model = options.model ?? new ApsModel();
  const core = new EmulatorCore(model, options);
  for (const app of options.apps ?? []) core.apps.add(app);
  return {
    model,
    control: core.control,
    fetch: (input, init) => core.fetch(new Request(input, init)),
    issueAccessToken: (clientId, scopes, userId = null) =>
      core.tokens.issue({ clientId, scopes, userId }),
    issueRefreshToken: (clientId, scopes, userId) =>
      core.consents.issueRefreshToken({ clientId, scopes, userId }),
    registerApp: (app) => void core.apps.add(app),
    registerServiceAccount: (account) => core.apps.addServiceAccount(account),
    knownSecrets: () => core.secrets.all(),
  };
}

class EmulatorCore {
  readonly control: EmulatorControl;
  readonly secrets = new SecretLog();
  readonly apps = new AppRegistry(this.secrets);
  readonly tokens: AccessTokens;
  readonly consents: Consents;
  readonly #model: ApsModel;
  readonly #hasControlRoute: boolean;
  readonly #silence: Silence | undefined;
  readonly #auth: AuthContext;

  constructor(model: ApsModel, { hasControlRoute = false, silence }: ApsEmulatorOptions) {
    this.#model = model;
    this.#hasControlRoute = hasControlRoute;
    this.#silence = silence;
    this.tokens = new AccessTokens(model.now, this.secrets);
    this.consents = new Consents(model.now, this.secrets);
    this.control = new EmulatorControl({
      revokeAccess: () => this.tokens.revokeAll(),
      revokeRefresh: () => this.consents.revokeAll(),
      apps: this.apps,
      secrets: this.secrets,
    });
    this.#auth = {
      model,
      apps: this.apps,
      tokens: this.tokens,
      consents: this.consents,
      secrets: this.secrets,
      errorShape: () => this.control.authErrorShape,
      spend: (clientId, route) =>
        this.control.quotas.spend(clientId, route, CALLS_PER_MINUTE[route] ?? 500, model.now()),
    };
  }

  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (this.#hasControlRoute && url.pathname.startsWith(CONTROL_PREFIX)) {
      return await answerControlRequest(request, url, this.#model, this.control);
    }
    const route = findRoute(url.pathname);
    const method = nameOf(request.method, url.pathname, route);
    let status = 0;
    try {
      const response = await this.#answer(request, url, method, route);
      status = response.status;
      return response;
    } finally {
      this.control.record({ method, pathAndQuery: url.pathname + url.search, status });
    }
  }

  async #answer(
    request: Request,
    url: URL,
    method: string,
    route: FoundRoute | null,
  ): Promise<Response> {
    await pause(this.control.latencyMs(method), request.signal);
    request.signal.throwIfAborted();
    const fault = this.control.faults.take({ method, pathAndQuery: url.pathname + url.search });
    const answer = fault === null ? null : await answerFault(fault, request.signal, this.#silence);
    if (answer !== null) return answer;
    try {
      if (url.pathname === AUTHORIZE_PATH) return await answerAuthorize(request, this.#auth);
      const response = AUTH_ROUTES.has(method)
        ? await answerAuth(request, this.#auth)
        : toResponse(await this.#call(request, url, route, fault));
      return await damage(response, fault);
    } catch (error) {
      if (error instanceof ApiError) return error.toResponse();
      throw error;
    }
  }

  async #call(
    request: Request,
    url: URL,
    route: FoundRoute | null,
    fault: Fault | null,
  ): Promise<ApiAnswer> {
    const grant = this.tokens.check(request.headers.get("authorization"));
    // Writing and searching are no part of the emulator: its model is changed by its operations.
    if (route === null || request.method !== route.httpMethod) {
      throw notEmulated(`${request.method} ${url.pathname}`);
    }
    requireDataRead(grant.scopes);
    const { name, callsPerMinute, pathIds } = route;
    this.control.quotas.spend(grant.clientId, name, callsPerMinute, this.#model.now());
    return route.method(
      new ApiCall({
        model: this.#model,
        viewer: { clientId: grant.clientId, user: this.#userOf(grant, request) },
        settings: this.control.settings,
        url,
        headers: request.headers,
        pathIds,
        body: request.method === "POST" ? await readJson(request) : undefined,
        fault,
      }),
    );
  }

  // `x-user-id` narrows a two-legged token to what that user may read.
  #userOf(grant: Grant, request: Request) {
    const id = grant.userId ?? request.headers.get("x-user-id");
    if (id === null) return null;
    const user = this.#model.users.get(id);
    if (user === undefined) {
      throw dataError(403, "USER_NOT_AUTHENTICATED", "The user is not known to the account");
    }
    return user;
  }
}

function nameOf(httpMethod: string, path: string, route: FoundRoute | null): string {
  if (path === AUTHORIZE_PATH) return "authorize";
  return authRouteOf(httpMethod, path) ?? route?.name ?? "unknown";
}

function toResponse(answer: ApiAnswer): Response {
  const headers: Record<string, string> = {};
  if (answer.modifiedMs !== undefined) {
    headers["last-modified"] = new Date(answer.modifiedMs).toUTCString();
  }
  if (answer.type === "not_modified") return new Response(null, { status: 304, headers });
  return jsonResponse(JSON.stringify(answer.body), headers);
}

async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/(?:vnd\.api\+)?json\b/.test(type)) {
    throw dataError(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/vnd.api+json");
  }
  try {
    return JSON.parse(await request.text());
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badInput("The body is not JSON");
    throw cause;
  }
}
