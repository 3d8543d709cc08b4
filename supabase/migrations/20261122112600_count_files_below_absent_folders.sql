-- Purpose:  the fuse counts the files below folders that a walk has not shown: such a folder takes them
--           all along, though the folders they lie in were not read.
-- Depends:  20261122101300_create_sweeping.sql, 20261122100900_create_writes.sql
-- Rollback: create connector.check_fuse as it was, drop connector.count_unseen_files().

-- How many files the listing may turn out to delete: those it has not shown, and those below folders
-- that it has not shown.
create function connector.count_unseen_files(p_listing connector.listings)
returns bigint
language sql stable security invoker set search_path = ''
as $$
  with below as materialized (
    select b.id
    from unnest(connector.folders_below(p_listing.endpoint_id, array(
      select u.external_folder_id from connector.unseen_folders(p_listing) as u))) as b (id)
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

-- Decides once a sweep whether its deletions are suspiciously many. Returns how many are withheld,
-- or null when the sweep may go on.
create or replace function connector.check_fuse(
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
  v_unseen := connector.count_unseen_files(p_listing);
  if v_unseen > v_settings.fuse_files and v_unseen > v_settings.fuse_share * p_state.file_count then
    perform connector.end_sweep(p_listing, v_unseen);
    return v_unseen;
  end if;
  -- Later batches are a share of what is left, not of what was.
  update connector.listings as g set may_delete_all = true where g.id = p_listing.id;
  return null;
end;
$$;

revoke execute on function connector.count_unseen_files(connector.listings)
from public, anon, authenticated, service_role;
grant execute on function connector.count_unseen_files(connector.listings) to service_role;
