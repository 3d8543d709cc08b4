import { pause, type Silence } from "../emulator/pause.ts";
import type { KnownSecret } from "../emulator/secret_log.ts";
import type { ApiContext } from "./api_call.ts";
import { ApiError } from "./api_error.ts";
import { findRoute, type Route } from "./api_routes.ts";
import { answerControlRequest, CONTROL_PREFIX } from "./control_routes.ts";
import { DriveModel } from "./drive_model.ts";
import { EmulatorControl, type Quota } from "./emulator_control.ts";
import { answerFault, jsonResponse } from "./fault_responses.ts";
import type { Fault } from "./faults.ts";
import { FileSearch } from "./file_search.ts";
import { encodeAnswer } from "./json_text.ts";
import type { NewOAuthClient } from "./oauth_clients.ts";
import { type OAuthRoute, oauthRouteOf, OAuthService } from "./oauth_service.ts";
import { PageTokens } from "./page_tokens.ts";
import { MOST_TEXTS, ResourceTexts } from "./resource_texts.ts";
import { requireScope } from "./scopes.ts";
import type { ServiceAccountJson } from "./service_account.ts";

/** What an emulator is made with. */
export interface DriveEmulatorOptions {
  readonly model?: DriveModel;
  /** Each becomes an account of the model and may ask for tokens. */
  readonly serviceAccounts?: readonly ServiceAccountJson[];
  /** Domain-wide delegation: scopes by the service account's numeric client id. */
  readonly delegations?: Readonly<Record<string, readonly string[]>>;
  /** Web applications that people may give access to. */
  readonly oauthClients?: readonly NewOAuthClient[];
  /** Serves `/__control` too: anybody who reaches the port may then change everything. */
  readonly hasControlRoute?: boolean;
  /**
   * Keeps the JSON of what lists show, up to some 100 MB: for one in a process of its own, whose speed
   * must not be what is measured.
   */
  readonly keepsTexts?: boolean;
  /** How long a page token of a listing is good; by default six hours. */
  readonly pageTokenLifetimeMs?: number;
  /** What becomes of a call that a `timeout` fault hits; by default its caller must give it up. */
  readonly silence?: Silence;
}

/** An emulated Google Drive. */
export interface DriveEmulator {
  readonly model: DriveModel;
  readonly control: EmulatorControl;
  /** Answers `/o/oauth2/v2/auth`, `/token`, `/revoke`, `/drive/v3/…`, `/__control/…` of any host. */
  readonly fetch: typeof fetch;
  /** An access token without the token endpoint. */
  issueAccessToken(email: string, scopes: readonly string[]): string;
  /** Lets one more service account ask for tokens. */
  registerServiceAccount(json: ServiceAccountJson): void;
  /** Lets a service account impersonate users, for these scopes. */
  delegate(clientId: string, scopes: readonly string[]): void;
  /** Lets a web application ask people for access. */
  registerOAuthClient(client: NewOAuthClient): void;
  /** Every secret that was given away or shown so far. */
  knownSecrets(): readonly KnownSecret[];
}

const PAGE_TOKEN_LIFETIME_MS = 6 * 3600 * 1000;

/** Makes an emulated Google Drive that is called through its `fetch`. */
export function createDriveEmulator(options: DriveEmulatorOptions = {}): DriveEmulator {
  const model = options.model ?? new DriveModel();
  const core = new EmulatorCore(model, options);
  for (const json of options.serviceAccounts ?? []) core.register(json);
  for (const [clientId, scopes] of Object.entries(options.delegations ?? {})) {
    core.oauth.delegate(clientId, scopes);
  }
  for (const client of options.oauthClients ?? []) core.oauth.addClient(client);
  return {
    model,
    control: core.control,
    fetch: (input, init) => core.fetch(new Request(input, init)),
    issueAccessToken: (email, scopes) =>
      core.oauth.tokens.issue({ email: model.account(email).email, scopes }),
    registerServiceAccount: (json) => core.register(json),
    delegate: (clientId, scopes) => core.oauth.delegate(clientId, scopes),
    registerOAuthClient: (client) => core.oauth.addClient(client),
    knownSecrets: () => core.oauth.secrets.all(),
  };
}

