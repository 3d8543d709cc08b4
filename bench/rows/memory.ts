import { median, repeat, show } from "../measure.ts";
import { peakMemoryMib } from "../process_stat.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

/** Peak memory of the sync function, and how it grows with the number of files. */
export const memory: Row = {
  name: "memory",
  method:
    "The largest resident memory of the sync function's process (VmHWM of /proc/PID/status), the " +
    "figure the platform's limit is about: heap, buffers and code together. A new process for each " +
    "first sync.",
  async measure(world) {
    const small = 10_000;
    const large = 200_000 * world.sizes.scale;
    // The small drive is measured as often, next to the large one, in the same state of the machine.
    const ofSmall = await peaks(world, small);
    const ofLarge = await peaks(world, large);
    const growth = median(ofLarge) - median(ofSmall);
    const name = (files: number) => files.toLocaleString("en-US");
    return [{
      measure: `peak memory of the sync function, ${name(large)} files less ${name(small)}`,
      figure: `${show(growth)} MiB`,
      must: "≤ 25 MiB",
      aim: "≤ 10 MiB",
      isMet: growth <= 25,
      isAimMet: growth <= 10,
      detail: `${show(median(ofLarge))} MiB less ${show(median(ofSmall))} MiB`,
    }];
  },
};

async function peaks(world: World, files: number): Promise<readonly number[]> {
  const drive = await world.drive(files);
  return await repeat(world.sizes.rounds, async () => {
    await world.clear();
    await world.restartFunction();
    const endpointId = await world.syncs.add(drive.driveId);
    await world.syncs.run();
    await world.syncs.lastRun(endpointId);
    const peak = await peakMemoryMib(world.functionPid());
    world.say(`peak of ${files} files: ${show(peak)} MiB`);
    return peak;
  });
}
