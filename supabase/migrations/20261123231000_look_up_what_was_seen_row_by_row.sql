-- Purpose:  what a listing has shown, and what waits for a folder, is compared row by row through an
--           index whatever the planner knows: with statistics of a time when next to nothing was there,
--           it read all that was seen once more for each file, and a listing never came to its end.
-- Depends:  20261122101400_create_finishing.sql, 20261122112000_delete_what_pages_show_as_gone.sql,
--           20261122112100_ask_about_absent_items_of_partial_listings.sql,
--           20261123120300_ask_about_absent_folders_before_the_fuse.sql,
--           20261123200000_list_again_what_lay_in_unseen_folders.sql
-- Rollback: create these functions as they were
-- "offset 0" keeps a subquery one of its own, which is answered for each row by its index.

-- What this listing has not shown, though it stood there before; in no order.
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
      where n.listing_id = p_listing.id and n.external_file_id = f.external_file_id
      offset 0)
    and not exists (
      select from connector.absences as n
      where n.listing_id = p_listing.id and n.external_id = f.external_file_id
      offset 0)
    and (p_listing.sweep = 'everything' or exists (
      select from connector.folders as d
      where d.endpoint_id = f.endpoint_id and d.external_folder_id = f.external_parent_id
        and d.walked_listing_id = p_listing.id
      offset 0))
    and f.external_file_id not in (select r.external_id from unread as r)
    and (f.external_parent_id in (select r.external_id from unread as r)) is not true
  limit p_limit;
$$;

-- The folders that this listing has not met.
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
      where n.listing_id = p_listing.id and n.external_id = f.external_folder_id
      offset 0)
    and f.external_folder_id not in (select r.external_id from unread as r)
    and (p_listing.sweep = 'everything' or exists (
      select from connector.folders as parent
      where parent.endpoint_id = f.endpoint_id
        and parent.external_folder_id = f.external_parent_id
        and parent.walked_listing_id = p_listing.id
      offset 0));
$$;

-- Deletes what a page of a listing shows as gone, if no other page of it has shown it alive.
create or replace function connector.delete_shown_gone(
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
          where n.listing_id = p_listing_id and n.external_file_id = incoming.external_id
          offset 0))
    ) as found
    where f.id = found.id
    returning f.file_size
  )
  select count(*)::integer, coalesce(sum(gone.file_size), 0) from gone;
$$;

-- Whether anything lies in a folder that is not known.
create or replace function connector.has_orphans(p_endpoint_id uuid)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select exists (
    select
    from (
      select f.external_parent_id
      from public.files as f
      where f.endpoint_id = p_endpoint_id and f.file_path is null and f.deleted_at is null
      union all
      select f.external_parent_id
      from connector.folders as f
      where f.endpoint_id = p_endpoint_id and f.path is null
    ) as child
    where child.external_parent_id is not null
      and not exists (
        select from connector.folders as k
        where k.endpoint_id = p_endpoint_id and k.external_folder_id = child.external_parent_id
        offset 0));
$$;

-- Puts a root in place of each folder that things lie in and that never appeared.
create or replace function connector.place_orphans(p_endpoint_id uuid)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_stand_ins text[];
begin
  with missing as (
    select distinct f.external_parent_id
    from public.files as f
    where f.endpoint_id = p_endpoint_id and f.file_path is null and f.external_parent_id is not null
    union
    select f.external_parent_id
    from connector.folders as f
    where f.endpoint_id = p_endpoint_id and f.path is null and f.external_parent_id is not null
  ),
  added as (
    insert into connector.folders
      (endpoint_id, external_folder_id, folder_name, is_root, is_stand_in)
    select p_endpoint_id, missing.external_parent_id, '', true, true
    from missing
    where not exists (
      select from connector.folders as known
      where known.endpoint_id = p_endpoint_id
        and known.external_folder_id = missing.external_parent_id
      offset 0
    )
    returning external_folder_id
  )
  select array_agg(added.external_folder_id) into v_stand_ins from added;
  if v_stand_ins is not null then
    perform connector.rewrite_paths(p_endpoint_id, v_stand_ins);
  end if;
