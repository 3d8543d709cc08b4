import type postgres from "postgres";

/** Copies an endpoint with all that belongs to it, once for each of `owners`. */
export async function copyEndpoint(
  sql: postgres.Sql,
  id: string,
  owners: readonly string[],
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`create temporary table copies on commit drop as
      select gen_random_uuid() as id, o.user_id, o.n
      from unnest(${[...owners]}::uuid[]) with ordinality as o (user_id, n)`;
    await tx`
      insert into public.endpoints
        (id, name, endpoint_type, project_id, user_id, endpoint_config, interval_minutes,
         max_files_per_sync, last_sync_status)
      select c.id, e.name || c.n, e.endpoint_type, e.project_id, c.user_id, e.endpoint_config,
        e.interval_minutes, e.max_files_per_sync, e.last_sync_status
      from public.endpoints as e, copies as c where e.id = ${id}`;
    await tx`
      update connector.endpoint_states as s
      set can_sync_incrementally = true, last_listing_completed_at = now(),
        scope_is_tree = o.scope_is_tree, file_count = o.file_count, total_bytes = o.total_bytes
      from connector.endpoint_states as o, copies as c
      where o.endpoint_id = ${id} and s.endpoint_id = c.id`;
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
