/**
 * A worker in a process of its own, to be killed: works on what is due until nothing is. Its Drive is
 * named by the settings of production, its database by the test run.
 */
import { createAccessTokens } from "../../../supabase/functions/_shared/oauth/access_tokens.ts";
import { createTokenVault } from "../../../supabase/functions/_shared/oauth/token_vault.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { createGovernor } from "../../../supabase/functions/_shared/sync/governor.ts";
import { sleep } from "../../../supabase/functions/_shared/sync/sleep.ts";
import { workLeases } from "../../../supabase/functions/_shared/sync/slice.ts";
import { connectAsService } from "../../support/drive_sync.ts";
import { createMemoryLog } from "../../support/memory_log.ts";
import { NO_GRANTS } from "../../support/no_grants.ts";

const PAGE_SIZE = 5;

const db = connectAsService();
const now = () => new Date();
const log = createMemoryLog();
const keys = new Map([["k1", new Uint8Array(32).fill(7)]]);
const limits = { ...googleDrive.limits, maxPageSize: PAGE_SIZE, foldersPerTask: 2 };

for (;;) {
  const { claims } = await db.claim({ maxConcurrent: 1_000, batch: 1 });
  if (claims.length === 0) break;
  await workLeases(claims, {
    provider: { ...googleDrive, limits },
    settings: googleDrive.parseSettings((name) => Deno.env.get(name)),
    db,
    accessTokens: createAccessTokens({
      db,
      vault: createTokenVault({ newest: "k1", keys }),
      grants: NO_GRANTS,
      publicUrl: "",
      now,
      log,
    }),
    governor: createGovernor({ db, now, sleep, log }),
    fetch,
    now,
    sleep,
    random: Math.random,
    log,
    maxConcurrentSyncs: 1,
    wakeDispatcher: () => Promise.resolve(),
    unloading: new AbortController().signal,
  });
}
