-- Purpose:  a page of a listing may show files as deleted: that is proof, unlike their absence, and is
--           applied with the page, whatever becomes of the rest of the listing.
-- Depends:  20261122101200_create_commits.sql
-- Rollback: create public.connector_commit_page as it was, drop connector.delete_shown_gone().

-- Makes tombstones of files that a page shows as deleted; null stands for a page that shows none. What
-- the same listing also shows as present was deleted, or restored, while it ran: the next one will tell.
create function connector.delete_shown_gone(
  p_endpoint_id uuid, p_listing_id bigint, p_removed jsonb, out deleted integer, out bytes numeric
)
language sql volatile security invoker set search_path = ''
as $$
  with incoming as (
    select distinct on (r.external_id) r.external_id, r.reason
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
    order by r.external_id
  ),
  gone as (
    update public.files as f
    set sync_status = 'deleted', deleted_at = now(), deletion_reason = found.reason,
        updated_at = now()
    from (
      select k.id, incoming.reason
      from incoming
      cross join lateral (
        select s.id, s.created_at from public.files as s
        where s.endpoint_id = p_endpoint_id and s.external_file_id = incoming.external_id
          and s.deleted_at is null
        offset 0
      ) as k
      where p_listing_id is null or (
        k.created_at < (select g.started_at from connector.listings as g where g.id = p_listing_id)
        and not exists (
          select from connector.seen_files as n
          where n.listing_id = p_listing_id and n.external_file_id = incoming.external_id))
    ) as found
    where f.id = found.id
    returning f.file_size
  )
  select count(*)::integer, coalesce(sum(gone.file_size), 0) from gone;
$$;

create or replace function public.connector_commit_page(p_lease jsonb, p_page jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_endpoint_id uuid := (p_lease ->> 'endpoint_id')::uuid;
  v_listing_id bigint;
  v_noted_listing_id bigint;
  v_last_task_id bigint;
  v_folders record;
  v_files record;
  v_filtered record;
  v_removed record;
  v_walk jsonb := p_page -> 'walk';
  v_new_tasks integer;
begin
  -- Pages without folders may be committed side by side; a page with folders has the endpoint to
  -- itself, for else a file could miss the path of a folder that is being written.
  if jsonb_array_length(p_page -> 'folders') > 0 then
    perform pg_catalog.pg_advisory_xact_lock(7002, hashtext(v_endpoint_id::text));
  else
    perform pg_catalog.pg_advisory_xact_lock_shared(7002, hashtext(v_endpoint_id::text));
  end if;
  v_state := connector.require_lease(p_lease);
  select g.id, case when g.sweep <> 'nothing' then g.id end into v_listing_id, v_noted_listing_id
  from connector.listings as g where g.endpoint_id = v_endpoint_id;
  if not connector.advance_task(v_listing_id, p_page) then
    return connector.repeated_commit(v_state);
  end if;
  select coalesce(max(tasks.id), 0) into v_last_task_id
  from connector.tasks where tasks.listing_id = v_listing_id;

  select * into v_folders
  from connector.upsert_folders(v_endpoint_id, v_listing_id, p_page -> 'folders');
  if cardinality(v_folders.changed) > 0 then
    perform connector.rewrite_paths(v_endpoint_id, v_folders.changed);
  end if;
  select * into v_files
  from connector.upsert_files(v_endpoint_id, v_noted_listing_id, p_page -> 'files');
  select * into v_filtered from connector.delete_filtered(v_endpoint_id, p_page -> 'filtered');
  select * into v_removed
  from connector.delete_shown_gone(v_endpoint_id, v_noted_listing_id, p_page -> 'removed');
  if v_state.scope_is_tree then
    perform connector.forget_pending(v_endpoint_id, p_page);
  end if;
  -- Below a folder that came into the scope, folders that were there before are followed already; but
  -- while folders cannot be read, the feeds may have kept silent about what lies below them.
  if v_noted_listing_id is null and not exists (
    select from connector.folder_errors as e where e.endpoint_id = v_endpoint_id)
  then
    v_walk := (
      select coalesce(jsonb_agg(w.id), '[]')
      from jsonb_array_elements_text(v_walk) as w (id) where w.id = any (v_folders.fresh));
  end if;
  v_walk := v_walk || (
    select coalesce(jsonb_agg(w.id), '[]')
    from jsonb_array_elements_text(p_page -> 'walk_new') as w (id) where w.id = any (v_folders.fresh));
  v_new_tasks := connector.add_tasks(
    v_endpoint_id, v_listing_id, v_walk, p_page -> 'walk_changed',
    (p_page ->> 'folders_per_task')::integer, p_page -> 'seeds');
  insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
  select distinct on (k.external_folder_id) v_listing_id, k.external_folder_id, k.code, k.message
  from jsonb_to_recordset(p_page -> 'skipped') as k (external_folder_id text, code text, message text)
  order by k.external_folder_id
  on conflict (listing_id, external_folder_id) do nothing;

  return connector.count_page(
    p_lease, v_state, v_listing_id, p_page,
    jsonb_build_object(
      'added', v_files.added, 'updated', v_files.updated, 'unchanged', v_files.unchanged,
      'added_rows', v_files.added_rows, 'deleted', v_filtered.deleted + v_removed.deleted,
      'bytes', v_files.bytes - v_filtered.bytes - v_removed.bytes,
      'seen', v_files.added + v_files.updated + v_files.unchanged
        + jsonb_array_length(p_page -> 'filtered')),
    v_new_tasks, case when p_page #>> '{next,type}' = 'done' then 1 else 0 end, v_last_task_id);
end;
$$;

revoke execute on function connector.delete_shown_gone(uuid, bigint, jsonb)
from public, anon, authenticated, service_role;
grant execute on function connector.delete_shown_gone(uuid, bigint, jsonb) to service_role;
