/** Stand-ins for what a function touches. They hold state; tests look at it afterwards. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { registerSecret, registerText } from "../../local/leaks/register.ts";
import type {
  Claim,
  ClaimRequest,
  ConnectorDb,
  DatabaseHealth,
  DueRefresh,
  Lease,
  Quotas,
  SchedulePlan,
  SyncStatus,
  UnplannedSchedule,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import type { FailureCode } from "../../supabase/functions/_shared/errors.ts";
import type { FunctionDeps } from "../../supabase/functions/_shared/handlers/function_deps.ts";
import { createLog } from "../../supabase/functions/_shared/log.ts";
import type { Secret } from "../../supabase/functions/_shared/secret.ts";

export const API_URL = "http://functions.test";
export const SECRET_KEY = "sb_secret_default_key_for_tests";
export const OTHER_SECRET_KEY = "sb_secret_another_key_for_tests";
export const PUBLISHABLE_KEY = "sb_publishable_key_for_tests";
export const DISPATCH_TOKEN = "dispatch-token-for-tests-0123456789abcdef";
registerSecret("secret_key", SECRET_KEY);
registerSecret("secret_key", OTHER_SECRET_KEY);
registerSecret("dispatch_token", DISPATCH_TOKEN);
export const NOW = new Date("2026-11-22T10:00:00Z");

/** Settings of a complete environment; `overrides` replaces some, `undefined` removes one. */
export function environment(
  overrides: Readonly<Record<string, string | undefined>> = {},
): Record<string, string | undefined> {
  return {
    SUPABASE_URL: API_URL,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: SECRET_KEY, cron: OTHER_SECRET_KEY }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: PUBLISHABLE_KEY }),
    SUPABASE_JWKS: JSON.stringify({ keys: [] }),
    CONNECTOR_DISPATCH_TOKEN: DISPATCH_TOKEN,
    CONNECTOR_TOKEN_KEYS: JSON.stringify({ k1: "A".repeat(43) }),
    ...overrides,
  };
}

/** A database that remembers what it was told. Override the methods a test needs otherwise. */
export class FakeConnectorDb implements ConnectorDb {
  due: Claim[] = [];
  dueGrants: DueRefresh[] = [];
  unplanned: UnplannedSchedule[] = [];
  readonly plans: SchedulePlan[] = [];
  readonly claimRequests: ClaimRequest[] = [];
  readonly released: { leases: readonly Lease[]; code: FailureCode; message: string }[] = [];
  heartbeat: DatabaseHealth = { last_tick_at: NOW.toISOString(), last_tick_age_seconds: 12 };
  status: SyncStatus = emptyStatus();
  knownQuotas: Quotas = [];
  readonly statusLimits: number[] = [];
  /** Thrown by every method when set. */
  failure: Error | null = null;

  claim(request: ClaimRequest) {
    this.#check();
    this.claimRequests.push(request);
    const claims = this.due.splice(0, request.batch);
    return Promise.resolve({ claims, more_due: this.due.length > 0 });
  }

  dueRefreshes(limit: number) {
    this.#check();
    return Promise.resolve(this.dueGrants.splice(0, limit));
  }

  release(leases: readonly Lease[], code: FailureCode, message: string) {
    this.#check();
    this.released.push({ leases, code, message });
    return Promise.resolve(leases.length);
  }

  unplannedSchedules(limit: number) {
    this.#check();
    return Promise.resolve(this.unplanned.slice(0, limit));
  }

  planSchedules(plans: readonly SchedulePlan[]) {
    this.#check();
    this.plans.push(...plans);
    const planned = new Set(plans.map((plan) => plan.endpoint_id));
    this.unplanned = this.unplanned.filter(({ endpoint_id }) => !planned.has(endpoint_id));
    return Promise.resolve(plans.length);
  }

  // deno-lint-ignore require-await
  async health() {
    this.#check();
    return this.heartbeat;
  }

  // deno-lint-ignore require-await
  async syncStatus(limit: number) {
    this.#check();
    this.statusLimits.push(limit);
    return this.status;
  }

  // deno-lint-ignore require-await
  async quotas() {
    this.#check();
    return this.knownQuotas;
  }

  beginSlice = () => unused("beginSlice");
  startListing = () => unused("startListing");
  commitPage = () => unused("commitPage");
  commitChanges = () => unused("commitChanges");
  absentItems = () => unused("absentItems");
  noteAbsences = () => unused("noteAbsences");
  sweep = () => unused("sweep");
  takeCalls = () => unused("takeCalls");
  blockCalls = () => unused("blockCalls");
  openTasks = () => unused("openTasks");
  finishSlice = () => unused("finishSlice");
  renewLease = () => unused("renewLease");
  storeToken = () => unused("storeToken");
  ownedEndpoint = () => unused("ownedEndpoint");
  beginConsent = () => unused("beginConsent");
  takeConsent = () => unused("takeConsent");
  storeGrant = () => unused("storeGrant");
  disconnect = () => unused("disconnect");
  beginRefresh = () => unused("beginRefresh");
  storeRefresh = () => unused("storeRefresh");
  failRefresh = () => unused("failRefresh");

