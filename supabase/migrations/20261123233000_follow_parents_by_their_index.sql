-- Purpose:  what lies in a folder is always looked up by the index of parents. Where statistics say that
--           hardly any two folders share a parent, the planner takes any index that begins with the
--           endpoint for as good, and reads all folders of the endpoint once for each of them.
-- Depends:  20261123231000_look_up_what_was_seen_row_by_row.sql,
--           20261123220000_look_up_by_the_right_index.sql
-- Rollback: create these functions as they were, drop connector.files_in_folders().
-- "is not distinct from" is a condition that no index serves: with it only the index that begins with
-- the parent is left. Nor may a table be read from end to end where statistics call it small.

-- Derives the paths of these folders, of all below them, and of the files in those.
create or replace function connector.rewrite_paths(p_endpoint_id uuid, p_folder_ids text[])
returns bigint
-- The planner cannot know how deep a tree is, expects the worst, and would compile for a second what
-- runs for a millisecond.
language plpgsql volatile security invoker set search_path = ''
  set jit = 'off' set plan_cache_mode = 'force_custom_plan' set enable_seqscan = 'off'
as $$
declare
  v_paths jsonb;
  v_ids text[];
  v_moved text[];
  v_limits record := connector.path_limits();
  v_files bigint;
begin
  -- Every folder concerned, for now without a path.
  with recursive affected as (
    select given.id
    from unnest(p_folder_ids) as given (id)
    cross join lateral (
      select from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = given.id
      offset 0
    ) as f
    union
    select c.external_folder_id
    from affected as a
    cross join lateral (
      select k.external_folder_id
      from connector.folders as k
      where k.endpoint_id is not distinct from p_endpoint_id and k.external_parent_id = a.id and not k.is_root
      offset 0
    ) as c
  )
  select jsonb_object_agg(affected.id, null) into v_paths from affected;
  if v_paths is null then
    return 0;
  end if;

  -- Those whose parent is not concerned are where the others hang; a circle has none of them.
  with recursive placed as (
    select t.external_folder_id, t.path
    from (select distinct given.id from unnest(p_folder_ids) as given (id)) as given
    cross join lateral (
      select f.external_folder_id,
        case
          when f.is_root then ''
          when f.external_parent_id is null then '/' || connector.escape_name(f.folder_name)
          else (
            select p.path
            from connector.folders as p
            where p.endpoint_id = p_endpoint_id and p.external_folder_id = f.external_parent_id
          ) || '/' || connector.escape_name(f.folder_name)
        end as path
      from connector.folders as f
      where f.endpoint_id = p_endpoint_id and f.external_folder_id = given.id
        and (f.is_root or f.external_parent_id is null or not v_paths ? f.external_parent_id)
      offset 0
    ) as t
    union all
    select c.external_folder_id, placed.path || '/' || connector.escape_name(c.folder_name)
    from placed
    cross join lateral (
      select k.external_folder_id, k.folder_name
      from connector.folders as k
      where k.endpoint_id is not distinct from p_endpoint_id
        and k.external_parent_id = placed.external_folder_id and not k.is_root
      offset 0
    ) as c
  )
  select v_paths || coalesce(jsonb_object_agg(placed.external_folder_id, placed.path), '{}')
  into v_paths from placed;

  v_ids := array(select jsonb_object_keys(v_paths));
  with moved as (
    update connector.folders as f
    set path = v_paths ->> f.external_folder_id
    where f.endpoint_id = p_endpoint_id
      and f.external_folder_id = any (v_ids)
      and f.path is distinct from v_paths ->> f.external_folder_id
    returning f.external_folder_id
  )
  select array_agg(moved.external_folder_id) into v_moved from moved;

  if (
    select count(*) from (
      select from public.files as f
      where f.endpoint_id is not distinct from p_endpoint_id and f.external_parent_id = any (v_moved)
      limit v_limits.at_once + 1) as f
  ) > v_limits.at_once then
    insert into connector.stale_paths (endpoint_id, external_folder_id)
    select p_endpoint_id, moved.id from unnest(v_moved) as moved (id) order by moved.id
    on conflict do nothing;
    return 0;
  end if;

  update public.files as f
  set file_path = (v_paths ->> f.external_parent_id) || '/' || connector.escape_name(f.file_name),
      updated_at = now()
  where f.endpoint_id is not distinct from p_endpoint_id and f.external_parent_id = any (v_moved);
  get diagnostics v_files = row_count;
  return v_files;
