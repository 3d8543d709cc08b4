-- Purpose:  what a page writes: files shown, files filtered out, items gone.
-- Depends:  20261122100800_create_paths.sql
-- Rollback: drop the functions below.

-- In all of these a page's rows are looked up one by one, by the key (lateral and offset 0 leave the
-- planner no choice): it cannot know how many files an endpoint has, guesses few, and would read all
-- of them for each page.

-- Writes what a page says of files, touching only rows that changed, in the order of their ids so
-- that two pages committed at once cannot lock each other out. With a listing, notes which of the
-- rows that stood there before were shown. Of several parents the first known one counts.
create function connector.upsert_files(
  p_endpoint_id uuid, p_listing_id bigint, p_files jsonb,
  out added integer, out updated integer, out unchanged integer, out added_rows integer, out bytes numeric
)
language sql volatile security invoker set search_path = ''
as $$
  with incoming as (
    select distinct on (r.external_file_id)
      r.external_file_id, place.external_parent_id, r.file_name, r.file_link, r.file_size,
      r.file_type, r.mime_type, r.external_created_at, r.external_updated_at, r.file_metadata,
      case when place.external_parent_id is null then '' else parent.path end
        || '/' || connector.escape_name(r.file_name) as file_path
    from jsonb_to_recordset(p_files) as r (
      external_file_id text, external_parent_id text, candidate_parent_ids jsonb, file_name text,
      file_link text, file_size bigint, file_type text, mime_type text,
      external_created_at timestamptz, external_updated_at timestamptz, file_metadata jsonb)
    cross join lateral (
      select case when r.candidate_parent_ids is null then r.external_parent_id
        else connector.first_known_parent(
          p_endpoint_id, r.candidate_parent_ids, r.external_parent_id) end as external_parent_id
    ) as place
    left join lateral (
      select k.path from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = place.external_parent_id
      offset 0
    ) as parent on true
    order by r.external_file_id
  ),
  compared as (
    select i.*, f.id is null as is_new, f.deleted_at is not null as was_deleted,
      case when f.deleted_at is null then f.file_size end as size_before,
      f.id is null or (
        f.external_parent_id, f.file_name, f.file_path, f.file_link, f.file_size, f.file_type,
        f.mime_type, f.external_created_at, f.external_updated_at, f.file_metadata, f.sync_status
      ) is distinct from (
        i.external_parent_id, i.file_name, i.file_path, i.file_link, i.file_size, i.file_type,
        i.mime_type, i.external_created_at, i.external_updated_at, i.file_metadata, 'completed'
      ) as is_changed
    from incoming as i
    left join lateral (
      select * from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = i.external_file_id
      offset 0
    ) as f on true
  ),
  written as (
    insert into public.files (
      endpoint_id, external_file_id, external_parent_id, file_name, file_path, file_link, file_size,
      file_type, mime_type, external_created_at, external_updated_at, file_metadata)
    select p_endpoint_id, c.external_file_id, c.external_parent_id, c.file_name, c.file_path,
      c.file_link, c.file_size, c.file_type, c.mime_type, c.external_created_at,
      c.external_updated_at, c.file_metadata
    from compared as c
    where c.is_changed
    order by c.external_file_id
    on conflict (endpoint_id, external_file_id) do update
    set external_parent_id = excluded.external_parent_id,
        file_name = excluded.file_name,
        file_path = excluded.file_path,
        file_link = excluded.file_link,
        file_size = excluded.file_size,
        file_type = excluded.file_type,
        mime_type = excluded.mime_type,
        external_created_at = excluded.external_created_at,
        external_updated_at = excluded.external_updated_at,
        file_metadata = excluded.file_metadata,
        sync_status = 'completed',
        deleted_at = null,
        deletion_reason = null,
        updated_at = now()
  ),
  shown as (
    insert into connector.seen_files (listing_id, external_file_id)
    select p_listing_id, c.external_file_id
    from compared as c
    where p_listing_id is not null and not c.is_new
    order by c.external_file_id
    on conflict (listing_id, external_file_id) do nothing
  )
  select
    (count(*) filter (where c.is_new))::integer,
    (count(*) filter (where c.is_changed and not c.is_new))::integer,
    (count(*) filter (where not c.is_changed))::integer,
    (count(*) filter (where c.is_new or c.was_deleted))::integer,
    coalesce(sum(coalesce(c.file_size, 0) - coalesce(c.size_before, 0)), 0)
  from compared as c;
