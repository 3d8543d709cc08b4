import { z } from "zod";
import type { Aps } from "../aps.ts";
import { withoutGovernor } from "../governor.ts";
import { median, repeat, show, showMs } from "../measure.ts";
import { runProgram } from "../program.ts";
import type { WalkInput } from "../programs/walk_input.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const Timed = z.object({ files: z.number(), took_ms: z.number() });
const CALL_MS = 150;
const MOST_ROUNDS = 3;

/** A first walk of a slow Autodesk project against the walk a careful user writes by hand. */
export const projectWalk: Row = {
  name: "project-walk",
  method:
    `A first sync of an emulated Autodesk project in which each call takes ${CALL_MS} ms, by ` +
    "the whole chain, against bench/programs/hand_walk.ts in a process of its own: Autodesk's own " +
    "client, one folder after the other, upserts of 1,000 rows through supabase-js. Autodesk's quota " +
    "is off, in the emulator and in the connector's governor: with it 2,000 folders take anybody " +
    `seven minutes. The walk by hand, mere waiting, is done once, ours up to ${MOST_ROUNDS} times.`,
  async measure(world) {
    const folders = 2_000 * world.sizes.scale;
    const files = 10 * folders;
    const aps = await world.project(files, folders);
    await aps.setLatency(CALL_MS);
    const rounds = await withoutGovernor(
      world,
      () =>
        repeat(Math.min(world.sizes.rounds, MOST_ROUNDS), async () => {
          await world.clear();
          const endpointId = await world.syncs.addProject(aps.projectId);
          const ms = await world.syncs.run();
          const run = await world.syncs.lastRun(endpointId);
          if (run.files_added !== files) throw new Error("Files are missing");
          world.say(`project walked in ${showMs(ms)} (${run.slices} slices)`);
          return { ms, calls: run.provider_calls };
        }),
    );
    const byHandMs = await walkByHand(world, aps, files);
    const ms = median(rounds.map((round) => round.ms));
    const ratio = byHandMs / ms;
    const [counted, known] = [files, folders].map((count) => count.toLocaleString("en-US"));
    return [{
      measure: `first walk of ${counted} files in ${known} folders, ${CALL_MS} ms a call: ` +
        "time of the walk by hand ÷ ours",
      figure: `${show(ratio)} ×`,
      must: "≥ 5 ×",
      aim: "≥ 8 ×",
      isMet: ratio >= 5,
      isAimMet: ratio >= 8,
      detail: `${showMs(ms)}, ${median(rounds.map((round) => round.calls))} calls, against ${
        showMs(byHandMs)
      }`,
    }];
  },
};

async function walkByHand(world: World, aps: Aps, files: number): Promise<number> {
  await world.clear();
  const input: WalkInput = {
    api_url: world.stack.info.api_url,
    secret_key: world.stack.info.secret_key,
    aps_url: aps.url,
    hub_id: aps.hubId,
    project_id: aps.projectId,
    access_token: aps.accessToken,
    endpoint_id: await world.syncs.addProject(aps.projectId),
  };
  const walk = await runProgram(
    { deno: Deno.execPath(), name: "hand_walk", args: [JSON.stringify(input)] },
    Timed,
  );
  if (walk.files !== files) throw new Error("The walk by hand misses files");
  world.say(`walked by hand in ${showMs(walk.took_ms)}`);
  return walk.took_ms;
}
