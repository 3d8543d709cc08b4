import { z } from "zod";
import { median, repeat, show, showMs } from "../measure.ts";
import { programInput } from "../program_input.ts";
import { runProgram } from "../program.ts";
import type { Row } from "../row.ts";

const Timed = z.object({ files: z.number(), took_ms: z.number() });

/** A first sync at zero latency against the bare database floor. */
export const firstSync: Row = {
  name: "first-sync",
  method:
    "The whole chain (dispatcher, sync function, gateway, database) from the dispatcher's call " +
    "to the answer that ends the run, hand-overs between slices included. The floor sends the same " +
    "rows, encoded beforehand, through connector_commit_page and the same REST door, one call after " +
    "the other, from a process of its own.",
  async measure(world) {
    const files = 100_000 * world.sizes.scale;
    const drive = await world.drive(files);
    const rounds = await repeat(world.sizes.rounds, async () => {
      await world.clear();
      const endpointId = await world.syncs.add(drive.driveId);
      const oursMs = await world.syncs.run();
      const run = await world.syncs.lastRun(endpointId);
      await world.clear();
      const input = programInput(world, drive, await world.syncs.add(drive.driveId));
      const floor = await runProgram({ deno: world.deno, name: "floor", args: [input] }, Timed);
      if (run.files_added !== files || floor.files !== files) throw new Error("Files are missing");
      world.say(
        `first sync ${showMs(oursMs)} (${run.slices} slices), floor ${showMs(floor.took_ms)}`,
      );
      return { oursMs, floorMs: floor.took_ms };
    });
    const ratio = median(rounds.map(({ oursMs, floorMs }) => floorMs / oursMs));
    const rate = (ms: number) => show(files / ms * 1000);
    const ours = median(rounds.map(({ oursMs }) => oursMs));
    const floor = median(rounds.map(({ floorMs }) => floorMs));
    return [{
      measure: `first sync of ${files.toLocaleString("en-US")} files, no latency: files/s ÷ floor`,
      figure: show(ratio),
      must: "≥ 0.7",
      aim: "≥ 1.2",
      isMet: ratio >= 0.7,
      isAimMet: ratio >= 1.2,
      detail: `${rate(ours)} files/s against ${rate(floor)} files/s`,
    }];
  },
};
