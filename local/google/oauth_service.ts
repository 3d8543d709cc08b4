import { SecretLog } from "../emulator/secret_log.ts";
import { AccessTokens } from "./access_tokens.ts";
import { answerConsent } from "./consent_endpoint.ts";
import type { DriveState } from "./drive_state.ts";
import type { GrantFilter } from "./grant_filter.ts";
import { type NewOAuthClient, OAuthClients } from "./oauth_clients.ts";
import { RegisteredServiceAccount, type ServiceAccountJson } from "./service_account.ts";
import {
  answerRevocation,
  answerTokenRequest,
  type TokenEndpointContext,
} from "./token_endpoint.ts";
import { UserGrants } from "./user_grants.ts";

/** The path at which people are asked for their consent. */
export const CONSENT_PATH = "/o/oauth2/v2/auth";

const ROUTES: Readonly<Record<string, OAuthRoute>> = {
  "/token": "token",
  "/revoke": "revoke",
  [CONSENT_PATH]: "authorize",
};

/** The endpoints by which tokens come and go. */
export type OAuthRoute = "token" | "revoke" | "authorize";

/** The endpoint of a path; `null` where it leads to the API. */
export function oauthRouteOf(path: string): OAuthRoute | null {
  return ROUTES[path] ?? null;
}

/** Who may have tokens, and the endpoints where they are had. */
export class OAuthService {
  readonly tokens: AccessTokens;
  readonly secrets = new SecretLog();
  readonly grants: UserGrants;
  readonly #clients = new OAuthClients();
  readonly #serviceAccounts = new Map<string, RegisteredServiceAccount>();
  readonly #delegations = new Map<string, ReadonlySet<string>>();
  readonly #context: TokenEndpointContext;

  constructor(model: DriveState) {
    this.tokens = new AccessTokens(model.now, this.secrets);
    this.grants = new UserGrants(model.now, this.secrets);
    this.#context = {
      model,
      serviceAccounts: this.#serviceAccounts,
      delegations: this.#delegations,
      clients: this.#clients,
      grants: this.grants,
      tokens: this.tokens,
      secrets: this.secrets,
      now: model.now,
    };
  }

  /** Lets a service account ask for tokens. */
  addServiceAccount(json: ServiceAccountJson): RegisteredServiceAccount {
    const account = new RegisteredServiceAccount(json);
    this.#serviceAccounts.set(account.email, account);
    return account;
  }

  /** Lets a service account impersonate users, for these scopes. */
  delegate(clientId: string, scopes: readonly string[]): void {
    this.#delegations.set(clientId, new Set(scopes));
  }

  /** Lets a client ask people for access. */
  addClient(client: NewOAuthClient): void {
    this.secrets.note("client_secret", client.clientSecret);
    this.#clients.add(client);
  }

  /** Takes back what people gave, as they do in the settings of their accounts. */
  revoke(filter: GrantFilter): void {
    this.grants.revoke(filter);
    this.tokens.revoke(filter);
  }

  /** Answers a request to one of the endpoints. */
  async answer(request: Request, url: URL, route: OAuthRoute): Promise<Response> {
    switch (route) {
      case "token":
        return await answerTokenRequest(request, `${url.origin}/token`, this.#context);
      case "revoke":
        return await answerRevocation(request, this.#context);
      case "authorize":
        return await answerConsent(request, this.#context);
    }
  }
}
