/** What random sequences have found: each was a fault once, and is played again as it was. */
import { withDatabase } from "../../support/database.ts";
import { connectAsService } from "../../support/synced.ts";
import { play } from "./play.ts";
import type { Sequence, SyncStep } from "./sequence.ts";

const PLAIN: Sequence = {
  scope: "folder",
  rollups: "all",
  links: "absolute",
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
      const stage = { sql, db: connectAsService(), tally: new Map() };
      await play({ ...PLAIN, ...sequence }, stage);
    }));
}

for (const status of [403, 404]) {
  replay(`a run is not completed that cannot tell what became of a file: ${status}`, {
    before: [{ do: "create_item", in: 0, name: "a.pdf", size: "1" }],
    steps: [
      SYNC,
      { do: "purge", entry: 0 },
      { ...SYNC, troubles: [{ plan: { fault: { type: "status", status }, method: "items.get" } }] },
      SYNC,
    ],
  });
}

replay("a file that was moved to where nothing is shown may go, as one that is nowhere would", {
  scope: "project",
  pageSize: 5,
  before: [
    { do: "create_folder", in: 76, name: "a.pdf" },
    { do: "create_item", in: 65, name: "x/y.pdf", size: "1" },
    { do: "create_placeholder", in: 36, name: "B.PDF" },
    { do: "create_item", in: 30, name: "c.txt", size: null },
    { do: "create_item", in: 41, name: "d.pdf", size: "1024" },
  ],
  steps: [
    { do: "deny", entry: 55, status: 404 },
    SYNC,
    { do: "create_item", in: 17, name: "new.txt", size: null },
    { do: "move", entry: 75, in: 9 },
    SYNC,
  ],
});

replay("a listing that was broken off before a file changed is followed by one that knows", {
  scope: "project",
  before: [
    { do: "create_folder", in: 0, name: "B.PDF" },
    { do: "create_item", in: 1, name: "a.pdf", size: null },
  ],
  steps: [
    { ...SYNC, interruption: { type: "die", at: 12, isCarriedOut: false }, cpuBudgetMs: 12 },
    { do: "add_version", entry: 0, size: "0" },
    SYNC,
    SYNC,
  ],
});

replay("a bounded full walk goes on where it stood, and ends", {
  scope: "nested_folders",
  before: Array.from({ length: 12 }, (_, n) => ({
    do: "create_item" as const,
    in: n,
    name: `${n}.pdf`,
    size: "1",
  })),
  steps: [{ do: "limit_files", files: 4 }, { ...SYNC, mode: "full" }, SYNC],
});
