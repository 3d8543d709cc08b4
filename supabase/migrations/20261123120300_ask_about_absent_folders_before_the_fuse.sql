-- Purpose:  where a provider is asked about each item that a listing has not shown, it is asked about
--           folders before the fuse is judged: a big folder that is merely out of sight is no deletion,
--           and holds up none. Those that are gone wait until all have been asked about.
-- Depends:  20261122112100_ask_about_absent_items_of_partial_listings.sql,
--           20261122112600_count_files_below_absent_folders.sql,
--           20261122112700_let_go_of_another_config.sql
-- Rollback: create the replaced functions as they were, drop connector.release_gone_folders() and
--           connector.absent_folders(), then
--           alter table connector.absences drop column is_gone;
set lock_timeout = '10s';

alter table connector.absences add column is_gone boolean not null default false;
comment on table connector.absences is
  'Items that a listing did not show and about which the provider was asked: it could not say that they are gone, or (is_gone) did, and the fuse is still to be judged.';

-- The folders and items that the listing could not read, or that wait as gone, and all folders below.
create or replace function connector.unread_items(p_listing connector.listings)
returns table (external_id text)
language sql stable security invoker set search_path = ''
as $$
  with recursive unread as (
    select k.external_folder_id as external_id
    from connector.skipped_subtrees as k where k.listing_id = p_listing.id
    union
    select a.external_id
    from connector.absences as a where a.listing_id = p_listing.id and a.is_gone
    union
    select f.external_folder_id
    from unread
    join connector.folders as f
      on f.endpoint_id = p_listing.endpoint_id and f.external_parent_id = unread.external_id
      and (not f.is_root or f.is_stand_in)
  )
  select unread.external_id from unread;
$$;

-- How many files the listing may turn out to delete: those it has not shown, and those below folders
-- that it has not shown or that wait as gone.
create or replace function connector.count_unseen_files(p_listing connector.listings)
returns bigint
language sql stable security invoker set search_path = ''
as $$
  with below as materialized (
    select b.id
    from unnest(connector.folders_below(p_listing.endpoint_id, array(
      select u.external_folder_id from connector.unseen_folders(p_listing) as u
      union
      select a.external_id
      from connector.absences as a where a.listing_id = p_listing.id and a.is_gone))) as b (id)
  )
  select count(*)
  from (
    select u.id from connector.unseen_files(p_listing, null) as u
    union
    select f.id
    from below
    join public.files as f
      on f.endpoint_id = p_listing.endpoint_id and f.external_parent_id = below.id
    where f.deleted_at is null
      and not exists (
        select from connector.seen_files as n
        where n.listing_id = p_listing.id and n.external_file_id = f.external_file_id)
  ) as unseen;
$$;

-- Lets the folders that wait as gone go, once the fuse does: with all that lies in them where the listing
-- is complete; else they count as asked about, and what lies in them is next.
create function connector.release_gone_folders(
  p_state connector.endpoint_states, p_listing connector.listings
)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_folders jsonb;
  v_gone record;
begin
  select jsonb_agg(jsonb_build_object(
    'external_id', a.external_id, 'reason', p_listing.deletion_reason))
  into v_folders
  from connector.absences as a where a.listing_id = p_listing.id and a.is_gone;
  if v_folders is null then
    return;
  end if;
  update connector.absences as a set is_gone = false
  where a.listing_id = p_listing.id and a.is_gone;
  if connector.is_listing_complete(p_listing) then
    select * into v_gone from connector.remove_items(p_state.endpoint_id, v_folders);
    perform connector.count_deleted(p_state, v_gone.deleted, v_gone.bytes, 0);
  end if;
end;
$$;

