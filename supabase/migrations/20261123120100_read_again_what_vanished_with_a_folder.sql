-- Purpose:  what a change log calls removed because a folder above it was out of sight when its entry was
--           read, and is back when the folder's own entry is, is found again in the same run.
-- Depends:  20261122110500_read_again_what_was_out_of_sight.sql, 20261122101400_create_finishing.sql
-- Rollback: create public.connector_commit_changes(jsonb, jsonb) and connector.close_run as they were;
--           drop function connector.take_losses(uuid, text[]), connector.losing_folders(uuid, jsonb);
--           drop table connector.losses;
set lock_timeout = '10s';

create table connector.losses (
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  external_folder_id text not null,
  primary key (endpoint_id, external_folder_id)
);
comment on table connector.losses is
  'Folders from which something vanished, by the change logs, while these were not yet read to their ends. One that is shown later, itself or a folder above, may have been out of sight then: it is walked.';

alter table connector.losses enable row level security;
revoke all on table connector.losses from public, anon, authenticated, service_role;
grant select, insert, update, delete on table connector.losses to service_role;
create policy "the service role keeps the losses"
  on connector.losses for all to service_role using (true) with check (true);

-- The folders that lose something by these removals, as far as the item itself did not tell: what is in
-- the trash says so of itself.
create function connector.losing_folders(p_endpoint_id uuid, p_removed jsonb)
returns text[]
language sql stable security invoker set search_path = ''
as $$
  with gone as (
    select r.external_id
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
    where r.reason <> 'trashed'
  )
  select coalesce(array_agg(distinct p.external_parent_id), '{}')
  from (
    select f.external_parent_id
    from gone cross join lateral (
      select k.external_parent_id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = gone.external_id
        and k.deleted_at is null
      offset 0
    ) as f
    union all
    select d.external_parent_id
    from gone
    join connector.folders as d
      on d.endpoint_id = p_endpoint_id and d.external_folder_id = gone.external_id
  ) as p
  where p.external_parent_id is not null;
$$;

-- Takes those of the losing folders that are among the shown ones or below them, and are there still.
create function connector.take_losses(p_endpoint_id uuid, p_shown_ids text[])
returns text[]
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_lost text[];
begin
  if cardinality(p_shown_ids) = 0
    or not exists (select from connector.losses as l where l.endpoint_id = p_endpoint_id) then
    return '{}'::text[];
  end if;
  with shown as (
    select b.id from unnest(connector.folders_below(p_endpoint_id, p_shown_ids)) as b (id)
  ),
  taken as (
    delete from connector.losses as l
    where l.endpoint_id = p_endpoint_id
      and l.external_folder_id in (select shown.id from shown)
    returning l.external_folder_id
  )
  select coalesce(array_agg(f.external_folder_id), '{}') into v_lost
  from taken
  join connector.folders as f
    on f.endpoint_id = p_endpoint_id and f.external_folder_id = taken.external_folder_id
  where not f.is_gone;
  return v_lost;
end;
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
    select from connector.folders as f
    where f.endpoint_id = v_endpoint_id and f.external_folder_id in (
      select r ->> 'external_id' from jsonb_array_elements(p_page -> 'removed') as r))
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

create or replace function connector.close_run(
  p_state connector.endpoint_states, out receipt jsonb, out skipped_message text
)
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_listing connector.listings;
  v_settled record;
  v_is_ground boolean;
begin
  receipt := '{}'::jsonb;
  select * into v_listing from connector.listings as g where g.endpoint_id = p_state.endpoint_id;
  if v_listing.open_tasks > 0
    or (v_listing.sweep <> 'nothing' and connector.is_listing_complete(v_listing))
  then
    raise exception using errcode = 'FC002',
      message = format('Cannot finish a run with work left: %s tasks are open, to be swept: %s',
        v_listing.open_tasks, v_listing.sweep);
  end if;
  perform connector.place_orphans(p_state.endpoint_id)
  where not p_state.scope_is_tree;
  select * into v_settled from connector.settle_pending(p_state.endpoint_id);
  perform connector.count_deleted(p_state, v_settled.deleted, v_settled.bytes, 0);

  -- The logs have been read to their ends.
  delete from connector.losses as l where l.endpoint_id = p_state.endpoint_id;

  if v_listing.id is not null then
    perform connector.note_folder_errors(v_listing);
    select v_listing.receipt || jsonb_build_object('subtrees_skipped', count(*)), min(k.message)
    into receipt, skipped_message
    from connector.skipped_subtrees as k where k.listing_id = v_listing.id;
    -- A search that Google itself calls incomplete is no ground to build on: list again.
    if v_listing.is_full then
      v_is_ground := coalesce((v_listing.receipt ->> 'incomplete_searches')::bigint, 0) = 0;
      update connector.endpoint_states as s
      set can_sync_incrementally = v_is_ground,
          last_listing_completed_at = case when v_is_ground then now() else s.last_listing_completed_at end,
          owes_sweep = v_listing.sweep <> 'nothing'
      where s.endpoint_id = p_state.endpoint_id;
    end if;
    delete from connector.listings as g where g.id = v_listing.id;
  end if;
end;
$$;

revoke execute on function
  connector.losing_folders(uuid, jsonb),
  connector.take_losses(uuid, text[])
from public, anon, authenticated, service_role;
grant execute on function
  connector.losing_folders(uuid, jsonb),
  connector.take_losses(uuid, text[])
to service_role;
