import { median, repeat, show, showMs, timeMs } from "../measure.ts";
import type { Row } from "../row.ts";

const CALLS = 200;

/** The scheduler's minute over many endpoints of which none is due. */
export const tick: Row = {
  name: "tick",
  method:
    `\`select connector.tick()\` and \`select 1\`, ${CALLS} of each in turn over one connection, each a ` +
    "transaction of its own made safe on disk as in production; the medians of each round compared.",
  async measure(world) {
    const endpoints = 100_000 * world.sizes.scale;
    const { sql } = world;
    await world.clear();
    await sql`
      insert into public.endpoints (name, endpoint_type, project_id, user_id, endpoint_config)
      select 'idle ' || n, 'google_drive', 'bench', '11111111-1111-4111-8111-111111111111',
        '{"drive_id":"0AIdle"}' from generate_series(1, ${endpoints}::int) as n`;
    await sql`
      update connector.endpoint_states
      set next_run_at = now() + interval '1 hour' + random() * interval '1 hour'`;
    await sql`vacuum analyze`;
    const connection = await sql.reserve();
    const rounds = await repeat(world.sizes.rounds, async () => {
      const ticks: number[] = [];
      const ones: number[] = [];
      for (let call = 0; call < CALLS; call++) {
        ticks.push(await timeMs(() => connection`select connector.tick()`));
        ones.push(await timeMs(() => connection`select 1`));
      }
      return { tickMs: median(ticks), oneMs: median(ones) };
    });
    const [said] = await connection<{ tick: string }[]>`select connector.tick()`;
    connection.release();
    if (said?.tick !== "idle") throw new Error(`The tick said "${said?.tick}"`);
    const ratio = median(rounds.map(({ tickMs, oneMs }) => tickMs / oneMs));
    return [{
      measure: `tick over ${endpoints.toLocaleString("en-US")} idle endpoints ÷ select 1`,
      figure: `${show(ratio)} ×`,
      must: "≤ 5 ×",
      aim: "≤ 3 ×",
      isMet: ratio <= 5,
      isAimMet: ratio <= 3,
      detail: `${showMs(median(rounds.map(({ tickMs }) => tickMs)))} against ${
        showMs(median(rounds.map(({ oneMs }) => oneMs)))
      }`,
    }];
  },
};