end;
$$;

-- Ends what still waits for a folder when the feeds are drained: it is outside the scope.
create or replace function connector.settle_pending(p_endpoint_id uuid, out deleted integer, out bytes numeric)
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_left jsonb;
begin
  select coalesce(jsonb_agg(
    jsonb_build_object('external_id', p.external_id, 'reason',
      case when p.record ? 'is_buried' then 'trashed' else 'out_of_scope' end)), '[]') into v_left
  from connector.pending_items as p
  where p.endpoint_id = p_endpoint_id
    and not exists (
      select from connector.folders as f
      where f.endpoint_id = p_endpoint_id and f.external_folder_id = p.external_parent_id
        and not f.is_gone
      offset 0);
  select * into deleted, bytes from connector.remove_items(p_endpoint_id, v_left);
  delete from connector.pending_items as p where p.endpoint_id = p_endpoint_id;
end;
$$;

-- The folders from which something vanishes that may not be gone.
create or replace function connector.losing_folders(p_endpoint_id uuid, p_removed jsonb)
returns text[]
language sql stable security invoker set search_path = ''
as $$
  with gone as (
    select r.external_id, r.reason
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
  )
  select coalesce(array_agg(distinct p.external_folder_id), '{}')
  from (
    select f.external_parent_id as external_folder_id
    from gone cross join lateral (
      select k.external_parent_id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = gone.external_id
        and k.deleted_at is null
      offset 0
    ) as f
    where gone.reason <> 'trashed'
    union all
    select d.external_parent_id
    from gone cross join lateral (
      select k.external_parent_id from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = gone.external_id
      offset 0
    ) as d
    where gone.reason <> 'trashed'
    union all
    select gone.external_id
    from gone
    where not exists (
      select from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = gone.external_id
      offset 0)
      and exists (
        select from connector.endpoint_states as s
        where s.endpoint_id = p_endpoint_id and not s.scope_is_tree)
  ) as p
  where p.external_folder_id is not null;
$$;

-- Takes what was noted as lost in folders that are shown now; answers those that are read again.
create or replace function connector.take_losses(p_endpoint_id uuid, p_shown_ids text[])
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
  cross join lateral (
    select k.external_folder_id from connector.folders as k
    where k.endpoint_id = p_endpoint_id and k.external_folder_id = taken.external_folder_id
      and not k.is_gone
    offset 0
  ) as f;
  return v_lost;
end;
$$;

-- Makes a run that would end with unknown folders, and knows of losses, list everything again.
create or replace function connector.list_again_after_losses(p_state connector.endpoint_states)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  if p_state.scope_is_tree
    or not exists (
      select from connector.losses as l
      where l.endpoint_id = p_state.endpoint_id and not exists (
        select from connector.folders as f
        where f.endpoint_id = l.endpoint_id and f.external_folder_id = l.external_folder_id
        offset 0))
    or exists (
      select from connector.listings as g
      where g.endpoint_id = p_state.endpoint_id and (g.open_tasks > 0 or g.sweep <> 'nothing'))
    or not connector.has_orphans(p_state.endpoint_id)
  then
    return false;
  end if;
  perform connector.place_orphans(p_state.endpoint_id);
  delete from connector.losses as l where l.endpoint_id = p_state.endpoint_id;
  delete from connector.listings as g where g.endpoint_id = p_state.endpoint_id;
  update public.sync_logs set mode = 'full' where sync_logs.id = p_state.run_id;
  -- For the next run, should this one fail before it lists.
  update connector.endpoint_states as s set is_listing_requested = true
  where s.endpoint_id = p_state.endpoint_id;
  return true;
end;
$$;
