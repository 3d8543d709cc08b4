import { OAuthError } from "./oauth_error.ts";

/** A web application that people may give access to. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** What the consent page calls it. */
  readonly name: string;
  /** Where people may be sent after their consent, to the letter. */
  readonly redirectUris: readonly string[];
  /**
   * Seconds for which a refresh token is good (604,800 while a consent screen is in testing); `null`
   * where it has no term.
   */
  readonly refreshTokenSeconds: number | null;
}

/** What a new client is registered with. */
export interface NewOAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly name?: string | undefined;
  readonly refreshTokenSeconds?: number | null | undefined;
}

/** The clients that may ask people for access. */
export class OAuthClients {
  readonly #clients = new Map<string, OAuthClient>();

  /** Registers a client; one of the same id is replaced, and what people gave it stays. */
  add(client: NewOAuthClient): void {
    this.#clients.set(client.clientId, {
      ...client,
      name: client.name ?? client.clientId,
      refreshTokenSeconds: client.refreshTokenSeconds ?? null,
    });
  }

  /** The client of an id. */
  find(clientId: string): OAuthClient | undefined {
    return this.#clients.get(clientId);
  }

  /** Finds the client that sends a form, by the header or by the form but never by both; throws. */
  authenticate(authorization: string | null, form: URLSearchParams): OAuthClient {
    const inForm = [form.get("client_id"), form.get("client_secret")] as const;
    if (authorization !== null && inForm.some((value) => value !== null)) {
      throw new OAuthError("invalid_request", "The client shows its credentials in two ways");
    }
    const [clientId, secret] = authorization === null ? inForm : readBasic(authorization);
    if (!clientId) {
      throw new OAuthError("invalid_request", "Could not determine client ID from request.");
    }
    const client = this.#clients.get(clientId);
    if (client === undefined) {
      throw new OAuthError("invalid_client", "The OAuth client was not found.", 401);
    }
    if (!secret) throw new OAuthError("invalid_request", "client_secret is missing.");
    if (secret === client.clientSecret) return client;
    throw new OAuthError("invalid_client", "The provided client secret is invalid.", 401);
  }
}

function readBasic(authorization: string): readonly [clientId: string, secret: string] {
  const [, encoded = ""] = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? [];
  try {
    const [, clientId = "", secret = ""] = /^([^:]+):(.*)$/.exec(atob(encoded)) ?? [];
    return [clientId, secret];
  } catch {
    // Not base64: no client has such credentials.
    return ["", ""];
  }
}
