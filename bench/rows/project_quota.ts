import { show, showMs } from "../measure.ts";
import type { Row } from "../row.ts";

/** As many folders as the governor lets be read in a good minute. */
const FOLDERS = 350;
const CALLS_PER_MINUTE = 300;

/** A first walk with Autodesk's quota on. */
export const projectQuota: Row = {
  name: "project-quota",
  method:
    `A first sync of a project of ${FOLDERS} folders without latency, with Autodesk's limits on in the ` +
    `emulator (${CALLS_PER_MINUTE} folders a minute) and nothing but the connector's governor to keep ` +
    "within them. One round, of the same size with --quick: it takes longer than the minute that a " +
    "limit holds for.",
  async measure(world) {
    const aps = await world.project(10 * FOLDERS, FOLDERS);
    await aps.applyQuota();
    await world.clear();
    await aps.resetCounters();
    const endpointId = await world.syncs.addProject(aps.projectId);
    const ms = await world.syncs.run();
    const run = await world.syncs.lastRun(endpointId);
    const refused = (await aps.statuses())["429"] ?? 0;
    if (run.files_added !== 10 * FOLDERS) throw new Error("Files are missing");
    return [{
      measure: `first walk of ${FOLDERS} folders with the quota on: refused calls`,
      figure: String(refused),
      must: "0",
      aim: "0",
      isMet: refused === 0,
      isAimMet: refused === 0,
      detail: `${run.provider_calls} calls in ${showMs(ms)}, ${
        show(run.provider_calls / ms * 60_000)
      } a minute`,
    }];
  },
};
