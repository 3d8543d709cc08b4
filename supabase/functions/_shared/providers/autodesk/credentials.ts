import { SyncError } from "../../errors.ts";
import type { ProviderSettings } from "../types.ts";
import type { Application, Applications } from "./applications.ts";
import type { AutodeskConfig } from "./config.ts";
import type { ServiceAccount } from "./service_account.ts";

/** The default application. */
export const CLIENT_ID = "CONNECTOR_AUTODESK_CLIENT_ID";
/** Its secret. */
export const CLIENT_SECRET = "CONNECTOR_AUTODESK_CLIENT_SECRET";
/** Any number of further applications. */
export const CLIENTS = "CONNECTOR_AUTODESK_CLIENTS";
/** Secure service accounts by name. */
export const SERVICE_ACCOUNTS = "CONNECTOR_AUTODESK_SERVICE_ACCOUNTS";

/** Who asks for a token of its own: an application, and the service account that it speaks for. */
export interface Asker {
  readonly application: Application;
  /** `null`: the application asks for itself (two-legged). */
  readonly serviceAccount: ServiceAccount | null;
}

/** Everything by which this provider shows who is reading. Nothing of it can be printed. */
export class Credentials {
  readonly applications: Applications;
  readonly #serviceAccounts: ReadonlyMap<string, ServiceAccount>;

  constructor(applications: Applications, serviceAccounts: ReadonlyMap<string, ServiceAccount>) {
    this.applications = applications;
    this.#serviceAccounts = serviceAccounts;
  }

  /** Who asks for the tokens of an endpoint; throws where that is not configured. */
  choose(config: AutodeskConfig): Asker {
    const { serviceAccount: name } = config;
    if (name === null) {
      return { application: this.chooseApplication(config), serviceAccount: null };
    }
    const serviceAccount = this.#serviceAccounts.get(name);
    if (serviceAccount === undefined) {
      const message = `Cannot find the service account "${name}" of endpoint_config: correct ` +
        `service_account, or add it under that name to ${SERVICE_ACCOUNTS}`;
      throw new SyncError("credentials_invalid", message);
    }
    const application = this.#applicationOf(serviceAccount, config);
    return { application, serviceAccount };
  }

  /** The application of an endpoint: with it people connect accounts, too. */
  chooseApplication({ clientId }: AutodeskConfig): Application {
    const application = this.applications.find(clientId);
    if (application !== null) return application;
    throw new SyncError(
      "credentials_invalid",
      clientId === null
        ? `Cannot choose an application as endpoint_config must name its client_id where ` +
          `${CLIENTS} holds several and ${CLIENT_ID} none`
        : `Cannot find the secret of client_id "${clientId}" of endpoint_config: set both as ` +
          `${CLIENT_ID} and ${CLIENT_SECRET}, or add them to ${CLIENTS}`,
    );
  }

  /** The client id that the calls of an endpoint count against. */
  clientIdOf({ clientId, serviceAccount }: AutodeskConfig): string {
    const own = serviceAccount === null ? undefined : this.#serviceAccounts.get(serviceAccount);
    return own?.application?.clientId ?? clientId ?? this.applications.defaultClientId ?? "";
  }

  #applicationOf(account: ServiceAccount, config: AutodeskConfig): Application {
    const { application } = account;
    if (application === null) return this.chooseApplication(config);
    if (config.clientId === null || config.clientId === application.clientId) return application;
    throw new SyncError(
      "config_invalid",
      "Cannot read endpoint_config as client_id must be left out, or be that of the application " +
        `to which the service account "${config.serviceAccount}" belongs: current value is ` +
        `"${config.clientId}"`,
    );
  }
}

/** The credentials among the settings; throws where those are another provider's. */
export function credentialsOf({ credentials }: ProviderSettings): Credentials {
  if (credentials instanceof Credentials) return credentials;
  throw new TypeError("Cannot use these settings as they must come from parseSettings()");
}
