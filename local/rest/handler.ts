import { ANONYMOUS_ROLE, type Caller, createCallerOf, type RestKeys } from "./credentials.ts";
import { failureOfDatabase } from "./database_failure.ts";
import { openRestDatabase, type RestDatabase, type ResultRow } from "./database.ts";
import { failureResponse, RestFailure } from "./failure.ts";
import { invalidJson } from "./json_keys.ts";
import type { Plan } from "./plans.ts";
import { type IncomingRequest, planRequest, readRequest } from "./request.ts";
import { answerResponse } from "./response.ts";
import { transactionSettings } from "./transaction_settings.ts";

/** How the REST stand-in is set up. */
export interface RestOptions {
  /** A connection as `authenticator`, or as a superuser who then takes on the caller's role. */
  readonly databaseUrl: string;
  readonly keys: RestKeys;
  /** Connections in the pool; 10 unless told. */
  readonly poolSize?: number;
  /** How long a request waits for a connection; 10 s unless told. */
  readonly acquisitionTimeoutMs?: number;
  /** Hears of failures that are this program's own; the caller gets a bare 500. */
  readonly onError?: (cause: unknown) => void;
}

/** The stand-in for PostgREST, serving what lies under `/rest/v1`. */
export interface RestHandler {
  /** Connects and reads the catalog, so that a wrong setup shows at once. */
  ready(): Promise<void>;
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Creates the handler; it connects with the first request. */
export function createRestHandler(options: RestOptions): RestHandler {
  const database = openRestDatabase({
    databaseUrl: options.databaseUrl,
    poolSize: options.poolSize ?? 10,
    acquisitionTimeoutMs: options.acquisitionTimeoutMs ?? 10_000,
  });
  const callerOf = createCallerOf(options.keys);

  async function fetch(request: Request): Promise<Response> {
    let caller: Caller | null = null;
    let body = "";
    try {
      caller = await callerOf(request.headers, new URL(request.url));
      const incoming = await readRequest(request);
      body = incoming.rest.body;
      return await answer(database, incoming, caller);
    } catch (cause) {
      const isAnonymous = caller === null || caller.role === ANONYMOUS_ROLE;
      const failure = failureOf(cause, body, isAnonymous, options.onError);
      return failureResponse(failure, request.method === "HEAD");
    }
  }

  return {
    fetch,
    ready: async () => void await database.catalog(),
    close: () => database.close(),
  };
}

async function answer(
  database: RestDatabase,
  incoming: IncomingRequest,
  caller: Caller,
): Promise<Response> {
  const { plan, settings } = await planWithCatalog(database, incoming, caller);
  const row: ResultRow = await database.run({
    sql: plan.sql,
    values: plan.values,
    isReadOnly: plan.isReadOnly,
    isolation: settings.isolation,
    settings: settings.list,
  }, plan.check);
  return answerResponse(plan.respond(row), row, incoming.rest.method === "HEAD");
}

interface Planned {
  readonly plan: Plan;
  readonly settings: ReturnType<typeof transactionSettings>;
}

/** A name the catalog lacks may have been created since: look once more before saying so. */
async function planWithCatalog(
  database: RestDatabase,
  incoming: IncomingRequest,
  caller: Caller,
): Promise<Planned> {
  try {
    return await planOnce();
  } catch (cause) {
    if (!(cause instanceof RestFailure) || !cause.isCatalogMiss) throw cause;
    database.forgetCatalog();
    return await planOnce();
  }

  async function planOnce(): Promise<Planned> {
    const catalog = await database.catalog();
    const plan = planRequest(catalog, incoming);
    return { plan, settings: transactionSettings(catalog, caller, incoming, plan.settings) };
  }
}

function failureOf(
  cause: unknown,
  body: string,
  isAnonymous: boolean,
  onError: ((cause: unknown) => void) | undefined,
): RestFailure {
  if (cause instanceof RestFailure) return cause;
  const failure = failureOfDatabase(cause, isAnonymous);
  if (failure === null) {
    onError?.(cause);
    return new RestFailure(500, "STANDIN500", "The REST stand-in failed");
  }
  // Postgres was the first to parse the body; PostgREST would have refused it before.
  if (failure.code === "22P02" && body !== "" && !isJson(body)) return invalidJson();
  return failure;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
