-- Purpose:  what goes, comes back or could not be read takes its subtree along in time proportional to
--           the subtree, whatever the planner knows of the tables: what a recursion finds is mis-estimated
--           always, and joining it with a table, or asking whether something is in it, took time with its
--           square.
-- Depends:  20261123120200_place_changes_in_folders_that_are_there.sql,
--           20261123120300_ask_about_absent_folders_before_the_fuse.sql,
--           20261123120400_remove_files_of_unknown_folders.sql,
--           20261123120500_doubt_only_folders_that_were_met.sql
-- Rollback: create the functions as they were, connector.other_parent(uuid, jsonb, text[]) among them.

-- In all of these each step of a walk is a lookup in an index (`offset 0` keeps the planner from joining
-- the whole table instead), and what a walk found is kept as an array: each plan is made for the arrays
-- at hand, which are then hashed.

-- The folders among the given items, and all folders below them.
create or replace function connector.folders_below(p_endpoint_id uuid, p_external_ids text[])
returns text[]
language sql stable security invoker set search_path = ''
as $$
  with recursive subtree as (
    select f.external_folder_id
    from unnest(p_external_ids) as given (id)
    cross join lateral (
      select k.external_folder_id from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = given.id
      offset 0
    ) as f
    union
    select c.external_folder_id
    from subtree as s
    cross join lateral (
      select k.external_folder_id from connector.folders as k
      where k.endpoint_id = p_endpoint_id
        and k.external_parent_id = s.external_folder_id
        and (not k.is_root or k.is_stand_in)
      offset 0
    ) as c
  )
  select coalesce(array_agg(subtree.external_folder_id), '{}') from subtree;
$$;

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
    cross join lateral (
      select k.external_folder_id from connector.folders as k
      where k.endpoint_id = p_listing.endpoint_id
        and k.external_parent_id = unread.external_id
        and (not k.is_root or k.is_stand_in)
      offset 0
    ) as f
  )
  select unread.external_id from unread;
$$;

-- Moves the files of folders that are gone to the first of their other parents that is in the scope,
-- where they have some.
create or replace function connector.rehome_files(p_endpoint_id uuid, p_gone_ids text[])
returns void
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan'
as $$
begin
  update public.files as f
  set external_parent_id = home.folder_id,
      file_path = home.path || '/' || connector.escape_name(f.file_name),
      updated_at = now()
  from (
    select distinct on (k.id) k.id, d.external_folder_id as folder_id, d.path
    from unnest(p_gone_ids) as g (id)
    cross join lateral (
      select s.id, s.file_metadata from public.files as s
      where s.endpoint_id = p_endpoint_id and s.external_parent_id = g.id
        and s.deleted_at is null and s.file_metadata ? 'parents'
      offset 0
    ) as k
    cross join lateral jsonb_array_elements_text(case jsonb_typeof(k.file_metadata -> 'parents')
      when 'array' then k.file_metadata -> 'parents' else '[]' end) with ordinality as c (id, place)
    cross join lateral (
      select o.external_folder_id, o.path from connector.folders as o
      where o.endpoint_id = p_endpoint_id and o.external_folder_id = c.id and not o.is_gone
      offset 0
    ) as d
    where c.id <> all (p_gone_ids)
    order by k.id, c.place
  ) as home
  where f.id = home.id;
end;
$$;

-- Served the function above alone.
drop function connector.other_parent(uuid, jsonb, text[]);

-- Items that the change feed says are gone, each with its reason. A folder takes its subtree with it:
-- the feeds promise no entries for what lies below; but a file of several parents stays in the others.
-- A gone root keeps its row, so that it is known again when it comes back.
create or replace function connector.remove_items(
  p_endpoint_id uuid, p_removed jsonb, out deleted integer, out bytes numeric
)
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_item_ids text[];
  v_item_reasons text[];
  v_folder_ids text[];
  v_folder_reasons text[];
