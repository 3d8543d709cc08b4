/**
 * The connector's database in memory: leases, runs, listings, tasks and files behave as the
 * migrations make them, so that the engine can be tested without a server.
 */
import type { ConnectorDb } from "../../supabase/functions/_shared/db/connector_db.ts";
import { fakeAbsences } from "./fake_absences.ts";
import { type Core, createCore, type Insides } from "./fake_core.ts";
import { fakeLeases } from "./fake_leases.ts";
import { fakePages } from "./fake_pages.ts";

export type { FakeEndpoint, FakeListing } from "./fake_endpoint.ts";

/** A fake with its insides open. */
export type FakeConnectorDb = ConnectorDb & Insides;

/** Creates an empty fake. */
export function createFakeConnectorDb(now: () => Date): FakeConnectorDb {
  const core = createCore(now);
  // The insides stay one object: a test changes it, and every call looks there.
  return Object.assign(core.insides, {
    ...fakeLeases(core),
    ...fakePages(core),
    ...fakeAbsences(core),
    ...fakeCalls(core),
    ...NOT_FAKED,
  });
}

function fakeCalls(core: Core): Pick<ConnectorDb, "takeCalls" | "blockCalls"> {
  return {
    async takeCalls({ bucket }, units) {
      await core.enter("takeCalls", null);
      core.insides.taken.push({ bucket, units });
      return { granted: units, wait_seconds: 0 };
    },

    async blockCalls(bucket, seconds) {
      await core.enter("blockCalls", null);
      core.insides.blocked.push({ bucket, seconds });
    },
  };
}

const noAccounts = () => Promise.reject(new Error("The fake connects no accounts"));

/** What the engine does not ask for. */
const NOT_FAKED = {
  ownedEndpoint: noAccounts,
  beginConsent: noAccounts,
  takeConsent: noAccounts,
  storeGrant: noAccounts,
  disconnect: noAccounts,
  beginRefresh: noAccounts,
  storeRefresh: noAccounts,
  failRefresh: noAccounts,
  dueRefreshes: () => Promise.resolve([]),
  unplannedSchedules: () => Promise.resolve([]),
  planSchedules: () => Promise.resolve(0),
  health: () =>
    Promise.resolve({ last_tick_at: null, last_tick_age_seconds: null, version: "0.0.0" }),
  syncStatus: () => Promise.reject(new Error("The fake keeps no status")),
  quotas: () => Promise.reject(new Error("The fake keeps no quotas")),
};
