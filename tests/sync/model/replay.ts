import { withDatabase } from "../../support/database.ts";
import { connectAsService, loadServiceAccount } from "../../support/drive_sync.ts";
import { play } from "./play.ts";
import type { Sequence, SyncStep } from "./sequence.ts";

const PLAIN: Sequence = {
  scope: "my_folder",
  pageSize: 2,
  lanes: 1,
  foldersPerTask: 1,
  fuseFiles: 50,
  before: [],
  steps: [],
};

/** A sync that nothing befalls. */
export const SYNC: SyncStep = {
  do: "sync",
  mode: "incremental",
  troubles: [],
  interruption: null,
  meanwhile: [],
  cpuBudgetMs: 1_200,
};

/** Plays a sequence again, as a test of this name. */
export function replay(name: string, sequence: Partial<Sequence>): void {
  Deno.test(name, () =>
    withDatabase(async (sql) => {
      const account = await loadServiceAccount();
      const stage = { sql, db: connectAsService(), account, tally: new Map() };
      await play({ ...PLAIN, ...sequence }, stage);
    }));
}
