-- Purpose:  an entry of a change log that cannot be read makes its run partial, and a full listing follows:
--           at once, and where that happens again and again, after ever longer waits.
-- Depends:  20261122101400_create_finishing.sql,
--           20261123120100_read_again_what_vanished_with_a_folder.sql,
--           20261123170500_list_less_often_what_stays_incomplete.sql,
--           20261123210000_let_owners_change_endpoints_at_any_time.sql
-- Rollback: create connector.needs_full_listing, connector.standing(uuid, text),
--           public.connector_start_listing(jsonb, jsonb) and public.connector_commit_changes(jsonb, jsonb)
--           as they were, drop the columns.
set lock_timeout = '10s';

alter table connector.endpoint_states
  add column unread_changes bigint not null default 0,
  add column listings_for_unread integer not null default 0;
comment on column connector.endpoint_states.unread_changes is
  'Entries of the change logs that could not be read since the last full listing began.';
comment on column connector.endpoint_states.listings_for_unread is
  'Full listings in a row that began after such entries; the more, the longer the next one waits.';

create or replace function connector.needs_full_listing(p_state connector.endpoint_states)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select p_state.requested_mode is not distinct from 'full'
    or p_state.is_listing_requested
    or (p_state.are_deletions_approved and coalesce(p_state.next_listing_at <= now(), true))
    or not p_state.can_sync_incrementally
    or p_state.last_listing_completed_at is null
    or (p_state.owes_sweep and coalesce(p_state.next_listing_at <= now(), true) and not exists (
      select from connector.folder_errors as e where e.endpoint_id = p_state.endpoint_id))
    or (p_state.unread_changes > 0 and (p_state.listings_for_unread = 0
      or p_state.last_listing_completed_at <= now() - make_interval(
        mins => least(15 * (2 ^ least(p_state.listings_for_unread - 1, 10))::integer, 1440))))
    or p_state.last_listing_completed_at < now() - make_interval(days => t.audit_interval_days)
    or exists (
      select from connector.listings as g where g.endpoint_id = p_state.endpoint_id and g.is_full)
    or exists (
      select from connector.folder_errors as e
      where e.endpoint_id = p_state.endpoint_id and e.next_attempt_at <= now()
        and not exists (
          select from connector.folders as f
          where f.endpoint_id = e.endpoint_id and f.external_folder_id = e.external_folder_id
            and not f.is_root))
  from connector.endpoint_types as t where t.endpoint_type = p_state.endpoint_type;
$$;

create or replace function connector.standing(
  p_endpoint_id uuid, p_skipped_message text, out status text, out code text, out message text
)
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_held bigint;
  v_unread bigint;
  v_gone text;
  v_errors bigint;
  v_first_error text;
begin
  select s.held_deletions, s.unread_changes into v_held, v_unread
  from connector.endpoint_states as s where s.endpoint_id = p_endpoint_id;
  select min(f.folder_name) into v_gone
  from connector.folders as f where f.endpoint_id = p_endpoint_id and f.is_root and f.is_gone;
  select count(*) into v_errors
  from connector.folder_errors as e where e.endpoint_id = p_endpoint_id;
  select format('"%s": %s', coalesce(nullif(f.path, ''), f.folder_name, e.external_folder_id), e.message)
  into v_first_error
  from connector.folder_errors as e
  left join lateral (
    select k.path, k.folder_name from connector.folders as k
    where k.endpoint_id = p_endpoint_id and k.external_folder_id = e.external_folder_id
    offset 0
  ) as f on true
  where e.endpoint_id = p_endpoint_id
  order by f.path nulls last, e.external_folder_id
  limit 1;
  if v_gone is not null then
    status := 'needs_attention';
    code := 'scope_not_found';
    message := format(
      'The folder %L was trashed, deleted or is no longer shared with the connected account. '
      || 'Restore or share it, or change endpoint_config.', v_gone);
  elsif v_held is not null then
    status := 'needs_attention';
    code := 'deletions_held';
    message := format(
      'A full listing no longer showed %s files, suspiciously many; none was deleted. If they are '
      || 'really gone, approve: select approve_deletions(''%s'')', v_held, p_endpoint_id);
  elsif v_errors > 0 or p_skipped_message is not null then
    status := 'partial';
    code := 'listing_incomplete';
    message := format('%s part(s) of the scope could not be read, first: %s',
      greatest(v_errors, 1), coalesce(v_first_error, p_skipped_message));
  elsif v_unread > 0 then
    status := 'partial';
    code := 'listing_incomplete';
    message := format(
      '%s change(s) could not be read and were left out; a full listing follows.', v_unread);
  else
    status := 'completed';
  end if;
