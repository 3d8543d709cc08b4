import { withoutGovernor } from "../governor.ts";
import { median, repeat, showMs } from "../measure.ts";
import type { Row } from "../row.ts";

/** Longer than a change counts as young, and is read again for safety. */
const AGE_MS = 4_000;

/** Syncs of an Autodesk project in which nothing, or one folder, has changed. */
export const projectChanges: Row = {
  name: "project-changes",
  method:
    "An emulated Autodesk project, synced in full once and then incrementally: with nothing " +
    `changed, and ${
      AGE_MS / 1000
    } s after a file was added to the deepest folder. Provider calls are ` +
    "those of sync_logs, the most of all rounds.",
  async measure(world) {
    const folders = 2_000 * world.sizes.scale;
    const aps = await world.project(10 * folders, folders);
    await world.clear();
    const endpointId = await world.syncs.addProject(aps.projectId);
    await withoutGovernor(world, () => world.syncs.run());
    await world.sql`vacuum analyze`;
    const once = async () => {
      await world.syncs.makeDue("incremental");
      const ms = await world.syncs.run();
      return { ms, run: await world.syncs.lastRun(endpointId) };
    };
    const unchanged = await repeat(world.sizes.rounds, once);
    const changed = await repeat(world.sizes.rounds, async (round) => {
      await aps.changeDeepestFolder(`New ${round}.pdf`);
      await new Promise((resolve) => setTimeout(resolve, AGE_MS));
      const result = await once();
      if (result.run.files_added !== 1) throw new Error("The change was missed");
      return result;
    });
    const count = folders.toLocaleString("en-US");
    const calls = (of: typeof changed) => Math.max(...of.map(({ run }) => run.provider_calls));
    const time = (of: typeof changed) => `in ${showMs(median(of.map(({ ms }) => ms)))}`;
    const [quiet, busy] = [calls(unchanged), calls(changed)];
    const most = aps.depth + 3;
    return [{
      measure: `unchanged Autodesk project of ${count} folders: provider calls`,
      figure: String(quiet),
      must: "≤ 3",
      aim: "1",
      isMet: quiet <= 3,
      isAimMet: quiet === 1,
      detail: time(unchanged),
    }, {
      measure: `1 of ${count} folders changed, ${aps.depth} deep: provider calls`,
      figure: String(busy),
      must: `≤ ${most}`,
      aim: `≤ ${aps.depth + 1}`,
      isMet: busy <= most,
      isAimMet: busy <= aps.depth + 1,
      detail: time(changed),
    }];
  },
};
