-- Purpose:  what a change log shows, while a full listing is open, below a folder that this listing has not
--           met is not inside for that: the folder may have gone before the logs' positions were taken,
--           and then no entry of it is to come. What comes of it is known when the folder is met, or at
--           the end of the run.
-- Depends:  20261122101200_create_commits.sql, 20261122112100_ask_about_absent_items_of_partial_listings.sql
-- Rollback: create connector.place_pending(uuid, bigint) and connector.settle_buried(uuid, jsonb) as they
--           were.

-- Places waiting items of a tree scope whose parent is now known: folders first, level by level. A full
-- listing that is open must have met the parent, or have been unable to read what it lies in.
create or replace function connector.place_pending(
  p_endpoint_id uuid, p_listing_id bigint,
  out added integer, out updated integer, out unchanged integer, out added_rows integer,
  out bytes numeric, out fresh text[], out placed text[]
)
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_records jsonb;
  v_folders record;
  v_files record;
  v_unread text[];
begin
  fresh := '{}';
  placed := '{}';
  select array_agg(u.external_id) into v_unread
  from connector.listings as g cross join lateral connector.unread_items(g) as u
  where g.id = p_listing_id;
  loop
    with placeable as (
      delete from connector.pending_items as p
      using connector.folders as f
      where p.endpoint_id = p_endpoint_id and p.is_folder
        and f.endpoint_id = p_endpoint_id and f.external_folder_id = p.external_parent_id
        and not f.is_gone
        and (p_listing_id is null or f.seen_listing_id = p_listing_id
          or f.external_folder_id = any (v_unread))
      returning p.record
    )
    select jsonb_agg(placeable.record) into v_records from placeable;
    exit when v_records is null;
    select * into v_folders
    from connector.upsert_folders(p_endpoint_id, p_listing_id, v_records);
    perform connector.rewrite_paths(p_endpoint_id, v_folders.changed);
    fresh := fresh || v_folders.fresh;
    placed := placed || array(
      select r ->> 'external_folder_id' from jsonb_array_elements(v_records) as r);
  end loop;
  with placeable as (
    delete from connector.pending_items as p
    using connector.folders as f
    where p.endpoint_id = p_endpoint_id and not p.is_folder
      and f.endpoint_id = p_endpoint_id and f.external_folder_id = p.external_parent_id
      and not f.is_gone
      and (p_listing_id is null or f.seen_listing_id = p_listing_id
        or f.external_folder_id = any (v_unread))
    returning p.record
  )
  select coalesce(jsonb_agg(placeable.record), '[]') into v_records from placeable;
  select * into v_files from connector.upsert_files(p_endpoint_id, p_listing_id, v_records);
  added := v_files.added;
  updated := v_files.updated;
  unchanged := v_files.unchanged;
  added_rows := v_files.added_rows;
  bytes := v_files.bytes;
end;
$$;

-- What is in the trash with a folder above it stays as it is shown while that folder is known: the
-- folder's own entry takes it along, or says that the folder is out of the trash again. Of a flat
-- scope, what lies in no known folder is taken out of the page and gone; an open full listing knows
-- the folders that it has met.
create or replace function connector.settle_buried(p_endpoint_id uuid, p_page jsonb)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_gone_ids text[];
  v_lost_ids text[];
  v_noted_listing_id bigint;
begin
  if not p_page @? '$.*[*].is_buried' then
    return p_page;
  end if;
  select g.id into v_noted_listing_id
  from connector.listings as g where g.endpoint_id = p_endpoint_id and g.sweep <> 'nothing';
  v_gone_ids := connector.folders_below(p_endpoint_id, array(
    select r ->> 'external_id' from jsonb_array_elements(p_page -> 'removed') as r));
  with recursive buried as (
    select coalesce(r ->> 'external_folder_id', r ->> 'external_file_id') as id,
      r ->> 'external_parent_id' as parent_id
    from jsonb_array_elements((p_page -> 'folders') || (p_page -> 'files')) as r
    where r ? 'is_buried'
  ),
  kept as (
    select buried.id
    from buried
    join connector.folders as f
      on f.endpoint_id = p_endpoint_id and f.external_folder_id = buried.parent_id
    where not f.is_gone and f.external_folder_id <> all (v_gone_ids)
      and (v_noted_listing_id is null or f.seen_listing_id = v_noted_listing_id)
    union
    select buried.id from kept join buried on buried.parent_id = kept.id
  )
  select coalesce(array_agg(buried.id), '{}') into v_lost_ids
  from buried where buried.id not in (select kept.id from kept);
  return p_page || jsonb_build_object(
    'folders', (
      select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(p_page -> 'folders') as r
      where r ->> 'external_folder_id' <> all (v_lost_ids)),
    'files', (
      select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(p_page -> 'files') as r
      where r ->> 'external_file_id' <> all (v_lost_ids)),
    'removed', (p_page -> 'removed') || (
      select coalesce(jsonb_agg(jsonb_build_object('external_id', u.id, 'reason', 'trashed')), '[]')
      from unnest(v_lost_ids) as u (id)));
end;
$$;
