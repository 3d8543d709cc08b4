import { Secret } from "../../secret.ts";

/** One application of Autodesk Platform Services, ready to ask for a token. */
export interface Application {
  readonly clientId: string;
  readonly clientSecret: Secret;
}

/** The value of the `Authorization` header by which an application shows who it is. */
export function basicAuthorization({ clientId, clientSecret }: Application): string {
  return `Basic ${btoa(`${clientId}:${clientSecret.reveal()}`)}`;
}

/** The applications of the settings. Their secrets cannot be printed by accident. */
export class Applications {
  readonly #secrets: ReadonlyMap<string, Secret>;
  /** The application of an endpoint that names none; `null` where the settings single out none. */
  readonly defaultClientId: string | null;

  constructor(secrets: ReadonlyMap<string, string>, defaultClientId: string | null) {
    this.#secrets = new Map(Array.from(secrets, ([id, secret]) => [id, new Secret(secret)]));
    this.defaultClientId = defaultClientId;
  }

  /** Whether there is none at all. */
  get isEmpty(): boolean {
    return this.#secrets.size === 0;
  }

  /** The application with this client id, or the default one; `null` where there is no secret. */
  find(clientId: string | null): Application | null {
    const wanted = clientId ?? this.defaultClientId;
    if (wanted === null) return null;
    const clientSecret = this.#secrets.get(wanted);
    return clientSecret === undefined ? null : { clientId: wanted, clientSecret };
  }
}
