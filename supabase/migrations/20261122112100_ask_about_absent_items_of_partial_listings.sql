-- Purpose:  where a provider is asked about each item that a listing has not shown, it is asked also
--           when parts of the scope could not be read: its word, unlike absence, holds all the same.
--           What lies in those parts is not asked about.
-- Depends:  20261122101300_create_sweeping.sql
-- Rollback: create the replaced functions as they were, drop connector.unread_items().

-- The folders and items that the listing could not read, and all folders below them.
create function connector.unread_items(p_listing connector.listings)
returns table (external_id text)
language sql stable security invoker set search_path = ''
as $$
  with recursive unread as (
    select k.external_folder_id as external_id
    from connector.skipped_subtrees as k where k.listing_id = p_listing.id
    union
    select f.external_folder_id
    from unread
    join connector.folders as f
      on f.endpoint_id = p_listing.endpoint_id and f.external_parent_id = unread.external_id
      and (not f.is_root or f.is_stand_in)
  )
  select unread.external_id from unread;
$$;

-- The ids of up to p_limit files that stood there before the listing began, were not shown by it, and
-- do not lie where it could not look.
create or replace function connector.unseen_files(p_listing connector.listings, p_limit bigint)
returns table (id uuid, file_size bigint)
language sql stable security invoker set search_path = ''
as $$
  with unread as materialized (
    select r.external_id from connector.unread_items(p_listing) as r
  )
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
    and f.external_file_id not in (select r.external_id from unread as r)
    and (f.external_parent_id in (select r.external_id from unread as r)) is not true
  limit p_limit;
$$;

-- The folders that the listing has not met although it should have.
create or replace function connector.unseen_folders(p_listing connector.listings)
returns table (external_folder_id text, external_parent_id text)
language sql stable security invoker set search_path = ''
as $$
  with unread as materialized (
    select r.external_id from connector.unread_items(p_listing) as r
  )
  select f.external_folder_id, f.external_parent_id
  from connector.folders as f
  where f.endpoint_id = p_listing.endpoint_id
    and f.seen_listing_id is distinct from p_listing.id
    and not (f.is_root and not f.is_stand_in)
    and not exists (
      select from connector.absences as n
      where n.listing_id = p_listing.id and n.external_id = f.external_folder_id)
    and f.external_folder_id not in (select r.external_id from unread as r)
    and (p_listing.sweep = 'everything' or exists (
      select from connector.folders as parent
      where parent.endpoint_id = f.endpoint_id
        and parent.external_folder_id = f.external_parent_id
        and parent.walked_listing_id = p_listing.id));
$$;

-- The listing whose absent items the holder of a lease may settle; null when there is none, or when it
-- has not come to its end. Where the provider is not asked about each of them, absence has to mean
-- something by itself: the listing must be complete.
create or replace function connector.listing_to_sweep(p_state connector.endpoint_states)
returns connector.listings
language sql stable security invoker set search_path = ''
as $$
  select g from connector.listings as g
  where g.endpoint_id = p_state.endpoint_id
    and g.sweep <> 'nothing'
    and case when g.needs_confirmation
      then g.open_tasks = 0 and coalesce((g.receipt ->> 'incomplete_searches')::bigint, 0) = 0
      else connector.is_listing_complete(g) end;
$$;

create or replace function public.connector_sweep(p_lease jsonb, p_limit integer default 20000)
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
  if v_listing.id is null or not connector.is_listing_complete(v_listing) then
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

create or replace function public.connector_absent_items(p_lease jsonb, p_limit integer)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_listing connector.listings;
  v_held bigint;
  v_items jsonb;
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
  v_items := (
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
    ) as i);
  -- All has been asked that could be: what the owner approved is done, though not all was read.
  if v_items = '[]' and v_listing.is_full and not connector.is_listing_complete(v_listing) then
    update connector.endpoint_states as s
    set held_deletions = null, are_deletions_approved = false
    where s.endpoint_id = v_state.endpoint_id
      and (s.held_deletions is not null or s.are_deletions_approved);
  end if;
  return jsonb_build_object('held', null, 'items', v_items);
end;
$$;

revoke execute on function connector.unread_items(connector.listings)
from public, anon, authenticated, service_role;
grant execute on function connector.unread_items(connector.listings) to service_role;