class EmulatorCore {
  readonly control: EmulatorControl;
  readonly oauth: OAuthService;
  readonly #model: DriveModel;
  readonly #context: ApiContext;
  readonly #hasControlRoute: boolean;
  readonly #silence: Silence | undefined;

  constructor(model: DriveModel, options: DriveEmulatorOptions) {
    this.#model = model;
    this.oauth = new OAuthService(model);
    const secret = crypto.randomUUID();
    const lifetimeMs = options.pageTokenLifetimeMs ?? PAGE_TOKEN_LIFETIME_MS;
    const pageTokens = new PageTokens(secret, model.now, lifetimeMs);
    // Tokens of the change feed have no term.
    const changeTokens = new PageTokens(secret, model.now, Infinity);
    this.#context = {
      model,
      search: new FileSearch(model),
      texts: new ResourceTexts(model, options.keepsTexts === true ? MOST_TEXTS : 0),
      pageTokens,
      changeTokens,
    };
    this.#hasControlRoute = options.hasControlRoute ?? false;
    this.#silence = options.silence;
    this.control = new EmulatorControl({
      expirePages: () => pageTokens.expireAll(),
      expireChanges: () => changeTokens.expireAll(),
      oauth: this.oauth,
    });
  }

  register(json: ServiceAccountJson): void {
    const account = this.oauth.addServiceAccount(json);
    this.#model.addAccount({ email: account.email, isServiceAccount: true });
  }

  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (this.#hasControlRoute && url.pathname.startsWith(CONTROL_PREFIX)) {
      return await answerControlRequest(request, url, this.#model, this.control);
    }
    const route = findRoute(url.pathname);
    const method = oauthRouteOf(url.pathname) ?? route?.name ?? "unknown";
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
    route: Route | null,
  ): Promise<Response> {
    await pause(this.control.latencyMs(method), request.signal);
    request.signal.throwIfAborted();
    const isGrouped = (url.searchParams.get("q")?.match(/\bin\s+parents\b/g)?.length ?? 0) > 1;
    const pathAndQuery = url.pathname + url.search;
    const fault = this.control.faults.take({ method, pathAndQuery, isGrouped });
    const answer = fault === null ? null : await answerFault(fault, request.signal, this.#silence);
    if (answer !== null) return answer;
    const oauthRoute = oauthRouteOf(url.pathname);
    if (oauthRoute !== null) return await this.#answerOAuth(request, url, oauthRoute, fault);
    try {
      return jsonResponse(encodeAnswer(this.#call(request, url, route, fault)), fault);
    } catch (error) {
      if (error instanceof ApiError) return error.toResponse();
      throw error;
    }
  }

  async #answerOAuth(
    request: Request,
    url: URL,
    route: OAuthRoute,
    fault: Fault | null,
  ): Promise<Response> {
    const response = await this.oauth.answer(request, url, route);
    return fault?.type === "truncated" ? jsonResponse(await response.text(), fault) : response;
  }

  #call(request: Request, url: URL, route: Route | null, fault: Fault | null): unknown {
    if (route === null) throw noSuchMethod(url.pathname);
    const grant = this.oauth.tokens.check(request.headers.get("authorization"));
    // Writing is no part of the emulator: its model is changed by its operations.
    if (request.method !== "GET") throw noSuchMethod(`${request.method} ${url.pathname}`);
    const exceeded = this.control.spend(grant.email, this.#model.now());
    if (exceeded !== null) throw quotaExceeded(exceeded);
    requireScope(grant.scopes, route.name);
    return route.method({
      context: this.#context,
      viewer: {
        account: this.#model.account(grant.email),
        accounts: this.#model.accounts,
        drives: this.#model.drives,
      },
      grant,
      query: url.searchParams,
      pathId: route.pathId,
      fault,
    });
  }
}

function noSuchMethod(what: string): ApiError {
  return new ApiError({ status: 404, reason: "notFound", message: `Not Found: ${what}` });
}

function quotaExceeded(quota: Quota): ApiError {
  return new ApiError({
    status: quota.status,
    reason: quota.status === 403 ? "userRateLimitExceeded" : "rateLimitExceeded",
    message: quota.status === 403 ? "User Rate Limit Exceeded" : "Rate Limit Exceeded",
    domain: "usageLimits",
    retryAfterSeconds: quota.retryAfterSeconds,
  });
}
