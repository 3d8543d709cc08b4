import { createPublicKey, type KeyObject } from "node:crypto";
import type { SecretLog } from "../emulator/secret_log.ts";

/** An app as its owner registered it. */
export interface App {
  readonly clientId: string;
  /** `null` for public clients, which have none. */
  clientSecret: string | null;
  readonly name: string;
  /** Where people may be sent after their consent. */
  readonly redirectUris: readonly string[];
}

/** What a new app is registered with. */
export interface NewApp {
  readonly clientId: string;
  readonly clientSecret?: string | null | undefined;
  readonly name?: string | undefined;
  readonly redirectUris?: readonly string[] | undefined;
}

/** A service account of an app: a user without a password, who signs with a key. */
export interface NewServiceAccount {
  readonly clientId: string;
  /** The user it is: a user of the model. */
  readonly userId: string;
  readonly keyId: string;
  /** Public or private key, in PEM. */
  readonly key: string;
}

interface ServiceAccountKey {
  readonly clientId: string;
  readonly userId: string;
  readonly key: KeyObject;
}

/** Everything that may ask for tokens. */
export class AppRegistry {
  readonly #apps = new Map<string, App>();
  readonly #keys = new Map<string, ServiceAccountKey>();
  readonly #secrets: SecretLog;

  constructor(secrets: SecretLog) {
    this.#secrets = secrets;
  }

  /** Registers an app; one of the same id is replaced. */
  add(options: NewApp): App {
    const app: App = {
      clientId: options.clientId,
      clientSecret: options.clientSecret ?? null,
      name: options.name ?? options.clientId,
      redirectUris: options.redirectUris ?? [],
    };
    this.#secrets.note("client_secret", app.clientSecret ?? "");
    this.#apps.set(app.clientId, app);
    return app;
  }

  /** The app of a client id. */
  find(clientId: string): App | undefined {
    return this.#apps.get(clientId);
  }

  /** Gives an app another secret; the one before is worthless. */
  setSecret(clientId: string, secret: string): void {
    const app = this.#apps.get(clientId);
    if (app === undefined) {
      throw new RangeError(`Cannot find app: current value is "${clientId}"`);
    }
    app.clientSecret = this.#secrets.note("client_secret", secret);
  }

  /** Registers a key of a service account. */
  addServiceAccount({ clientId, userId, keyId, key }: NewServiceAccount): void {
    this.#keys.set(keyId, { clientId, userId, key: createPublicKey(key) });
  }

  /** The key of this id. */
  findKey(keyId: string): ServiceAccountKey | undefined {
    return this.#keys.get(keyId);
  }
}