end;
$$;

-- Moves files out of folders that go into another of their parents.
create or replace function connector.rehome_files(p_endpoint_id uuid, p_gone_ids text[])
returns void
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan' set enable_seqscan = 'off'
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
      where s.endpoint_id is not distinct from p_endpoint_id and s.external_parent_id = g.id
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

-- These folders and all below them.
create or replace function connector.folders_below(p_endpoint_id uuid, p_external_ids text[])
returns text[]
language sql stable security invoker set search_path = ''
  set enable_seqscan = 'off'
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
      where k.endpoint_id is not distinct from p_endpoint_id
        and k.external_parent_id = s.external_folder_id
        and (not k.is_root or k.is_stand_in)
      offset 0
    ) as c
  )
  select coalesce(array_agg(subtree.external_folder_id), '{}') from subtree;
$$;

-- Takes items away, folders with all that is below them.
create or replace function connector.remove_items(
  p_endpoint_id uuid, p_removed jsonb, out deleted integer, out bytes numeric
)
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan' set enable_seqscan = 'off'
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
      where k.endpoint_id is not distinct from p_endpoint_id
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
      where k.endpoint_id is not distinct from p_endpoint_id and k.external_parent_id = s.id and k.deleted_at is null
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

-- Places what waited for a folder that is known now.
create or replace function connector.place_pending(
  p_endpoint_id uuid, p_listing_id bigint,
  out added integer, out updated integer, out unchanged integer, out added_rows integer,
  out bytes numeric, out fresh text[], out placed text[]
)
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan' set enable_seqscan = 'off'
as $$
declare
  v_placeable text[];
  v_changed text[] := '{}'::text[];
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
  v_placeable := array(
    select p.external_id
    from connector.pending_items as p
    cross join lateral (
      select from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = p.external_parent_id
        and not k.is_gone
        and (p_listing_id is null or k.seen_listing_id = p_listing_id
          or k.external_folder_id = any (v_unread))
      offset 0
    ) as f
    where p.endpoint_id = p_endpoint_id and p.is_folder);
  while cardinality(v_placeable) > 0 loop
    with taken as (
      delete from connector.pending_items as p
      where p.endpoint_id = p_endpoint_id and p.external_id = any (v_placeable)
      returning p.record
    )
    select jsonb_agg(taken.record) into v_records from taken;
    select * into v_folders
    from connector.upsert_folders(p_endpoint_id, p_listing_id, v_records);
    v_changed := v_changed || v_folders.changed;
    fresh := fresh || v_folders.fresh;
    placed := placed || v_placeable;
    v_placeable := array(
      select c.external_id
      from unnest(v_placeable) as g (id)
      cross join lateral (
        select k.external_id from connector.pending_items as k
        where k.endpoint_id is not distinct from p_endpoint_id and k.external_parent_id = g.id and k.is_folder
        offset 0
      ) as c);
  end loop;
  perform connector.rewrite_paths(p_endpoint_id, v_changed);
  with taken as (
    delete from connector.pending_items as p
    where p.endpoint_id = p_endpoint_id and p.external_id = any (array(
      select k.external_id
      from connector.pending_items as k
      cross join lateral (
        select from connector.folders as d
        where d.endpoint_id = p_endpoint_id and d.external_folder_id = k.external_parent_id
          and not d.is_gone
          and (p_listing_id is null or d.seen_listing_id = p_listing_id
            or d.external_folder_id = any (v_unread))
        offset 0
      ) as f
      where k.endpoint_id = p_endpoint_id and not k.is_folder))
    returning p.record
  )
  select coalesce(jsonb_agg(taken.record), '[]') into v_records from taken;
  select * into v_files from connector.upsert_files(p_endpoint_id, p_listing_id, v_records);
  added := v_files.added;
  updated := v_files.updated;
  unchanged := v_files.unchanged;
  added_rows := v_files.added_rows;
  bytes := v_files.bytes;
