import { z } from "zod";
import { median, repeat, show, showMs } from "../measure.ts";
import { programInput } from "../program_input.ts";
import { runProgram } from "../program.ts";
import type { Row } from "../row.ts";

const Timed = z.object({ files: z.number(), took_ms: z.number() });
const PAGE_MS = 300;

/** A first sync of a slow drive against the loop a careful user writes by hand. */
export const latency: Row = {
  name: "latency",
  method:
    "The same first sync with 300 ms a page, against bench/programs/hand_loop.ts in a process of " +
    "its own: the official client, pages of 1,000, upserts of 1,000 rows into the same table through " +
    "supabase-js, and no more than that (no paths, no cursor, no deletes). It runs under the newest " +
    "Deno, since the client library does not load under the functions'.",
  async measure(world) {
    const files = 100_000 * world.sizes.scale;
    const drive = await world.drive(files);
    await drive.setPageLatency(PAGE_MS);
    const rounds = await repeat(world.sizes.rounds, async () => {
      await world.clear();
      const endpointId = await world.syncs.add(drive.driveId);
      const oursMs = await world.syncs.run();
      const run = await world.syncs.lastRun(endpointId);
      await world.clear();
      const input = programInput(world, drive, await world.syncs.add(drive.driveId));
      const loop = await runProgram(
        { deno: Deno.execPath(), name: "hand_loop", args: [input] },
        Timed,
      );
      if (run.files_added !== files || loop.files !== files) throw new Error("Files are missing");
      world.say(`with latency ${showMs(oursMs)}, by hand ${showMs(loop.took_ms)}`);
      return { oursMs, loopMs: loop.took_ms };
    });
    const ratio = median(rounds.map(({ oursMs, loopMs }) => loopMs / oursMs));
    const ours = median(rounds.map(({ oursMs }) => oursMs));
    const loop = median(rounds.map(({ loopMs }) => loopMs));
    return [{
      measure: `the same with ${PAGE_MS} ms a page: time of the hand-written loop ÷ ours`,
      figure: `${show(ratio)} ×`,
      must: "≥ 5 ×",
      aim: "≥ 8 ×",
      isMet: ratio >= 5,
      isAimMet: ratio >= 8,
      detail: `${showMs(ours)} against ${showMs(loop)}`,
    }];
  },
};
