import assert from "node:assert/strict";
import { createDispatcherHandler } from "../../supabase/functions/_shared/handlers/dispatcher.ts";
import { LARGEST_REFRESH } from "../../supabase/functions/_shared/handlers/due_refreshes.ts";
import {
  createSyncHandler,
  type SyncFunctionDeps,
} from "../../supabase/functions/_shared/handlers/sync.ts";
import { autodesk } from "../../supabase/functions/_shared/providers/autodesk/index.ts";
import { sleep } from "../../supabase/functions/_shared/sync/sleep.ts";
import {
  type AutodeskSync,
  CLIENT_ID,
  stateOf,
  withAutodeskSync,
} from "../support/autodesk_sync.ts";
import { createMemoryLog } from "../support/memory_log.ts";
import { connectAsService } from "../support/synced.ts";
import { addConnected, tokenCalls } from "./connected_autodesk.ts";
import { type Connected, readGrant } from "./granted.ts";

const SECRET_KEY = "sb_secret_0123456789abcdefghijklmnopqrstuv";
const ENVIRONMENT: Readonly<Record<string, string>> = {
  SUPABASE_URL: "http://project.example",
  SUPABASE_SECRET_KEYS: JSON.stringify({ default: SECRET_KEY }),
  CONNECTOR_DISPATCH_TOKEN: "0123456789abcdef0123456789abcdef",
  CONNECTOR_TOKEN_KEYS: JSON.stringify({ k1: btoa("\x07".repeat(32)) }),
  CONNECTOR_AUTODESK_API_URL: "http://aps.emulator",
  CONNECTOR_AUTODESK_CLIENT_ID: CLIENT_ID,
  CONNECTOR_AUTODESK_CLIENT_SECRET: "hush",
};

/** The dispatcher and the sync function, which call each other as on the platform. */
function deployed({ aps }: AutodeskSync) {
  const log = createMemoryLog();
  const work: Promise<unknown>[] = [];
  const deps: SyncFunctionDeps = {
    env: (name) => ENVIRONMENT[name],
    fetch: (input, init) => {
      const request = new Request(input, init);
      return request.url.includes("/functions/v1/sync-")
        ? syncFunction(request)
        : aps.fetch(request);
    },
    tokenFetch: aps.fetch,
    now: () => new Date(),
    newId: () => "request-0001",
    log,
    background: (_name, promise) => work.push(promise),
    connectAsService,
    connectAsUser: connectAsService,
    sleep,
    random: Math.random,
    unloading: new AbortController().signal,
  };
  const syncFunction = createSyncHandler(autodesk, deps);
  const dispatcher = createDispatcherHandler(deps);
  return {
    log,
    /** Calls the dispatcher and waits until all that it set off is done. */
    async dispatch(): Promise<void> {
      const request = new Request("http://project.example/dispatcher", {
        method: "POST",
        headers: { apikey: SECRET_KEY },
        body: '{"source":"tick"}',
      });
      assert.equal((await dispatcher(request)).status, 202);
      for (let n = 0; n < work.length; n++) await work[n];
      work.length = 0;
    },
  };
}

/** An endpoint that nobody syncs, with an access token that has time left. */
async function addIdle(world: AutodeskSync, more: Connected): Promise<string> {
  const endpointId = await addConnected(world, world.sql, { secondsLeft: 3_000, ...more });
  await world.sql`
    update connector.endpoint_states set next_run_at = null, requested_at = null,
      requested_mode = null where endpoint_id = ${endpointId}`;
  return endpointId;
}

const LAPSING = { refreshInDays: -0.001 };

Deno.test("grants of endpoints that are synced by hand, or not at all, are kept alive", () =>
  withAutodeskSync(async (world) => {
    const { sql } = world;
    const manual = await addIdle(world, { ...LAPSING, endpoint: { schedule_type: "manual" } });
    const disabled = await addIdle(world, { ...LAPSING, endpoint: { enabled: false } });
    const early = await addIdle(world, { endpoint: { schedule_type: "manual" } });
    const functions = deployed(world);
    await functions.dispatch();
    assert.equal(tokenCalls(world), 2);
    for (const endpointId of [manual, disabled]) {
      const { generation, refreshBy } = await readGrant(sql, endpointId);
      assert.equal(generation, 2);
      assert.ok(refreshBy.getTime() > Date.now() + 7 * 86_400_000);
    }
    assert.equal((await readGrant(sql, early)).generation, 1);
    await functions.dispatch();
    assert.equal(tokenCalls(world), 2);
  }));

Deno.test("a grant that cannot be kept alive says so, and hinders neither the others nor a sync", () =>
  withAutodeskSync(async (world) => {
    const { sql, place } = world;
    const lost = await addIdle(world, { ...LAPSING, refreshToken: "of nobody" });
    const broken = await addIdle(world, {
      ...LAPSING,
      endpoint: { endpoint_config: sql.json({ project_id: "" }) },
    });
    const kept = await addIdle(world, LAPSING);
    const due = await world.add({ project_id: place.projectId });
    const functions = deployed(world);
    await functions.dispatch();
    assert.equal((await readGrant(sql, kept)).generation, 2);
    const { isEnded, status, code } = await readGrant(sql, lost);
    assert.deepEqual([isEnded, status, code], [true, "needs_reauthorization", "grant_revoked"]);
    assert.equal((await readGrant(sql, broken)).isEnded, false);
    assert.equal((await stateOf(sql, due)).status, "completed");
    const failures = functions.log.entries.filter(({ event }) => event === "grant_not_kept_alive");
    assert.equal(failures.length, 2);
  }));

Deno.test("more grants than fit a round are kept alive in the next one", () =>
  withAutodeskSync(async (world) => {
    const count = LARGEST_REFRESH + 3;
    await Promise.all(Array.from({ length: count }, () => addIdle(world, LAPSING)));
    const functions = deployed(world);
    await functions.dispatch();
    assert.equal(tokenCalls(world), LARGEST_REFRESH);
    await functions.dispatch();
    assert.equal(tokenCalls(world), count);
  }));