-- The folders that the provider is to be asked about next, the highest of them: one that is gone takes
-- along what lies in it.
create function connector.absent_folders(p_listing connector.listings, p_limit integer)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  with unseen as materialized (
    select u.external_folder_id, u.external_parent_id
    from connector.unseen_folders(p_listing) as u
  ),
  placed as (
    select unseen.external_folder_id, unseen.external_parent_id,
      unseen.external_parent_id in (select n.external_folder_id from unseen as n) as is_below
    from unseen
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'external_id', i.external_folder_id, 'is_folder', true,
    'external_parent_id', i.external_parent_id)), '[]')
  from (
    select placed.external_folder_id, placed.external_parent_id from placed
    -- Folders in a circle have no highest.
    where placed.is_below is not true or not exists (
      select from placed as other where other.is_below is not true)
    limit p_limit
  ) as i;
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
  -- Folders first: the fuse is judged when it is known which are gone, and which are merely out of
  -- sight and hold up nothing.
  v_items := connector.absent_folders(v_listing, p_limit);
  if v_items <> '[]' then
    return jsonb_build_object('held', null, 'items', v_items);
  end if;

  v_held := connector.check_fuse(v_state, v_listing);
  if v_held is not null then
    return jsonb_build_object('held', v_held, 'items', '[]'::jsonb);
  end if;
  perform connector.release_gone_folders(v_state, v_listing);
  v_items := connector.absent_folders(v_listing, p_limit);
  if v_items <> '[]' then
    return jsonb_build_object('held', null, 'items', v_items);
  end if;
  v_items := (
    select coalesce(jsonb_agg(jsonb_build_object(
      'external_id', f.external_file_id, 'is_folder', false,
      'external_parent_id', f.external_parent_id)), '[]')
    from connector.unseen_files(v_listing, p_limit) as u
    join public.files as f on f.id = u.id);
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

create or replace function public.connector_note_absences(p_lease jsonb, p_verdicts jsonb)
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
  v_gone_ids text[] := array(select jsonb_array_elements_text(p_verdicts -> 'gone'));
  v_gone_folders text[] := '{}'::text[];
  v_unknown jsonb := p_verdicts -> 'unknown';
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  v_listing := connector.listing_to_sweep(v_state);
  if v_listing.id is null then
    return jsonb_build_object('deleted', 0);
  end if;
  -- What neither a complete listing of another scope nor the provider shows was of the scope before.
  if v_state.is_scope_changed and v_state.is_config_changed
    and connector.is_listing_complete(v_listing)
  then
    v_gone_ids := v_gone_ids || array(
      select u.external_id from jsonb_to_recordset(v_unknown) as u (external_id text));
    v_unknown := '[]';
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
  insert into connector.absences (listing_id, external_id)
  select v_listing.id, u.external_id
  from jsonb_to_recordset(v_unknown) as u (external_id text)
  union
  select v_listing.id, coalesce(r ->> 'external_file_id', r ->> 'external_folder_id')
  from jsonb_array_elements(v_files_there.unplaced || v_folders_there.unplaced) as r
  on conflict (listing_id, external_id) do nothing;
  insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
  select v_listing.id, u.external_id, u.code, u.message
  from jsonb_to_recordset(v_unknown) as u (external_id text, code text, message text)
  on conflict (listing_id, external_folder_id) do nothing;
  v_gone_folders := array(
    select f.external_folder_id from connector.folders as f
    where f.endpoint_id = v_state.endpoint_id and f.external_folder_id = any (v_gone_ids)
      and not (v_listing.may_delete_all and connector.is_listing_complete(v_listing)));
  -- It waits for the fuse. After that, in a listing that is not complete, it counts as asked about, and
  -- what lies in it is next.
  insert into connector.absences (listing_id, external_id, is_gone)
  select v_listing.id, g.id, not v_listing.may_delete_all from unnest(v_gone_folders) as g (id)
  on conflict (listing_id, external_id) do nothing;
  select * into v_gone from connector.remove_items(v_state.endpoint_id, (
    select coalesce(jsonb_agg(jsonb_build_object(
      'external_id', g.id, 'reason', v_listing.deletion_reason)), '[]')
    from unnest(v_gone_ids) as g (id) where g.id <> all (v_gone_folders)));
  perform connector.count_deleted(
    v_state, v_gone.deleted + v_filtered.deleted,
    v_gone.bytes + v_filtered.bytes - v_files.bytes,
    coalesce((p_verdicts ->> 'provider_calls')::bigint, 0));
  return jsonb_build_object('deleted', v_gone.deleted + v_filtered.deleted);
end;
$$;

revoke execute on function
  connector.absent_folders(connector.listings, integer),
  connector.release_gone_folders(connector.endpoint_states, connector.listings)
from public, anon, authenticated, service_role;
grant execute on function
  connector.absent_folders(connector.listings, integer),
  connector.release_gone_folders(connector.endpoint_states, connector.listings)
to service_role;
