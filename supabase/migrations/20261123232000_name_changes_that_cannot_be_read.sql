-- Purpose:  an entry of a change log that cannot be read is left out no longer in silence: the run is
--           partial and says so, and a full listing soon shows what the entry was about.
-- Depends:  20261123120100_read_again_what_vanished_with_a_folder.sql,
--           20261123170500_list_less_often_what_stays_incomplete.sql
-- Rollback: create public.connector_commit_changes as it was, drop connector.note_unreadable_changes().

-- Notes entries of a change log that could not be read as parts of the scope that were not, in the
-- listing of this run, which it returns; and asks for a full listing, one an hour at most. Such an
-- entry is not shown again: the place in the log moves on.
create function connector.note_unreadable_changes(p_endpoint_id uuid, p_skipped jsonb)
returns bigint
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_listing_id bigint := connector.ensure_listing(p_endpoint_id);
begin
  insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
  select distinct on (k.external_folder_id) v_listing_id, k.external_folder_id, k.code, k.message
  from jsonb_to_recordset(p_skipped) as k (external_folder_id text, code text, message text)
  order by k.external_folder_id
  on conflict (listing_id, external_folder_id) do nothing;
  update connector.endpoint_states as s
  set owes_sweep = true,
      next_listing_at = greatest(s.next_listing_at, s.last_listing_completed_at + interval '1 hour')
  where s.endpoint_id = p_endpoint_id;
  return v_listing_id;
end;
$$;
revoke all on function connector.note_unreadable_changes(uuid, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function connector.note_unreadable_changes(uuid, jsonb) to service_role;

-- The lease, and what stands there, as before.
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
  v_losing text[];
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
    select from jsonb_array_elements(p_page -> 'removed') as r
    cross join lateral (
      select from connector.folders as k
      where k.endpoint_id = v_endpoint_id and k.external_folder_id = r ->> 'external_id'
      offset 0
    ) as f)
  then
    v_seeds := coalesce(p_page -> 'seeds_if_folders_go', '[]');
  end if;
  v_losing := connector.losing_folders(v_endpoint_id, p_page -> 'removed');
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

  -- What vanished from a folder that is shown now, itself or a folder above, may not be gone: the folder
  -- may have been out of sight when that entry was read, and of what lies in it none comes again.
  -- A full listing that is open has it read again in any case.
  if v_noted_listing_id is null then
    v_fresh := v_fresh || connector.take_losses(v_endpoint_id, v_shown);
  end if;
  insert into connector.losses (endpoint_id, external_folder_id)
  select v_endpoint_id, l.id from unnest(v_losing) as l (id)
  on conflict (endpoint_id, external_folder_id) do nothing;

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

  if jsonb_array_length(coalesce(p_page -> 'skipped', '[]')) > 0 then
    v_listing_id := connector.note_unreadable_changes(v_endpoint_id, p_page -> 'skipped');
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
