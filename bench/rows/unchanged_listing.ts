import { showMs } from "../measure.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

/** Longer than a session keeps its counts to itself. */
const STATISTICS_MS = 12_000;

/** A full listing of a drive in which nothing has changed. */
export const unchangedListing: Row = {
  name: "unchanged-listing",
  method:
    "A full sync asked for after a first one; what it inserted, updated and deleted in files, by " +
    "pg_stat_user_tables. One round: it is a count.",
  async measure(world) {
    const files = 100_000 * world.sizes.scale;
    const drive = await world.drive(files);
    await world.clear();
    const endpointId = await world.syncs.add(drive.driveId);
    await world.syncs.run();
    await world.sql`vacuum analyze`;
    const before = await written(world);
    await world.syncs.makeDue("full");
    const ms = await world.syncs.run();
    const run = await world.syncs.lastRun(endpointId);
    if (run.files_unchanged < files) {
      throw new Error(`Saw ${run.files_unchanged} of ${files} files`);
    }
    const rows = await written(world) - before;
    return [{
      measure: `unchanged full listing of ${
        files.toLocaleString("en-US")
      } files: rows written to files`,
      figure: String(rows),
      must: "0",
      aim: "0",
      isMet: rows === 0,
      isAimMet: rows === 0,
      detail: `in ${showMs(ms)}`,
    }];
  },
};

async function written({ sql }: World): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, STATISTICS_MS));
  const [row] = await sql<{ rows: number }[]>`
    select (n_tup_ins + n_tup_upd + n_tup_del)::int as rows
    from pg_stat_user_tables where schemaname = 'public' and relname = 'files'`;
  return row?.rows ?? 0;
}
