import assert from "node:assert/strict";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import postgres from "postgres";
import { type Database, startDatabase } from "../../../local/database.ts";
import {
  createRestHandler,
  type RestHandler,
  type RestOptions,
} from "../../../local/rest/handler.ts";

export const PUBLISHABLE_KEY = "sb_publishable_test";
export const SECRET_KEY = "sb_secret_test";
export const ADA = "11111111-1111-4111-8111-111111111111";
export const GRACE = "22222222-2222-4222-8222-222222222222";

/** Claims and times of a test's token that differ from the usual ones. */
export interface TokenOptions {
  readonly role?: string;
  readonly issuedAt?: number;
  readonly expiresAt?: number;
  readonly notBefore?: number;
}

/** The REST stand-in over a database of its own. */
export interface RestFixture {
  readonly handler: RestHandler;
  readonly sql: postgres.Sql;
  readonly databaseUrl: string;
  readonly keys: RestOptions["keys"];
  /** A client with the secret key. */
  readonly service: SupabaseClient;
  /** A client of a signed-in user, or of nobody. */
  clientOf(userId: string | null): Promise<SupabaseClient>;
  tokenOf(userId: string, options?: TokenOptions): Promise<string>;
  /** Sends a request as it stands, with the secret key unless told. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Another handler on the same database. */
  open(options: Partial<RestOptions>): RestHandler;
}

/** Runs tests against a fixture, and takes it down after them. */
export async function withRest(test: (rest: RestFixture) => Promise<void>): Promise<void> {
  const stateDir = await Deno.makeTempDir({ prefix: "rest-" });
  const database = await startDatabase({ server: "embedded", stateDir, durable: false });
  const sql = postgres(database.superuserUrl, { max: 2, onnotice: () => {} });
  const opened: RestHandler[] = [];
  const failures: unknown[] = [];
  try {
    const schema = await Deno.readTextFile(new URL("schema.sql", import.meta.url));
    await sql.unsafe(schema).simple();
    await test(await createFixture(database, sql, opened, failures));
    assert.deepEqual(failures, [], "the stand-in itself failed");
  } finally {
    for (const handler of opened) await handler.close();
    await sql.end({ timeout: 5 });
    await database.remove();
    await Deno.remove(stateDir, { recursive: true });
  }
}

async function createFixture(
  database: Database,
  sql: postgres.Sql,
  opened: RestHandler[],
  failures: unknown[],
): Promise<RestFixture> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "test", alg: "ES256", use: "sig" };
  const databaseUrl = database.authenticatorUrl ?? database.superuserUrl;
  const keys = { publishable: PUBLISHABLE_KEY, secret: SECRET_KEY, jwks: { keys: [jwk] } };
  const open = (options: Partial<RestOptions>) => {
    const handler = createRestHandler({
      databaseUrl,
      keys,
      onError: (cause) => failures.push(cause),
      ...options,
    });
    opened.push(handler);
    return handler;
  };
  const handler = open({});
  const tokenOf = async (userId: string, options: TokenOptions = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { role: options.role ?? "authenticated", email: `${userId}@example.test` };
    const token = new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "test" })
      .setSubject(userId).setAudience("authenticated")
      .setIssuedAt(options.issuedAt ?? now).setExpirationTime(options.expiresAt ?? now + 600);
    if (options.notBefore !== undefined) token.setNotBefore(options.notBefore);
    return await token.sign(privateKey);
  };
  return {
    handler,
    sql,
    databaseUrl,
    keys,
    open,
    tokenOf,
    service: clientFor(handler, SECRET_KEY, null),
    clientOf: async (userId) =>
      clientFor(handler, PUBLISHABLE_KEY, userId === null ? null : await tokenOf(userId)),
    send: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has("apikey")) headers.set("apikey", SECRET_KEY);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return handler.fetch(new Request(`http://rest.test/rest/v1${path}`, { ...init, headers }));
    },
  };
}

function clientFor(handler: RestHandler, key: string, token: string | null): SupabaseClient {
  const fetch: typeof globalThis.fetch = (input, init) => handler.fetch(new Request(input, init));
  const global = { fetch };
  return token === null
    ? createClient("http://rest.test", key, {
      global,
      auth: { persistSession: false, autoRefreshToken: false },
    })
    : createClient("http://rest.test", key, { global, accessToken: () => Promise.resolve(token) });
}
