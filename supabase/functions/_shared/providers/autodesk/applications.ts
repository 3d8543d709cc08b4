/** One application of Autodesk Platform Services, ready to ask for a token. */
export interface Application {
  readonly clientId: string;
  /** Value of the `Authorization` header of a token request. */
  readonly authorization: string;
}

/** The applications of the settings. Their secrets cannot be printed by accident. */
export class Applications {
  readonly #secrets: ReadonlyMap<string, string>;
  /** The application of an endpoint that names none; `null` where the settings single out none. */
  readonly defaultClientId: string | null;

  constructor(secrets: ReadonlyMap<string, string>, defaultClientId: string | null) {
    this.#secrets = secrets;
    this.defaultClientId = defaultClientId;
  }

  /** The application with this client id, or the default one; `null` where there is no secret. */
  find(clientId: string | null): Application | null {
    const wanted = clientId ?? this.defaultClientId;
    if (wanted === null) return null;
    const secret = this.#secrets.get(wanted);
    if (secret === undefined) return null;
    return { clientId: wanted, authorization: `Basic ${btoa(`${wanted}:${secret}`)}` };
  }
}