begin
  select coalesce(array_agg(i.external_id), '{}'), coalesce(array_agg(i.reason), '{}')
  into v_item_ids, v_item_reasons
  from (
    select distinct on (r.external_id) r.external_id, r.reason
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
    order by r.external_id
  ) as i;
  if cardinality(v_item_ids) = 0 then
    deleted := 0;
    bytes := 0;
    return;
  end if;
  perform connector.rehome_files(
    p_endpoint_id, connector.folders_below(p_endpoint_id, v_item_ids));
  with recursive subtree as (
    -- A folder may have been listed before it came, and its files after that: it is not known then.
    select i.id as external_folder_id, i.reason
    from unnest(v_item_ids, v_item_reasons) as i (id, reason)
    union
    select c.external_folder_id, s.reason
    from subtree as s
    cross join lateral (
      select k.external_folder_id from connector.folders as k
      where k.endpoint_id = p_endpoint_id
        and k.external_parent_id = s.external_folder_id
        and (not k.is_root or k.is_stand_in)
      offset 0
    ) as c
  )
  select coalesce(array_agg(subtree.external_folder_id), '{}'), coalesce(array_agg(subtree.reason), '{}')
  into v_folder_ids, v_folder_reasons
  from subtree;

  delete from connector.pending_items as p
  where p.endpoint_id = p_endpoint_id and p.external_id = any (v_item_ids);
  delete from connector.folder_errors as e
  where e.endpoint_id = p_endpoint_id and e.external_folder_id = any (v_folder_ids);
  -- A listing that could not read a folder because it was going misses nothing.
  delete from connector.skipped_subtrees as k
  where k.listing_id = (select g.id from connector.listings as g where g.endpoint_id = p_endpoint_id)
    and k.external_folder_id = any (v_folder_ids);
  delete from connector.folders as f
  where f.endpoint_id = p_endpoint_id and f.external_folder_id = any (v_folder_ids)
    and (not f.is_root or f.is_stand_in);
  update connector.folders as f
  set is_gone = true, provider_state = null
  where f.endpoint_id = p_endpoint_id and f.external_folder_id = any (v_item_ids)
    and f.is_root and not f.is_stand_in and not f.is_gone;

  with found as (
    select f.id, i.reason
    from unnest(v_item_ids, v_item_reasons) as i (id, reason)
    cross join lateral (
      select k.id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = i.id and k.deleted_at is null
      offset 0
    ) as f
    union all
    select f.id, s.reason
    from unnest(v_folder_ids, v_folder_reasons) as s (id, reason)
    cross join lateral (
      select k.id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_parent_id = s.id and k.deleted_at is null
      offset 0
    ) as f
  ),
  reasons as (
    select found.id, min(found.reason) as reason from found group by found.id
  ),
  files_gone as (
    update public.files as f
    set sync_status = 'deleted', deleted_at = now(), deletion_reason = reasons.reason, updated_at = now()
    from reasons
    where f.id = reasons.id
    returning f.file_size
  )
  select count(*)::integer, coalesce(sum(files_gone.file_size), 0) into deleted, bytes from files_gone;
end;
$$;

-- Of the folders that a feed shows, and those below them, the ones that the open listing may have
-- read while they were out of sight: they then looked empty, and the feed tells of nothing but the
-- folder that came back. A full listing may have missed what lies in any that it met; a walk, what lies
-- in those that it read. What has yet to be read is no matter of doubt.
create or replace function connector.doubtful_folders(
  p_endpoint_id uuid, p_listing_id bigint, p_is_noted boolean, p_shown_ids text[]
)
returns text[]
language sql stable security invoker set search_path = ''
as $$
  select coalesce(array_agg(f.external_folder_id), '{}')
  from (
    select s.id from unnest(connector.folders_below(p_endpoint_id, p_shown_ids)) as s (id)
    except
    select w.id
    from connector.tasks as t cross join lateral unnest(t.folder_ids) as w (id)
    where t.listing_id = p_listing_id and not t.is_done and t.sequence = 0
  ) as b
  cross join lateral (
    select k.external_folder_id from connector.folders as k
    where k.endpoint_id = p_endpoint_id and k.external_folder_id = b.id
      and not k.is_gone
      and (k.enqueued_listing_id = p_listing_id or p_is_noted and k.seen_listing_id = p_listing_id)
    offset 0
  ) as f;
$$;

-- What is in the trash with a folder above it stays as it is shown while that folder is known: the
-- folder's own entry takes it along, or says that the folder is out of the trash again. Of a flat
-- scope, what lies in no known folder is taken out of the page and gone; an open full listing knows
-- the folders that it has met.
create or replace function connector.settle_buried(p_endpoint_id uuid, p_page jsonb)
returns jsonb
language plpgsql stable security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan'
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
    cross join lateral (
      select from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = buried.parent_id
        and not k.is_gone
        and (v_noted_listing_id is null or k.seen_listing_id = v_noted_listing_id)
      offset 0
    ) as f
    where buried.parent_id <> all (v_gone_ids)
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