end;
$$;

-- Opens a listing. The run comes after the endpoint's state, as with everybody who ends a run.
create or replace function public.connector_start_listing(p_lease jsonb, p_start jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_listing_id bigint;
  v_former_roots text[];
  v_roots record;
  v_tasks integer;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  delete from connector.listings where listings.endpoint_id = v_state.endpoint_id;
  delete from connector.pending_items where pending_items.endpoint_id = v_state.endpoint_id;
  insert into connector.listings
    (endpoint_id, is_full, sweep, needs_confirmation, may_delete_all, deletion_reason)
  values (
    v_state.endpoint_id, p_start ->> 'sweep' = 'everything', p_start ->> 'sweep',
    coalesce((p_start ->> 'confirms_absence')::boolean, false),
    v_state.are_deletions_approved or v_state.is_scope_changed,
    case when v_state.is_scope_changed then 'out_of_scope' else 'removed' end)
  returning id into v_listing_id;

  -- The logs are read on from where they stood before the listing began.
  delete from connector.feeds where feeds.endpoint_id = v_state.endpoint_id;
  insert into connector.feeds (endpoint_id, feed_key, cursor)
  select v_state.endpoint_id, d.key, d.cursor
  from jsonb_to_recordset(p_start -> 'feeds') as d (key text, cursor jsonb);

  with former as (
    update connector.folders as f
    set is_root = false
    where f.endpoint_id = v_state.endpoint_id and f.is_root and not f.is_stand_in
      and f.external_folder_id not in (
        select r.external_folder_id
        from jsonb_to_recordset(p_start -> 'roots') as r (external_folder_id text))
      and not coalesce(p_start -> 'unreadable_roots', '[]') ? f.external_folder_id
    returning f.external_folder_id
  )
  select coalesce(array_agg(former.external_folder_id), '{}') into v_former_roots from former;
  select * into v_roots
  from connector.upsert_folders(v_state.endpoint_id, v_listing_id, p_start -> 'roots');
  perform connector.rewrite_paths(v_state.endpoint_id, v_former_roots || v_roots.changed);

  v_tasks := connector.add_tasks(
    v_state.endpoint_id, v_listing_id, p_start -> 'walk', p_start -> 'walk_changed',
    (p_start ->> 'folders_per_task')::integer, p_start -> 'seeds');
  update connector.listings set open_tasks = v_tasks where listings.id = v_listing_id;
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      is_listing_requested = false,
      -- What could not be read before is listed now. What cannot be while this goes on is owed anew.
      listings_for_unread = case when p_start ->> 'sweep' <> 'everything' then s.listings_for_unread
        when s.unread_changes > 0 then s.listings_for_unread + 1 else 0 end,
      unread_changes = case when p_start ->> 'sweep' <> 'everything' then s.unread_changes
        else 0 end,
      scope_is_tree = (p_start ->> 'is_tree')::boolean,
      provider_memory = nullif(p_start -> 'memory', 'null'::jsonb)
  where s.endpoint_id = v_state.endpoint_id and s.lease_token = v_state.lease_token;
  -- The owner may have ended the run meanwhile.
  if not found then
    perform connector.require_lease(p_lease);
  end if;
  update public.sync_logs
  set mode = case when p_start ->> 'sweep' = 'everything' then 'full' else mode end,
      provider_calls = provider_calls + coalesce((p_start ->> 'provider_calls')::bigint, 0)
  where sync_logs.id = v_state.run_id;
  return jsonb_build_object(
    'listing', jsonb_build_object('id', v_listing_id, 'open_tasks', v_tasks, 'is_full', p_start ->> 'sweep' = 'everything'),
    'tasks', connector.open_tasks(v_listing_id, 0, 50));
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

  -- Where an entry could not be read, nobody knows what is left out: the run is no complete one, a
  -- listing that is open deletes nothing, and a full one follows. A page of an older function has none.
  if jsonb_array_length(coalesce(p_page -> 'skipped', '[]')) > 0 then
    insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
    select distinct on (k.external_folder_id) v_listing_id, k.external_folder_id, k.code, k.message
    from jsonb_to_recordset(p_page -> 'skipped') as k (external_folder_id text, code text, message text)
    where v_noted_listing_id is not null
    order by k.external_folder_id
    on conflict (listing_id, external_folder_id) do nothing;
    update connector.endpoint_states as s
    set unread_changes = s.unread_changes + jsonb_array_length(p_page -> 'skipped')
    where s.endpoint_id = v_endpoint_id and s.lease_token = v_state.lease_token;
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
