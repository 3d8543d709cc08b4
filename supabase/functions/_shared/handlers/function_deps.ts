import type { CommonSettings, Env, StatusSettings } from "../config.ts";
import type { ConnectorDb } from "../db/connector_db.ts";
import type { Background } from "../http/background.ts";
import type { Log } from "../log.ts";
import type { Secret } from "../secret.ts";

/** Everything impure that a function touches. */
export interface FunctionDeps {
  readonly env: Env;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly log: Log;
  readonly background: Background;
  /** Opens the database as `service_role`; no call takes longer than `timeoutMs`. */
  readonly connectAsService: (settings: CommonSettings, timeoutMs: number) => ConnectorDb;
  /** Opens the database as the signed-in user. */
  readonly connectAsUser: (
    settings: StatusSettings,
    accessToken: Secret,
    timeoutMs: number,
  ) => ConnectorDb;
}