  #check(): void {
    if (this.failure !== null) throw this.failure;
  }
}

function unused(method: string): Promise<never> {
  return Promise.reject(new Error(`Cannot call ${method} as no handler should need it`));
}

/** What a function did through its deps. */
export interface FakeDeps extends FunctionDeps {
  readonly lines: string[];
  readonly fetched: { readonly url: string; readonly request: Request }[];
  /** Access tokens with which the database was opened as a user. */
  readonly userTokens: Secret[];
  /** How often the database was opened as service_role. */
  readonly serviceConnections: { count: number };
  /** Settles when all background work has. */
  readonly settled: () => Promise<void>;
}

/** What {@linkcode fakeDeps} can be given. */
export interface FakeDepsOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly db?: ConnectorDb;
  readonly respond?: (request: Request) => Response | Promise<Response>;
}

/** Deps without a network, a real clock or a database. */
export function fakeDeps(options: FakeDepsOptions = {}): FakeDeps {
  const { env = environment(), db = new FakeConnectorDb(), respond } = options;
  const lines: string[] = [];
  const fetched: { url: string; request: Request }[] = [];
  const userTokens: Secret[] = [];
  const serviceConnections = { count: 0 };
  const work: Promise<unknown>[] = [];
  const now = () => NOW;
  let ids = 0;
  const write = (line: string) => {
    lines.push(line);
    registerText("a function's log", line);
  };
  return {
    lines,
    fetched,
    userTokens,
    serviceConnections,
    now,
    env: (name) => env[name],
    newId: () => `request-${++ids}`,
    log: createLog({ level: "debug", function: "test", write, now }),
    background: (_name, promise) => work.push(promise),
    settled: async () => {
      await Promise.all(work);
    },
    fetch: async (input: URL | RequestInfo, init?: RequestInit) => {
      const request = new Request(input, init);
      fetched.push({ url: request.url, request: request.clone() });
      return await (respond?.(request) ?? Response.json({ accepted: 1 }, { status: 202 }));
    },
    connectAsService: () => {
      serviceConnections.count++;
      return db;
    },
    connectAsUser: (_settings, accessToken) => {
      userTokens.push(accessToken);
      return db;
    },
  };
}

/** A claim; light unless told otherwise. */
export function claim(overrides: Partial<Claim> = {}): Claim {
  return {
    endpoint_id: crypto.randomUUID(),
    endpoint_type: "google_drive",
    lease_token: crypto.randomUUID(),
    is_heavy: false,
    ...overrides,
  };
}

/** A project without endpoints. */
export function emptyStatus(): SyncStatus {
  return {
    generated_at: NOW.toISOString(),
    scheduler: { last_tick_at: NOW.toISOString() },
    totals: { endpoints: 0, files: 0, bytes: "0" },
    running: 0,
    due: 0,
    backlog_seconds: 0,
    by_status: {},
    tokens: { by_status: {}, next_end_of_grant: null },
    last_hour: {
      runs: 0,
      runs_by_status: {},
      errors: {},
      provider_calls: {},
      files_seen: 0,
      files_added: 0,
      files_updated: 0,
      files_deleted: 0,
      slices: 0,
      lag_seconds: { p50: null, p95: null, max: null },
      run_seconds: { p50: null, p95: null, max: null },
    },
    endpoints: [],
    errors: [],
  };
}

/** Signs access tokens as the project's Auth does. */
export interface TokenIssuer {
  /** Value of SUPABASE_JWKS. */
  readonly jwks: string;
  readonly sign: (
    claims?: Readonly<Record<string, unknown>>,
    expiresIn?: string,
  ) => Promise<string>;
}

const USER_CLAIMS = { sub: "user-1", role: "authenticated", aud: "authenticated" };

/** Creates an issuer with a key of its own. */
export async function createTokenIssuer(): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const key = { ...await exportJWK(publicKey), kid: "test-key", alg: "ES256", use: "sig" };
  return {
    jwks: JSON.stringify({ keys: [key] }),
    async sign(claims = {}, expiresIn = "1h") {
      const token = await new SignJWT({ ...USER_CLAIMS, ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "test-key" })
        .setIssuedAt()
        .setExpirationTime(expiresIn)
        .sign(privateKey);
      registerSecret("user_token", token);
      return token;
    },
  };
}
