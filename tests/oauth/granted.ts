/** Accounts connected in the test run's database, and the grants of this process. */
import assert from "node:assert/strict";
import type { ConnectorDb } from "../../supabase/functions/_shared/db/connector_db.ts";
import { freshFetch } from "../../supabase/functions/_shared/http/fresh_fetch.ts";
import {
  createGrants,
  type GrantRequest,
  type Grants,
  type GrantsDeps,
} from "../../supabase/functions/_shared/oauth/grants.ts";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import { autodesk } from "../../supabase/functions/_shared/providers/autodesk/index.ts";
import type { OAuthProfile } from "../../supabase/functions/_shared/providers/types.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { sleep } from "../../supabase/functions/_shared/sync/sleep.ts";
import { ADA, addEndpoint, type EndpointOverrides, type Sql } from "../support/database.ts";
import { createMemoryLog, type LogEntry } from "../support/memory_log.ts";
import { PROFILE } from "../support/oauth_profile.ts";
import { connectAsService } from "../support/synced.ts";
import { accessToken, refreshToken } from "./issued.ts";

/** Seals what is stored by these tests, in every process of theirs. */
export const vault = createTokenVault({
  newest: "k1",
  keys: new Map([["k1", new Uint8Array(32).fill(7)]]),
});

/** What a connected account is stored with. */
export interface Connected {
  readonly refreshToken?: string;
  /** Seconds the access token has left; by default it has expired. */
  readonly secondsLeft?: number;
  /** Days until the refresh token is to be used. */
  readonly refreshInDays?: number;
  readonly endpoint?: EndpointOverrides;
}

/** Adds an endpoint to which an account is connected. */
export async function connectAccount(sql: Sql, connected: Connected = {}): Promise<string> {
  const { secondsLeft = -1, refreshInDays = 7, endpoint } = connected;
  const given = connected.refreshToken ?? refreshToken(1);
  const endpointId = await addEndpoint(sql, endpoint);
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
  const grant = {
    endpoint_id: endpointId,
    user_id: ADA,
    access_token: await vault.seal(new Secret(accessToken(1)), endpointId),
    refresh_token: await vault.seal(new Secret(given), endpointId),
    expires_at: inSeconds(secondsLeft),
    refresh_by: inSeconds(refreshInDays * 86_400),
  };
  await sql`select public.connector_store_grant(${sql.json(grant)})`;
  return endpointId;
}

/** The grants of this process, with their insides open. */
export interface TestGrants {
  readonly grants: Grants;
  readonly db: ConnectorDb;
  readonly log: { readonly entries: LogEntry[] };
}

/** Creates grants that speak to the test's database, and really send what they send. */
export function createTestGrants(overrides: Partial<GrantsDeps> = {}): TestGrants {
  const db = connectAsService();
  const log = createMemoryLog();
  const grants = createGrants({
    db,
    vault,
    tokenFetch: freshFetch,
    publicUrl: "https://project.example",
    now: () => new Date(),
    sleep,
    random: () => 0.5,
    log,
    ...overrides,
  });
  return { grants, db, log };
}

/** A request for the access token of an endpoint, at the address `tokenUrl`. */
export function requestFor(
  endpointId: string,
  tokenUrl: string,
  overrides: Partial<GrantRequest> & { readonly profile?: OAuthProfile } = {},
): GrantRequest {
  return {
    endpointId,
    profile: { ...PROFILE, tokenUrl },
    classify: (failure) => autodesk.classifyGrant(failure),
    refusedGeneration: null,
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** What is stored of a grant, opened; `isEnded`: it is refused for good. */
export interface StoredGrant {
  readonly access: string;
  readonly refresh: string;
  readonly generation: number;
  readonly isEnded: boolean;
  /** A refresh of it is noted as being under way. */
  readonly isRefreshing: boolean;
  readonly refreshBy: Date;
  readonly status: string;
  readonly code: string | null;
}

/** Reads the grant of an endpoint. */
export async function readGrant(sql: Sql, endpointId: string): Promise<StoredGrant> {
  const [row] = await sql<
    {
      access_token: string;
      refresh_token: string;
      generation: number;
      is_ended: boolean;
      is_refreshing: boolean;
      refresh_by: Date;
      last_sync_status: string;
      last_error_code: string | null;
    }[]
  >`
    select t.*, t.needs_reauthorization_at is not null as is_ended,
      exists (select from connector.token_refreshes as r where r.oauth_token_id = t.id)
        as is_refreshing,
      e.last_sync_status, e.last_error_code
    from public.oauth_tokens as t join public.endpoints as e on e.id = t.endpoint_id
    where t.endpoint_id = ${endpointId} and t.is_active`;
  assert.ok(row);
  const open = async (sealed: string) => (await vault.open(sealed, endpointId)).reveal();
  return {
    access: await open(row.access_token),
    refresh: await open(row.refresh_token),
    generation: row.generation,
    isEnded: row.is_ended,
    isRefreshing: row.is_refreshing,
    refreshBy: row.refresh_by,
    status: row.last_sync_status,
    code: row.last_error_code,
  };
}

/** Lets the lease of a worker that was lost run out. */
export async function endLeases(sql: Sql): Promise<void> {
  await sql`update connector.token_refreshes set lease_expires_at = now() - interval '1 second'`;
}