$$;

-- Files that were seen but that file_types excludes: a row from before the filter becomes a tombstone.
create function connector.delete_filtered(
  p_endpoint_id uuid, p_external_file_ids jsonb, out deleted integer, out bytes numeric
)
language sql volatile security invoker set search_path = ''
as $$
  with gone as (
    update public.files as f
    set sync_status = 'deleted', deleted_at = now(), deletion_reason = 'filtered', updated_at = now()
    where f.endpoint_id = p_endpoint_id
      and f.external_file_id = any (array(select jsonb_array_elements_text(p_external_file_ids)))
      and f.deleted_at is null
    returning f.file_size
  )
  select count(*)::integer, coalesce(sum(gone.file_size), 0) from gone;
$$;

-- Sums the numbers of two flat objects, key by key.
create function connector.add_counts(p_left jsonb, p_right jsonb)
returns jsonb
language sql immutable security invoker set search_path = ''
as $$
  select coalesce(jsonb_object_agg(sums.key, sums.total), '{}')
  from (
    select counts.key, sum(counts.value::numeric) as total
    from (
      select * from jsonb_each_text(coalesce(p_left, '{}'))
      union all
      select * from jsonb_each_text(coalesce(p_right, '{}'))
    ) as counts
    group by counts.key
  ) as sums;
$$;

-- Where a file of several parents stands when some of them are gone: in the first of the others that
-- is in the scope, if there is one.
create function connector.other_parent(
  p_endpoint_id uuid, p_file_metadata jsonb, p_gone_ids text[], out folder_id text, out path text
)
returns setof record
language sql stable security invoker set search_path = ''
as $$
  select f.external_folder_id, f.path
  from jsonb_array_elements_text(case jsonb_typeof(p_file_metadata -> 'parents')
    when 'array' then p_file_metadata -> 'parents' else '[]' end) with ordinality as c (id, place)
  join connector.folders as f
    on f.endpoint_id = p_endpoint_id and f.external_folder_id = c.id and not f.is_gone
  where c.id <> all (p_gone_ids)
  order by c.place
  limit 1;
$$;

-- Moves the files of folders that are gone to their other parents, where they have some.
create function connector.rehome_files(p_endpoint_id uuid, p_gone_ids text[])
returns void
language sql volatile security invoker set search_path = ''
as $$
  update public.files as f
  set external_parent_id = home.folder_id,
      file_path = home.path || '/' || connector.escape_name(k.file_name),
      updated_at = now()
  from unnest(p_gone_ids) as g (id)
  join public.files as k on k.endpoint_id = p_endpoint_id and k.external_parent_id = g.id
  cross join lateral connector.other_parent(p_endpoint_id, k.file_metadata, p_gone_ids) as home
  where f.id = k.id and k.deleted_at is null and k.file_metadata ? 'parents';
$$;

-- The folders among the given items, and all folders below them.
create function connector.folders_below(p_endpoint_id uuid, p_external_ids text[])
returns text[]
language sql stable security invoker set search_path = ''
as $$
  with recursive subtree as (
    select f.external_folder_id
    from connector.folders as f
    where f.endpoint_id = p_endpoint_id and f.external_folder_id = any (p_external_ids)
    union
    select c.external_folder_id
    from subtree as s
    join connector.folders as c
      on c.endpoint_id = p_endpoint_id
      and c.external_parent_id = s.external_folder_id
      and (not c.is_root or c.is_stand_in)
  )
  select coalesce(array_agg(subtree.external_folder_id), '{}') from subtree;
