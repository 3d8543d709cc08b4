import { DATABASE_CALLS } from "../call_counter.ts";
import { median, repeat, show, showMs } from "../measure.ts";
import type { Result, Row } from "../row.ts";
import type { World } from "../world.ts";

const SIZES = [1_000, 10_000, 100_000];

/** Syncs before those that count. */
const WARM_UP = 15;

/** Calls that the dispatcher makes, once for all endpoints that are due. */
const DISPATCHERS = ["connector_unplanned_schedules", "connector_claim"];

/** One sync, or the median time and the most calls of several. */
interface Unchanged {
  readonly ms: number;
  readonly providerCalls: number;
  readonly databaseCalls: number;
  readonly dispatcherCalls: number;
}

/** Syncs in which nothing has changed. */
export const nothingChanged: Row = {
  name: "nothing-changed",
  method:
    "Drives of three sizes, each synced in full once and then incrementally with nothing changed; " +
    "the sizes in turn, up and then down, since whoever comes later finds everything warmer. " +
    "Provider calls are those of sync_logs, database calls those the sync function makes through the " +
    "REST door from being handed the endpoint to giving it back (the dispatcher's, one set for all " +
    "endpoints that are due, are named beside them); time from the dispatcher's call to the last answer.",
  async measure(world) {
    const sizes = SIZES.map((files) => files * world.sizes.scale);
    const up = await repeat(sizes.length, (index) => measureOne(world, sizes[index] ?? 0));
    const down = await repeat(
      sizes.length,
      (index) => measureOne(world, sizes.at(-1 - index) ?? 0),
    );
    const all = up.map((rounds, index) => summarize([...rounds, ...down.at(-1 - index) ?? []]));
    const most = (values: number[]) => Math.max(...values);
    const providerCalls = most(all.map((each) => each.providerCalls));
    const databaseCalls = most(all.map((each) => each.databaseCalls));
    const times = all.map(({ ms }) => ms);
    const flatness = most(times) / Math.min(...times);
    const names = sizes.map((files) => files.toLocaleString("en-US")).join(" / ");
    const results: Result[] = [{
      measure: `nothing changed, at ${names} files: provider calls`,
      figure: String(providerCalls),
      must: "1",
      aim: "1",
      isMet: providerCalls === 1,
      isAimMet: providerCalls === 1,
      detail: all.map((each) => each.providerCalls).join(" / "),
    }, {
      measure: "the same: database calls",
      figure: String(databaseCalls),
      must: "≤ 4",
      aim: "3",
      isMet: databaseCalls <= 4,
      isAimMet: databaseCalls <= 3,
      detail: `${all.map((each) => each.databaseCalls).join(" / ")}, and ${
        most(all.map((each) => each.dispatcherCalls))
      } of the dispatcher`,
    }, {
      measure: "the same: longest time ÷ shortest",
      figure: `${show(flatness)} ×`,
      must: "≤ 1.5 ×",
      aim: "",
      isMet: flatness <= 1.5,
      isAimMet: false,
      detail: times.map(showMs).join(" / "),
    }];
    return results;
  },
};

async function measureOne(world: World, files: number): Promise<readonly Unchanged[]> {
  const drive = await world.drive(files);
  await world.clear();
  const endpointId = await world.syncs.add(drive.driveId);
  await world.syncs.run();
  await world.sql`vacuum analyze`;
  // The functions' processes and the database's sessions get warm, whichever size comes first.
  await repeat(WARM_UP, () => runOnce(world, endpointId));
  // Short as they are, single ones are at the mercy of the machine.
  return await repeat(world.sizes.rounds * 3, () => runOnce(world, endpointId));
}

function summarize(rounds: readonly Unchanged[]): Unchanged {
  return {
    ms: median(rounds.map(({ ms }) => ms)),
    providerCalls: Math.max(...rounds.map((round) => round.providerCalls)),
    // A worker keeps what it took of the shared quota for its next endpoints: the first one pays.
    databaseCalls: Math.max(...rounds.map((round) => round.databaseCalls)),
    dispatcherCalls: Math.max(...rounds.map((round) => round.dispatcherCalls)),
  };
}

async function runOnce(world: World, endpointId: string): Promise<Unchanged> {
  await world.syncs.makeDue("incremental");
  world.calls.reset();
  const ms = await world.syncs.run();
  const { provider_calls: providerCalls } = await world.syncs.lastRun(endpointId);
  // A claim that comes late, from a worker that looks for more to do, counts too.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const calls = world.calls.below(DATABASE_CALLS);
  const begun = calls.indexOf("connector_begin_slice");
  const own = calls.filter((name, index) => index >= begun || !DISPATCHERS.includes(name));
  return {
    ms,
    providerCalls,
    databaseCalls: own.length,
    dispatcherCalls: calls.length - own.length,
  };
}
