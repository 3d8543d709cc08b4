-- Purpose:  deletes after a complete listing: what it has not shown is gone. And the fuse that
--           withholds them when they are suspiciously many.
-- Depends:  20261122101200_create_commits.sql
-- Rollback: drop the functions below.

-- Counts deletions outside of a page, and extends the lease.
create function connector.count_deleted(
  p_state connector.endpoint_states, p_deleted bigint, p_bytes numeric, p_provider_calls bigint
)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      slices_without_progress = 0,
      file_count = s.file_count - p_deleted,
      total_bytes = s.total_bytes - p_bytes
  where s.endpoint_id = p_state.endpoint_id and s.lease_token = p_state.lease_token;
  update public.sync_logs as r
  set files_deleted = r.files_deleted + p_deleted, provider_calls = r.provider_calls + p_provider_calls
  where r.id = p_state.run_id;
end;
$$;

-- The ids of up to p_limit files that stood there before the listing began and were not shown by it.
create function connector.unseen_files(p_listing connector.listings, p_limit bigint)
returns table (id uuid, file_size bigint)
language sql stable security invoker set search_path = ''
as $$
  select f.id, f.file_size
  from public.files as f
  where f.endpoint_id = p_listing.endpoint_id
    and f.deleted_at is null
    and f.created_at < p_listing.started_at
    and not exists (
      select from connector.seen_files as n
      where n.listing_id = p_listing.id and n.external_file_id = f.external_file_id)
    and not exists (
      select from connector.absences as n
      where n.listing_id = p_listing.id and n.external_id = f.external_file_id)
    and (p_listing.sweep = 'everything' or exists (
      select from connector.folders as d
      where d.endpoint_id = f.endpoint_id and d.external_folder_id = f.external_parent_id
        and d.walked_listing_id = p_listing.id))
  limit p_limit;
$$;

-- Whether the listing saw everything it asked for. Only then does absence mean anything.
create function connector.is_listing_complete(p_listing connector.listings)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select p_listing.open_tasks = 0
    and coalesce((p_listing.receipt ->> 'incomplete_searches')::bigint, 0) = 0
    and not exists (
      select from connector.skipped_subtrees as k where k.listing_id = p_listing.id);
$$;

-- The folders that the listing has not met although it should have.
create function connector.unseen_folders(p_listing connector.listings)
returns table (external_folder_id text, external_parent_id text)
language sql stable security invoker set search_path = ''
as $$
  select f.external_folder_id, f.external_parent_id
  from connector.folders as f
  where f.endpoint_id = p_listing.endpoint_id
    and f.seen_listing_id is distinct from p_listing.id
    and not (f.is_root and not f.is_stand_in)
    and not exists (
      select from connector.absences as n
      where n.listing_id = p_listing.id and n.external_id = f.external_folder_id)
    and (p_listing.sweep = 'everything' or exists (
      select from connector.folders as parent
      where parent.endpoint_id = f.endpoint_id
        and parent.external_folder_id = f.external_parent_id
        and parent.walked_listing_id = p_listing.id));
$$;

-- Ends the sweep: forgets folders that the listing has not met, and what was approved for it.
create function connector.end_sweep(p_listing connector.listings, p_held bigint)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_gone_ids text[];
begin
  if p_held is null then
    v_gone_ids := array(select u.external_folder_id from connector.unseen_folders(p_listing) as u);
    perform connector.rehome_files(p_listing.endpoint_id, v_gone_ids);
    delete from connector.folders as f
    where f.endpoint_id = p_listing.endpoint_id and f.external_folder_id = any (v_gone_ids);
  end if;
  update connector.listings as g set sweep = 'nothing' where g.id = p_listing.id;
  update connector.endpoint_states as s
  set held_deletions = case when p_listing.is_full then p_held
        else coalesce(p_held, s.held_deletions) end,
      are_deletions_approved = s.are_deletions_approved and not p_listing.is_full,
      is_scope_changed = s.is_scope_changed and not p_listing.is_full
  where s.endpoint_id = p_listing.endpoint_id;
end;
$$;

-- The listing to be swept by the holder of a lease; null when there is none, or when it is not
-- complete: then absence means nothing.
create function connector.listing_to_sweep(p_state connector.endpoint_states)
returns connector.listings
language sql stable security invoker set search_path = ''
as $$
  select g from connector.listings as g
  where g.endpoint_id = p_state.endpoint_id
    and g.sweep <> 'nothing' and connector.is_listing_complete(g);
$$;

