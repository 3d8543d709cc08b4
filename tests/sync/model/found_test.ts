/** What random sequences have found: each was a fault once, and is played again as it was. */
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

const SYNC: SyncStep = {
  do: "sync",
  mode: "incremental",
  troubles: [],
  interruption: null,
  meanwhile: [],
  cpuBudgetMs: 1_200,
};

function replay(name: string, sequence: Partial<Sequence>): void {
  Deno.test(name, () =>
    withDatabase(async (sql) => {
      const account = await loadServiceAccount();
      const stage = { sql, db: connectAsService(), account, tally: new Map() };
      await play({ ...PLAIN, ...sequence }, stage);
    }));
}

replay("a folder of the scope that could not be read is its top again when it comes back", {
  scope: "two_folders",
  steps: [
    { ...SYNC, meanwhile: [{ at: 3, event: { do: "lose_scope", top: 0 } }] },
    { ...SYNC, mode: "full" },
    { do: "create_file", in: 0, name: "a.pdf", size: "0" },
  ],
});
