import { FUNCTION_CALLS } from "../call_counter.ts";
import { median, repeat, show, showMs } from "../measure.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

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
    await copyEndpoint(world, first, endpoints - 1);
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

async function copyEndpoint({ sql }: World, id: string, copies: number): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`create temporary table copies on commit drop as
      select gen_random_uuid() as id, n from generate_series(1, ${copies}::int) as n`;
    await tx`
      insert into public.endpoints
        (id, name, endpoint_type, project_id, user_id, endpoint_config, max_files_per_sync,
         last_sync_status)
      select c.id, e.name || c.n, e.endpoint_type, e.project_id,
        (array['11111111-1111-4111-8111-111111111111',
               '22222222-2222-4222-8222-222222222222'])[1 + c.n % 2]::uuid,
        e.endpoint_config, e.max_files_per_sync, e.last_sync_status
      from public.endpoints as e, copies as c where e.id = ${id}`;
    await tx`
      update connector.endpoint_states as s
      set can_sync_incrementally = true, last_listing_completed_at = now(),
        scope_is_tree = o.scope_is_tree, file_count = o.file_count, total_bytes = o.total_bytes
      from connector.endpoint_states as o where o.endpoint_id = ${id} and s.endpoint_id <> ${id}`;
    await tx`
      insert into connector.feeds (endpoint_id, feed_key, cursor, sequence)
      select c.id, d.feed_key, d.cursor, d.sequence
      from connector.feeds as d, copies as c where d.endpoint_id = ${id}`;
    await tx`
      insert into connector.folders
        (endpoint_id, external_folder_id, external_parent_id, folder_name, is_root, path)
      select c.id, f.external_folder_id, f.external_parent_id, f.folder_name, f.is_root, f.path
      from connector.folders as f, copies as c where f.endpoint_id = ${id}`;
    await tx`
      insert into public.files
        (endpoint_id, external_file_id, file_name, file_path, file_link, external_parent_id)
      select c.id, f.external_file_id, f.file_name, f.file_path, f.file_link, f.external_parent_id
      from public.files as f, copies as c where f.endpoint_id = ${id}`;
  });
}