end;
$$;

-- The items of which this listing knows nothing, with the folders below them.
create or replace function connector.unread_items(p_listing connector.listings)
returns table (external_id text)
language sql stable security invoker set search_path = ''
  set enable_seqscan = 'off'
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
      where k.endpoint_id is not distinct from p_listing.endpoint_id
        and k.external_parent_id = unread.external_id
        and (not k.is_root or k.is_stand_in)
      offset 0
    ) as f
  )
  select unread.external_id from unread;
$$;

-- Rewrites paths that a rename of very many files left for later, for some seconds; true when none is left.
create or replace function connector.rewrite_stale_paths(p_endpoint_id uuid)
returns boolean
language plpgsql volatile security invoker set search_path = ''
  set jit = 'off' set plan_cache_mode = 'force_custom_plan' set enable_seqscan = 'off'
as $$
declare
  v_limits record := connector.path_limits();
  v_until timestamptz := clock_timestamp() + make_interval(secs => v_limits.seconds);
  v_folder_id text;
  v_path text;
  v_ids uuid[];
begin
  loop
    select s.external_folder_id, f.path into v_folder_id, v_path
    from connector.stale_paths as s
    left join connector.folders as f
      on f.endpoint_id = s.endpoint_id and f.external_folder_id = s.external_folder_id
    where s.endpoint_id = p_endpoint_id
    order by s.external_folder_id
    limit 1;
    exit when not found;
    v_ids := array(
      select k.id from public.files as k
      where k.endpoint_id is not distinct from p_endpoint_id and k.external_parent_id = v_folder_id
        and k.file_path is distinct from v_path || '/' || connector.escape_name(k.file_name)
        -- The files of a folder that is gone are looked after by whatever took it away.
        and exists (
          select from connector.folders as f
          where f.endpoint_id = p_endpoint_id and f.external_folder_id = v_folder_id)
      limit v_limits.batch);
    update public.files as f
    set file_path = v_path || '/' || connector.escape_name(f.file_name), updated_at = now()
    where f.id = any (v_ids);
    if cardinality(v_ids) < v_limits.batch then
      delete from connector.stale_paths as s
      where s.endpoint_id = p_endpoint_id and s.external_folder_id = v_folder_id;
    end if;
    exit when clock_timestamp() >= v_until;
  end loop;
  return not exists (select from connector.stale_paths as s where s.endpoint_id = p_endpoint_id);
end;
$$;

-- The living files that lie in these folders.
create function connector.files_in_folders(p_endpoint_id uuid, p_folder_ids text[])
returns table (id uuid, external_file_id text)
language sql stable security invoker set search_path = ''
  set enable_seqscan = 'off'
as $$
  select f.id, f.external_file_id
  from unnest(p_folder_ids) as g (id)
  cross join lateral (
    select k.id, k.external_file_id from public.files as k
    where k.endpoint_id is not distinct from p_endpoint_id and k.external_parent_id = g.id
      and k.deleted_at is null
    offset 0
  ) as f;
$$;
revoke all on function connector.files_in_folders(uuid, text[])
  from public, anon, authenticated, service_role;
grant execute on function connector.files_in_folders(uuid, text[]) to service_role;

-- How many files a sweep would delete, those below absent folders included.
create or replace function connector.count_unseen_files(p_listing connector.listings)
returns bigint
language sql stable security invoker set search_path = ''
as $$
  select count(*)
  from (
    select u.id from connector.unseen_files(p_listing, null) as u
    union
    select f.id
    from connector.files_in_folders(
      p_listing.endpoint_id,
      connector.folders_below(p_listing.endpoint_id, array(
        select u.external_folder_id from connector.unseen_folders(p_listing) as u
        union
        select a.external_id
        from connector.absences as a where a.listing_id = p_listing.id and a.is_gone))) as f
    where not exists (
      select from connector.seen_files as n
      where n.listing_id = p_listing.id and n.external_file_id = f.external_file_id
      offset 0)
  ) as unseen;
$$;
