import { median, repeat, show, showMs, timeMs } from "../measure.ts";
import type { Row } from "../row.ts";

/** A folder above many files renamed. */
export const rename: Row = {
  name: "rename",
  method:
    "The folder that holds everything is renamed in the emulated Drive; the whole sync that finds " +
    "it out, from the dispatcher's call to the last answer, against `update public.files set file_path " +
    "= …, updated_at = now()` of the same rows in psql's place. The table is vacuumed before each.",
  async measure(world) {
    const files = 50_000 * world.sizes.scale;
    const drive = await world.drive(files);
    await world.clear();
    const endpointId = await world.syncs.add(drive.driveId);
    await world.syncs.run();
    const { sql } = world;
    const rounds = await repeat(world.sizes.rounds, async (round) => {
      await sql`vacuum analyze`;
      await sql`checkpoint`;
      const name = `Renamed ${round}`;
      await drive.renameFolder(name);
      await world.syncs.makeDue("incremental");
      const oursMs = await world.syncs.run();
      const run = await world.syncs.lastRun(endpointId);
      const [renamed] = await sql<{ count: number }[]>`
        select count(*)::int as count from public.files
        where starts_with(file_path, ${`/${name}/`})`;
      if (renamed?.count !== files) throw new Error(`Renamed ${renamed?.count} of ${files} paths`);
      await sql`vacuum analyze`;
      await sql`checkpoint`;
      const bareMs = await timeMs(() =>
        sql`
          update public.files
          set file_path = '/Projects' || substr(file_path, ${
          name.length + 2
        }::int), updated_at = now()
          where endpoint_id = ${endpointId}`
      );
      // The connector knows nothing of it: its own paths are put back.
      await sql`
        update public.files
        set file_path = ${`/${name}`}::text || substr(file_path, ${"/Projects".length + 1}::int)
        where endpoint_id = ${endpointId}`;
      world.say(`rename ${showMs(oursMs)}, ${run.provider_calls} calls; bare ${showMs(bareMs)}`);
      return { oursMs, bareMs };
    });
    const ratio = median(rounds.map(({ oursMs, bareMs }) => oursMs / bareMs));
    return [{
      measure: `folder above ${
        files.toLocaleString("en-US")
      } files renamed: time ÷ one bare update`,
      figure: `${show(ratio)} ×`,
      must: "≤ 2 ×",
      aim: "≤ 1.3 ×",
      isMet: ratio <= 2,
      isAimMet: ratio <= 1.3,
      detail: `${showMs(median(rounds.map(({ oursMs }) => oursMs)))} against ${
        showMs(median(rounds.map(({ bareMs }) => bareMs)))
      }`,
    }];
  },
};
