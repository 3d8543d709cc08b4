import { DEMO_USERS } from "../../local/stack.ts";
import { FUNCTION_CALLS } from "../call_counter.ts";
import { copyEndpoint } from "../copies.ts";
import { median, repeat, show, showMs } from "../measure.ts";
import type { Row } from "../row.ts";

/** Many endpoints, due at once, of which none has changed. */
export const drain: Row = {
  name: "drain",
  method:
    "One endpoint is synced and copied by SQL with all that belongs to it; all are made due at " +
    "once; the calls of dispatcher and sync function are counted at the gateway until nothing is due. " +
    "All share one service account, and so its quota in the connector's governor, which allows about " +
    "800 calls at once and 40 a second after them.",
  async measure(world) {
    const endpoints = 1_000 * world.sizes.scale;
    const drive = await world.drive(20);
    await world.clear();
    const first = await world.syncs.add(drive.driveId);
    await world.syncs.run();
    const owners = Array.from(
      { length: endpoints - 1 },
      (_, index) => DEMO_USERS[index % 2 === 0 ? 1 : 0].id,
    );
    await copyEndpoint(world.sql, first, owners);
    const once = async () => {
      await world.sql`delete from connector.rate_limits`;
      await world.sql`vacuum analyze`;
      await world.syncs.makeDue("incremental");
      world.calls.reset();
      const ms = await world.syncs.run();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const invocations = world.calls.below(FUNCTION_CALLS).length;
      const [left] = await world.sql<{ count: number }[]>`
        select count(*)::int as count from public.endpoints where last_sync_status <> 'completed'`;
      if (left?.count !== 0) throw new Error(`${left?.count} endpoints were not completed`);
      world.say(`drained in ${showMs(ms)} by ${invocations} invocations`);
      return { ms, invocations };
    };
    // The first one gets each endpoint its access token.
    await once();
    const rounds = await repeat(world.sizes.rounds, once);
    const invocations = median(rounds.map((round) => round.invocations));
    const scale = world.sizes.scale;
    return [{
      measure: `${
        endpoints.toLocaleString("en-US")
      } due, unchanged endpoints: function invocations`,
      figure: show(invocations),
      must: "≤ 100",
      aim: "≤ 50",
      isMet: invocations <= 100 * scale,
      isAimMet: invocations <= 50 * scale,
      detail: `in ${showMs(median(rounds.map(({ ms }) => ms)))}`,
    }];
  },
};
