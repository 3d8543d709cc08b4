-- Purpose:  a folder that a change feed shows after a listing has read it, and all below it, is read
--           again: it may have been out of sight (in the trash, moved away) when it was read.
--           And a folder that a listing could not read and that a change feed brings back within the
--           same run is tried again, and no longer counts as skipped.
-- Depends:  20261122101200_create_commits.sql
-- Rollback: create public.connector_commit_changes as it was, drop connector.doubtful_folders().

-- Of the folders that a feed shows, and those below them, the ones that the open listing may have
-- read while they were out of sight: they then looked empty, and the feed tells of nothing but the
-- folder that came back. A full listing may have missed any of them; a walk, those that it read.
-- What has yet to be read is no matter of doubt.
create function connector.doubtful_folders(
  p_endpoint_id uuid, p_listing_id bigint, p_is_noted boolean, p_shown_ids text[]
)
returns text[]
language sql stable security invoker set search_path = ''
as $$
  select coalesce(array_agg(f.external_folder_id), '{}')
  from unnest(connector.folders_below(p_endpoint_id, p_shown_ids)) as b (id)
  join connector.folders as f
    on f.endpoint_id = p_endpoint_id and f.external_folder_id = b.id
  where not f.is_gone
    and (p_is_noted or f.enqueued_listing_id = p_listing_id)
    and b.id not in (
      select w.id
      from connector.tasks as t cross join lateral unnest(t.folder_ids) as w (id)
      where t.listing_id = p_listing_id and not t.is_done and t.sequence = 0);
$$;

create or replace function public.connector_commit_changes(p_lease jsonb, p_page jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_endpoint_id uuid := (p_lease ->> 'endpoint_id')::uuid;
  v_listing_id bigint;
  v_noted_listing_id bigint;
  v_last_task_id bigint := 0;
  v_folders record;
  v_files record;
  v_removed record;
  v_filtered record;
  v_fresh text[];
  v_placed jsonb;
  v_shown text[];
  v_seeds jsonb := '[]'::jsonb;
  v_new_tasks integer := 0;
begin
  perform pg_catalog.pg_advisory_xact_lock(7002, hashtext(v_endpoint_id::text));
  v_state := connector.require_lease(p_lease);
  update connector.feeds as d
  set cursor = p_page #> '{next,cursor}', sequence = d.sequence + 1
  where d.endpoint_id = v_endpoint_id and d.feed_key = p_page ->> 'feed_key'
    and d.sequence = (p_page ->> 'sequence')::integer;
  if not found then
    return connector.repeated_commit(v_state);
  end if;
  select g.id, case when g.sweep <> 'nothing' then g.id end into v_listing_id, v_noted_listing_id
  from connector.listings as g where g.endpoint_id = v_endpoint_id;

  if not v_state.scope_is_tree then
    p_page := connector.settle_buried(v_endpoint_id, p_page);
  end if;
  if exists (
    select from connector.folders as f
    where f.endpoint_id = v_endpoint_id and f.external_folder_id in (
      select r ->> 'external_id' from jsonb_array_elements(p_page -> 'removed') as r))
  then
    v_seeds := coalesce(p_page -> 'seeds_if_folders_go', '[]');
  end if;
  select * into v_removed from connector.remove_items(v_endpoint_id, p_page -> 'removed');
  select * into v_filtered from connector.delete_filtered(v_endpoint_id, p_page -> 'filtered');
  delete from connector.pending_items as p
  where p.endpoint_id = v_endpoint_id
    and p.external_id in (select jsonb_array_elements_text(p_page -> 'filtered'));
  perform connector.refuse_stale_folders(v_endpoint_id, p_page -> 'folders');
  v_placed := case when v_state.scope_is_tree
    then connector.roots_among(v_endpoint_id, p_page -> 'folders') else p_page -> 'folders' end;
  select * into v_folders
  from connector.upsert_folders(v_endpoint_id, v_listing_id, v_placed);
  perform connector.rewrite_paths(v_endpoint_id, v_folders.changed);
  v_fresh := v_folders.fresh;
  v_shown := array(select r ->> 'external_folder_id' from jsonb_array_elements(v_placed) as r);
  if v_state.scope_is_tree then
    perform connector.add_pending(v_endpoint_id, p_page);
    select * into v_files from connector.place_pending(v_endpoint_id, v_noted_listing_id);
    v_fresh := v_fresh || v_files.fresh;
    v_shown := v_shown || v_files.placed;
  else
    select * into v_files
    from connector.upsert_files(v_endpoint_id, v_noted_listing_id, p_page -> 'files');
  end if;

  if v_listing_id is not null then
    v_fresh := v_fresh || connector.doubtful_folders(
      v_endpoint_id, v_listing_id, v_noted_listing_id is not null, v_shown);
  end if;

  -- What came into the scope is walked: the feeds promise no entries for what lies below it.
  if cardinality(v_fresh) > 0 or jsonb_array_length(v_seeds) > 0 then
    v_listing_id := connector.ensure_listing(v_endpoint_id);
    select coalesce(max(tasks.id), 0) into v_last_task_id
    from connector.tasks where tasks.listing_id = v_listing_id;
    update connector.folders as f set enqueued_listing_id = null
    where f.endpoint_id = v_endpoint_id and f.external_folder_id = any (v_fresh);
    -- What could not be read before is tried again now, and what was asked alone may be again.
    delete from connector.skipped_subtrees as k
    where k.listing_id = v_listing_id and k.external_folder_id = any (v_fresh);
    delete from connector.tasks as t
    where t.listing_id = v_listing_id and t.is_done and t.key = any (v_fresh);
    v_new_tasks := connector.add_tasks(
      v_endpoint_id, v_listing_id, to_jsonb(v_fresh), null,
      (p_page ->> 'folders_per_task')::integer, v_seeds);
  end if;

  return connector.count_page(
    p_lease, v_state, v_listing_id, p_page,
    jsonb_build_object(
      'added', v_files.added, 'updated', v_files.updated, 'unchanged', v_files.unchanged,
      'added_rows', v_files.added_rows, 'deleted', v_filtered.deleted + v_removed.deleted,
      'bytes', v_files.bytes - v_filtered.bytes - v_removed.bytes,
      'seen', v_files.added + v_files.updated + v_files.unchanged
        + jsonb_array_length(p_page -> 'filtered')),
    v_new_tasks, 0, v_last_task_id);
end;
$$;

revoke execute on function connector.doubtful_folders(uuid, bigint, boolean, text[])
  from public, anon, authenticated, service_role;
grant execute on function connector.doubtful_folders(uuid, bigint, boolean, text[]) to service_role;
