import { pause } from "../emulator/pause.ts";
import { AccessTokens } from "./access_tokens.ts";
import type { ApiContext } from "./api_call.ts";
import { ApiError } from "./api_error.ts";
import { findRoute, type Route } from "./api_routes.ts";
import { answerControlRequest, CONTROL_PREFIX } from "./control_routes.ts";
import { DriveModel } from "./drive_model.ts";
import { EmulatorControl, type Quota } from "./emulator_control.ts";
import { answerFault, jsonResponse } from "./fault_responses.ts";
import type { Fault } from "./faults.ts";
import { FileSearch } from "./file_search.ts";
import { PageTokens } from "./page_tokens.ts";
import { requireScope } from "./scopes.ts";
import { RegisteredServiceAccount, type ServiceAccountJson } from "./service_account.ts";
import { answerTokenRequest } from "./token_endpoint.ts";

/** What an emulator is made with. */
export interface DriveEmulatorOptions {
  readonly model?: DriveModel;
  /** Each becomes an account of the model and may ask for tokens. */
  readonly serviceAccounts?: readonly ServiceAccountJson[];
  /** Domain-wide delegation: scopes by the service account's numeric client id. */
  readonly delegations?: Readonly<Record<string, readonly string[]>>;
  /** Serves `/__control` too: anybody who reaches the port may then change everything. */
  readonly hasControlRoute?: boolean;
  /** How long a page token of a listing is good; by default six hours. */
  readonly pageTokenLifetimeMs?: number;
}

/** An emulated Google Drive. */
export interface DriveEmulator {
  readonly model: DriveModel;
  readonly control: EmulatorControl;
  /** Answers a request to `/token`, `/drive/v3/…` or `/__control/…` of any host. */
  readonly fetch: typeof fetch;
  /** An access token without the token endpoint. */
  issueAccessToken(email: string, scopes: readonly string[]): string;
  /** Lets one more service account ask for tokens. */
  registerServiceAccount(json: ServiceAccountJson): void;
  /** Lets a service account impersonate users, for these scopes. */
  delegate(clientId: string, scopes: readonly string[]): void;
}

const PAGE_TOKEN_LIFETIME_MS = 6 * 3600 * 1000;

/** Makes an emulated Google Drive that is called through its `fetch`. */
export function createDriveEmulator(options: DriveEmulatorOptions = {}): DriveEmulator {
  const model = options.model ?? new DriveModel();
  const core = new EmulatorCore(model, options);
  for (const json of options.serviceAccounts ?? []) core.register(json);
  for (const [clientId, scopes] of Object.entries(options.delegations ?? {})) {
    core.delegate(clientId, scopes);
  }
  return {
    model,
    control: core.control,
    fetch: (input, init) => core.fetch(new Request(input, init)),
    issueAccessToken: (email, scopes) =>
      core.tokens.issue({ email: model.account(email).email, scopes }),
    registerServiceAccount: (json) => core.register(json),
    delegate: (clientId, scopes) => core.delegate(clientId, scopes),
  };
}

class EmulatorCore {
  readonly control: EmulatorControl;
  readonly tokens: AccessTokens;
  readonly #model: DriveModel;
  readonly #context: ApiContext;
  readonly #serviceAccounts = new Map<string, RegisteredServiceAccount>();
  readonly #delegations = new Map<string, ReadonlySet<string>>();
  readonly #hasControlRoute: boolean;

  constructor(model: DriveModel, options: DriveEmulatorOptions) {
    this.#model = model;
    this.tokens = new AccessTokens(model.now);
    const secret = crypto.randomUUID();
    const lifetimeMs = options.pageTokenLifetimeMs ?? PAGE_TOKEN_LIFETIME_MS;
    const pageTokens = new PageTokens(secret, model.now, lifetimeMs);
    // Tokens of the change feed have no term.
    const changeTokens = new PageTokens(secret, model.now, Infinity);
    this.#context = { model, search: new FileSearch(model), pageTokens, changeTokens };
    this.#hasControlRoute = options.hasControlRoute ?? false;
    this.control = new EmulatorControl({
      expirePages: () => pageTokens.expireAll(),
      expireChanges: () => changeTokens.expireAll(),
      revokeAccess: () => this.tokens.revokeAll(),
    });
  }

  register(json: ServiceAccountJson): void {
    const account = new RegisteredServiceAccount(json);
    this.#serviceAccounts.set(account.email, account);
    this.#model.addAccount({ email: account.email, isServiceAccount: true });
  }

  delegate(clientId: string, scopes: readonly string[]): void {
    this.#delegations.set(clientId, new Set(scopes));
  }

  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (this.#hasControlRoute && url.pathname.startsWith(CONTROL_PREFIX)) {
      return await answerControlRequest(request, url, this.#model, this.control);
    }
    const route = findRoute(url.pathname);
    const method = url.pathname === "/token" ? "token" : route?.name ?? "unknown";
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
    const answer = fault === null ? null : await answerFault(fault, request.signal);
    if (answer !== null) return answer;
    if (method === "token") return await this.#answerToken(request, url, fault);
    try {
      return jsonResponse(JSON.stringify(this.#call(request, url, route, fault)), fault);
    } catch (error) {
      if (error instanceof ApiError) return error.toResponse();
      throw error;
    }
  }

  async #answerToken(request: Request, url: URL, fault: Fault | null): Promise<Response> {
    const response = await answerTokenRequest(request, `${url.origin}/token`, {
      model: this.#model,
      serviceAccounts: this.#serviceAccounts,
      delegations: this.#delegations,
      tokens: this.tokens,
      now: this.#model.now,
    });
    return fault?.type === "truncated" ? jsonResponse(await response.text(), fault) : response;
  }

  #call(request: Request, url: URL, route: Route | null, fault: Fault | null): unknown {
    if (route === null) throw noSuchMethod(url.pathname);
    const grant = this.tokens.check(request.headers.get("authorization"));
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