-- Decides once a sweep whether its deletions are suspiciously many. Returns how many are withheld,
-- or null when the sweep may go on.
create function connector.check_fuse(
  p_state connector.endpoint_states, p_listing connector.listings
)
returns bigint
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_settings connector.settings;
  v_unseen bigint;
begin
  if p_listing.may_delete_all then
    return null;
  end if;
  select * into strict v_settings from connector.settings;
  select count(*) into v_unseen from connector.unseen_files(p_listing, null);
  if v_unseen > v_settings.fuse_files and v_unseen > v_settings.fuse_share * p_state.file_count then
    perform connector.end_sweep(p_listing, v_unseen);
    return v_unseen;
  end if;
  -- Later batches are a share of what is left, not of what was.
  update connector.listings as g set may_delete_all = true where g.id = p_listing.id;
  return null;
end;
$$;

create function public.connector_sweep(p_lease jsonb, p_limit integer default 20000)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_listing connector.listings;
  v_held bigint;
  v_deleted bigint;
  v_bytes numeric;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  v_listing := connector.listing_to_sweep(v_state);
  if v_listing.id is null then
    return jsonb_build_object('deleted', 0, 'held', null, 'more', false);
  end if;
  v_held := connector.check_fuse(v_state, v_listing);
  if v_held is not null then
    return jsonb_build_object('deleted', 0, 'held', v_held, 'more', false);
  end if;
  if v_listing.needs_confirmation
    and exists (select from connector.unseen_files(v_listing, 1)) then
    raise exception using errcode = 'FC002',
      message = 'Cannot sweep a listing whose absent items the provider was not asked about';
  end if;

  with gone as (
    update public.files as f
    set sync_status = 'deleted', deleted_at = now(), deletion_reason = v_listing.deletion_reason,
        updated_at = now()
    from connector.unseen_files(v_listing, p_limit) as u
    where f.id = u.id
    returning f.file_size
  )
  select count(*), coalesce(sum(gone.file_size), 0) into v_deleted, v_bytes from gone;
  perform connector.count_deleted(v_state, v_deleted, v_bytes, 0);
  if v_deleted < p_limit then
    perform connector.end_sweep(v_listing, null);
  end if;
  return jsonb_build_object('deleted', v_deleted, 'held', null, 'more', v_deleted >= p_limit);
end;
$$;
comment on function public.connector_sweep(jsonb, integer) is
  'Makes tombstones of up to p_limit files that a complete listing has not shown, unless the fuse withholds them.';

create function public.connector_absent_items(p_lease jsonb, p_limit integer)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_listing connector.listings;
  v_held bigint;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  v_listing := connector.listing_to_sweep(v_state);
  if v_listing.id is null or not v_listing.needs_confirmation then
    return jsonb_build_object('held', null, 'items', '[]'::jsonb);
  end if;
  v_held := connector.check_fuse(v_state, v_listing);
  if v_held is not null then
    return jsonb_build_object('held', v_held, 'items', '[]'::jsonb);
  end if;
  return jsonb_build_object('held', null, 'items', (
    with unseen as materialized (
      select u.external_folder_id, u.external_parent_id
      from connector.unseen_folders(v_listing) as u
    ),
    -- The highest first, and what lies in them not yet: a folder that is gone takes it along.
    items as (
      select u.external_folder_id as external_id, true as is_folder, u.external_parent_id,
        u.external_parent_id in (select n.external_folder_id from unseen as n) as is_below
      from unseen as u
      union all
      select f.external_file_id, false, f.external_parent_id,
        f.external_parent_id in (select n.external_folder_id from unseen as n)
      from connector.unseen_files(v_listing, null) as u
      join public.files as f on f.id = u.id
    )
    select coalesce(jsonb_agg(jsonb_build_object(
      'external_id', i.external_id, 'is_folder', i.is_folder,
      'external_parent_id', i.external_parent_id)), '[]')
    from (
      select items.external_id, items.is_folder, items.external_parent_id from items
      -- Folders in a circle have no highest.
      where items.is_below is not true or not exists (
        select from items as other where other.is_below is not true)
      order by items.is_folder desc
      limit p_limit
    ) as i));
end;
$$;
comment on function public.connector_absent_items(jsonb, integer) is
  'Items that a complete listing has not shown and that the provider is to be asked about.';

