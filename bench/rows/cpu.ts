import { z } from "zod";
import { HEAP_FLAG } from "../../local/functions/launch.ts";
import { median, repeat, show, showMs } from "../measure.ts";
import { cpuMs } from "../process_stat.ts";
import { programInput } from "../program_input.ts";
import { runProgram } from "../program.ts";
import type { Row } from "../row.ts";

const Bare = z.object({ files: z.number(), cpu_ms: z.array(z.number()) });

/** CPU time of the sync function. */
export const cpu: Row = {
  name: "cpu",
  method:
    "User and system time of the sync function's process, all threads (/proc/PID/stat), over a " +
    "first sync of 40,000 files, by 1,000 files read (those that are read twice because a window was " +
    "cut count twice), against a process of the same Deno with the same limit of its heap that parses, " +
    "validates and encodes the same pages. Both have gone over the pages once before.",
  async measure(world) {
    const files = Math.max(40_000 * world.sizes.scale, 10_000);
    const drive = await world.drive(files);
    const syncOnce = async () => {
      await world.clear();
      const endpointId = await world.syncs.add(drive.driveId);
      const pid = world.functionPid();
      const before = await cpuMs(pid);
      await world.syncs.run();
      const run = await world.syncs.lastRun(endpointId);
      const read = run.files_added + run.files_unchanged;
      return (await cpuMs(pid) - before) / read * 1000;
    };
    await world.restartFunction();
    const cold = await syncOnce();
    const ours = await repeat(world.sizes.rounds, syncOnce);
    const input = programInput(world, drive, "");
    const { deno } = world;
    const bare = await runProgram(
      { deno, name: "bare_json", args: [input], flags: [HEAP_FLAG] },
      Bare,
    );
    const oursMs = median(ours);
    const bareMs = median(bare.cpu_ms) / files * 1000;
    const ratio = oursMs / bareMs;
    return [{
      measure: "CPU of the sync function per 1,000 files ÷ bare parse, validate and encode",
      figure: `${show(ratio)} ×`,
      must: "≤ 4 ×",
      aim: "≤ 2.5 ×",
      isMet: ratio <= 4,
      isAimMet: ratio <= 2.5,
      detail: `${showMs(oursMs)} against ${showMs(bareMs)}; ${showMs(cold)} in a new process`,
    }];
  },
};
