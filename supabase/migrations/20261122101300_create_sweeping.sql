-- Purpose:  deletes after a complete listing: what it has not shown is gone. And the fuse that
--           withholds them when they are suspiciously many.
-- Depends:  20261122101200_create_commits.sql
-- Rollback: drop the functions below.

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

-- Ends the sweep: forgets folders that the listing has not met, and what was approved for it.
create function connector.end_sweep(p_listing connector.listings, p_held bigint)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  if p_held is null then
    delete from connector.folders as f
    where f.endpoint_id = p_listing.endpoint_id
      and f.seen_listing_id is distinct from p_listing.id
      and not (f.is_root and not f.is_stand_in)
      and (p_listing.sweep = 'everything' or exists (
        select from connector.folders as parent
        where parent.endpoint_id = f.endpoint_id
          and parent.external_folder_id = f.external_parent_id
          and parent.walked_listing_id = p_listing.id));
  end if;
  update connector.listings as g set sweep = 'nothing' where g.id = p_listing.id;
  update connector.endpoint_states as s
  set held_deletions = p_held,
      are_deletions_approved = false,
      is_scope_changed = false
  where s.endpoint_id = p_listing.endpoint_id;
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
  v_settings connector.settings;
  v_unseen bigint;
  v_deleted bigint;
  v_bytes numeric;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  select * into v_listing from connector.listings as g where g.endpoint_id = v_state.endpoint_id;
  if not found or v_listing.sweep = 'nothing' or not connector.is_listing_complete(v_listing) then
    return jsonb_build_object('deleted', 0, 'held', null, 'more', false);
  end if;

  if not v_listing.may_delete_all then
    select * into strict v_settings from connector.settings;
    select count(*) into v_unseen
    from connector.unseen_files(v_listing, null);
    if v_unseen > v_settings.fuse_files and v_unseen > v_settings.fuse_share * v_state.file_count then
      perform connector.end_sweep(v_listing, v_unseen);
      return jsonb_build_object('deleted', 0, 'held', v_unseen, 'more', false);
    end if;
    -- Decided for the whole sweep: its later batches are a share of what is left, not of what was.
    update connector.listings as g set may_delete_all = true where g.id = v_listing.id;
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
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      file_count = s.file_count - v_deleted,
      total_bytes = s.total_bytes - v_bytes
  where s.endpoint_id = v_state.endpoint_id and s.lease_token = v_state.lease_token;
  update public.sync_logs as r set files_deleted = r.files_deleted + v_deleted
  where r.id = v_state.run_id;
  if v_deleted < p_limit then
    perform connector.end_sweep(v_listing, null);
  end if;
  return jsonb_build_object('deleted', v_deleted, 'held', null, 'more', v_deleted >= p_limit);
end;
$$;
comment on function public.connector_sweep(jsonb, integer) is
  'Makes tombstones of up to p_limit files that a complete full listing has not shown, unless the fuse withholds them.';

revoke execute on function
  connector.unseen_files(connector.listings, bigint),
  connector.is_listing_complete(connector.listings),
  connector.end_sweep(connector.listings, bigint),
  public.connector_sweep(jsonb, integer)
from public, anon, authenticated, service_role;
grant execute on function
  connector.unseen_files(connector.listings, bigint),
  connector.is_listing_complete(connector.listings),
  connector.end_sweep(connector.listings, bigint),
  public.connector_sweep(jsonb, integer)
to service_role;