$$;

-- Items that the change feed says are gone, each with its reason. A folder takes its subtree with it:
-- the feeds promise no entries for what lies below; but a file of several parents stays in the others.
-- A gone root keeps its row, so that it is known
-- again when it comes back.
create function connector.remove_items(
  p_endpoint_id uuid, p_removed jsonb, out deleted integer, out bytes numeric
)
language sql volatile security invoker set search_path = ''
as $$
  select connector.rehome_files(p_endpoint_id, connector.folders_below(p_endpoint_id, array(
    select r.external_id from jsonb_to_recordset(p_removed) as r (external_id text))));

  with recursive incoming as (
    select distinct on (r.external_id) r.external_id, r.reason
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
    order by r.external_id
  ),
  subtree as (
    select f.external_folder_id, incoming.reason
    from incoming
    join connector.folders as f
      on f.endpoint_id = p_endpoint_id and f.external_folder_id = incoming.external_id
    union
    select c.external_folder_id, s.reason
    from subtree as s
    join connector.folders as c
      on c.endpoint_id = p_endpoint_id
      and c.external_parent_id = s.external_folder_id
      and (not c.is_root or c.is_stand_in)
  ),
  no_longer_pending as (
    delete from connector.pending_items as p
    where p.endpoint_id = p_endpoint_id
      and p.external_id in (select incoming.external_id from incoming)
  ),
  errors_gone as (
    delete from connector.folder_errors as e
    where e.endpoint_id = p_endpoint_id
      and (e.external_folder_id in (select subtree.external_folder_id from subtree)
        or e.external_folder_id in (select incoming.external_id from incoming))
  ),
  -- A listing that could not read a folder because it was going misses nothing.
  skipped_gone as (
    delete from connector.skipped_subtrees as k
    using connector.listings as g
    where g.endpoint_id = p_endpoint_id and k.listing_id = g.id
      and (k.external_folder_id in (select subtree.external_folder_id from subtree)
        or k.external_folder_id in (select incoming.external_id from incoming))
  ),
  folders_gone as (
    delete from connector.folders as f
    where f.endpoint_id = p_endpoint_id
      and f.external_folder_id in (select subtree.external_folder_id from subtree)
      and (not f.is_root or f.is_stand_in)
  ),
  roots_gone as (
    update connector.folders as f
    set is_gone = true, provider_state = null
    where f.endpoint_id = p_endpoint_id
      and f.external_folder_id in (select incoming.external_id from incoming)
      and f.is_root and not f.is_stand_in and not f.is_gone
  ),
  -- Two joins rather than one with or: each has an index of its own.
  found as (
    select f.id, incoming.reason
    from incoming
    cross join lateral (
      select k.id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = incoming.external_id
        and k.deleted_at is null
      offset 0
    ) as f
    union all
    select f.id, subtree.reason
    from subtree
    cross join lateral (
      select k.id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_parent_id = subtree.external_folder_id
        and k.deleted_at is null
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
  select count(*)::integer, coalesce(sum(files_gone.file_size), 0) from files_gone;
$$;
comment on function connector.remove_items(uuid, jsonb) is
  'Makes tombstones of files, and of all files below folders, that are gone.';

revoke execute on function
  connector.upsert_files(uuid, bigint, jsonb),
  connector.delete_filtered(uuid, jsonb),
  connector.add_counts(jsonb, jsonb),
  connector.other_parent(uuid, jsonb, text[]),
  connector.rehome_files(uuid, text[]),
  connector.folders_below(uuid, text[]),
  connector.remove_items(uuid, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.upsert_files(uuid, bigint, jsonb),
  connector.delete_filtered(uuid, jsonb),
  connector.add_counts(jsonb, jsonb),
  connector.other_parent(uuid, jsonb, text[]),
  connector.rehome_files(uuid, text[]),
  connector.folders_below(uuid, text[]),
  connector.remove_items(uuid, jsonb)
to service_role;
