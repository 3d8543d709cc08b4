import { SyncError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { IMPERSONATE, type Impersonation } from "./impersonation.ts";
import type { ServiceAccount } from "./service_account.ts";

/** The JSON key of the service account that reads where an endpoint names none. */
export const CREDENTIALS = "CONNECTOR_GOOGLE_DRIVE_CREDENTIALS";
/** Any number of service accounts by name. */
export const SERVICE_ACCOUNTS = "CONNECTOR_GOOGLE_DRIVE_SERVICE_ACCOUNTS";
/** The OAuth client with which people connect their accounts. */
export const CLIENT_ID = "CONNECTOR_GOOGLE_CLIENT_ID";
/** Its secret. */
export const CLIENT_SECRET = "CONNECTOR_GOOGLE_CLIENT_SECRET";

/** The OAuth client with which people connect their accounts. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: Secret;
}

/** What {@linkcode Credentials} hold. */
export interface CredentialsOptions {
  readonly accounts: ReadonlyMap<string, ServiceAccount>;
  /** Reads where an endpoint names no service account; `null` where the settings single out none. */
  readonly defaultAccount: ServiceAccount | null;
  readonly client: OAuthClient | null;
  readonly authorizeUrl: string;
  readonly impersonation: Impersonation;
}

/** Everything by which this provider shows who is reading. Nothing of it can be printed. */
export class Credentials {
  readonly authorizeUrl: string;
  readonly client: OAuthClient | null;
  readonly #accounts: ReadonlyMap<string, ServiceAccount>;
  readonly #defaultAccount: ServiceAccount | null;
  readonly #impersonation: Impersonation;

  constructor(options: CredentialsOptions) {
    this.authorizeUrl = options.authorizeUrl;
    this.client = options.client;
    this.#accounts = options.accounts;
    this.#defaultAccount = options.defaultAccount;
    this.#impersonation = options.impersonation;
  }

  /** The service account with this name, or the default one; `null` where there is none. */
  find(name: string | null): ServiceAccount | null {
    return name === null ? this.#defaultAccount : this.#accounts.get(name) ?? null;
  }

  /** The service account that reads for an endpoint; throws where it may not, or there is none. */
  choose({ serviceAccount, impersonate }: GoogleDriveConfig): ServiceAccount {
    const account = this.find(serviceAccount);
    if (account === null) throw this.#missing(serviceAccount);
    if (impersonate === null || this.#impersonation.allows(impersonate)) return account;
    throw new SyncError(
      "config_invalid",
      "Cannot read endpoint_config as impersonate must be a user that the setting " +
        `${IMPERSONATE} allows: current value is "${impersonate}"`,
    );
  }

  #missing(name: string | null): SyncError {
    if (name !== null) {
      const message = `Cannot find the service account "${name}" of endpoint_config: correct ` +
        `service_account, or add its JSON key under that name to ${SERVICE_ACCOUNTS}`;
      return new SyncError("credentials_invalid", message);
    }
    if (this.#accounts.size > 0) {
      const message = "Cannot choose a service account as endpoint_config must name one as " +
        `service_account where ${SERVICE_ACCOUNTS} holds several and ${CREDENTIALS} none`;
      return new SyncError("credentials_invalid", message);
    }
    return new SyncError(
      "setting_invalid",
      "Cannot read this endpoint as the application, since no service account is configured: " +
        'connect a Google account to the endpoint (with "auth": "user" in endpoint_config), or ' +
        `set ${CREDENTIALS} to the JSON key of a service account`,
    );
  }
}