-- Splits records by whether the folder they are said to be in is known: one made while the listing
-- was under way is not, and the next listing will find what is in it.
create function connector.split_by_parent(
  p_endpoint_id uuid, p_records jsonb, out placed jsonb, out unplaced jsonb
)
language sql stable security invoker set search_path = ''
as $$
  select
    coalesce(jsonb_agg(s.record) filter (where s.is_placed), '[]'),
    coalesce(jsonb_agg(s.record) filter (where not s.is_placed), '[]')
  from (
    select r as record, r ->> 'external_parent_id' is null or exists (
      select from connector.folders as f
      where f.endpoint_id = p_endpoint_id
        and f.external_folder_id = r ->> 'external_parent_id') as is_placed
    from jsonb_array_elements(p_records) as r
  ) as s;
$$;

create function public.connector_note_absences(p_lease jsonb, p_verdicts jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_listing connector.listings;
  v_folders record;
  v_files record;
  v_filtered record;
  v_gone record;
  v_folders_there record;
  v_files_there record;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  v_listing := connector.listing_to_sweep(v_state);
  if v_listing.id is null then
    return jsonb_build_object('deleted', 0);
  end if;
  select * into v_folders_there
  from connector.split_by_parent(v_state.endpoint_id, p_verdicts -> 'present_folders');
  select * into v_files_there
  from connector.split_by_parent(v_state.endpoint_id, p_verdicts -> 'present_files');
  select * into v_folders from connector.upsert_folders(
    v_state.endpoint_id, v_listing.id, v_folders_there.placed);
  perform connector.rewrite_paths(v_state.endpoint_id, v_folders.changed);
  select * into v_files from connector.upsert_files(
    v_state.endpoint_id, v_listing.id, v_files_there.placed);
  select * into v_filtered
  from connector.delete_filtered(v_state.endpoint_id, coalesce(p_verdicts -> 'filtered', '[]'));
  select * into v_gone from connector.remove_items(v_state.endpoint_id, (
    select coalesce(jsonb_agg(jsonb_build_object(
      'external_id', g.id, 'reason', v_listing.deletion_reason)), '[]')
    from jsonb_array_elements_text(p_verdicts -> 'gone') as g (id)));
  insert into connector.absences (listing_id, external_id)
  select v_listing.id, u.external_id
  from jsonb_to_recordset(p_verdicts -> 'unknown') as u (external_id text)
  union
  select v_listing.id, coalesce(r ->> 'external_file_id', r ->> 'external_folder_id')
  from jsonb_array_elements(v_files_there.unplaced || v_folders_there.unplaced) as r
  on conflict (listing_id, external_id) do nothing;
  insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
  select v_listing.id, u.external_id, u.code, u.message
  from jsonb_to_recordset(p_verdicts -> 'unknown') as u (
    external_id text, is_folder boolean, code text, message text)
  where u.is_folder
  on conflict (listing_id, external_folder_id) do nothing;
  perform connector.count_deleted(
    v_state, v_gone.deleted + v_filtered.deleted,
    v_gone.bytes + v_filtered.bytes - v_files.bytes,
    coalesce((p_verdicts ->> 'provider_calls')::bigint, 0));
  return jsonb_build_object('deleted', v_gone.deleted + v_filtered.deleted);
end;
$$;
comment on function public.connector_note_absences(jsonb, jsonb) is
  'What the provider said of absent items: gone and filtered ones become tombstones, present ones are updated, unknown ones stay.';

revoke execute on function
  connector.unseen_files(connector.listings, bigint),
  connector.count_deleted(connector.endpoint_states, bigint, numeric, bigint),
  connector.unseen_folders(connector.listings),
  connector.is_listing_complete(connector.listings),
  connector.listing_to_sweep(connector.endpoint_states),
  connector.check_fuse(connector.endpoint_states, connector.listings),
  connector.end_sweep(connector.listings, bigint),
  connector.split_by_parent(uuid, jsonb),
  public.connector_sweep(jsonb, integer),
  public.connector_absent_items(jsonb, integer),
  public.connector_note_absences(jsonb, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.unseen_files(connector.listings, bigint),
  connector.count_deleted(connector.endpoint_states, bigint, numeric, bigint),
  connector.unseen_folders(connector.listings),
  connector.is_listing_complete(connector.listings),
  connector.listing_to_sweep(connector.endpoint_states),
  connector.check_fuse(connector.endpoint_states, connector.listings),
  connector.end_sweep(connector.listings, bigint),
  connector.split_by_parent(uuid, jsonb),
  public.connector_sweep(jsonb, integer),
  public.connector_absent_items(jsonb, integer),
  public.connector_note_absences(jsonb, jsonb)
to service_role;
