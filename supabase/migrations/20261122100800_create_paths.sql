-- Purpose:  paths, derived from connector.folders: a renamed or moved folder rewrites its subtree
--           with set-based SQL and no provider call.
-- Depends:  20261122100700_create_listings.sql
-- Rollback: drop the functions below.

-- A name as it stands in a path: \ becomes \\ and / becomes \/, so that a path can be split again.
create function connector.escape_name(p_name text)
returns text
language sql immutable parallel safe security invoker set search_path = ''
as $$
  select replace(replace(p_name, '\', '\\'), '/', '\/');
$$;
comment on function connector.escape_name(text) is
  'A name as one segment of a path; split a path at every / that no odd number of \ precedes.';

-- Recomputes the paths of the given folders and of all below them, then of the files in every folder
-- whose path changed. Folders in a circle, or below an unknown parent, have no path.
create function connector.rewrite_paths(p_endpoint_id uuid, p_folder_ids text[])
returns bigint
-- The planner cannot know how deep a tree is, expects the worst, and would compile for a second what
-- runs for a millisecond.
language plpgsql volatile security invoker set search_path = '' set jit = 'off'
as $$
declare
  v_files bigint;
begin
  with recursive affected as (
    select f.external_folder_id, f.external_parent_id, f.folder_name, f.is_root
    from connector.folders as f
    where f.endpoint_id = p_endpoint_id and f.external_folder_id = any (p_folder_ids)
    union
    select c.external_folder_id, c.external_parent_id, c.folder_name, c.is_root
    from affected as a
    join connector.folders as c
      on c.endpoint_id = p_endpoint_id
      and c.external_parent_id = a.external_folder_id
      and not c.is_root
  ),
  placed as (
    select a.external_folder_id,
           case
             when a.is_root then ''
             when a.external_parent_id is null then '/' || connector.escape_name(a.folder_name)
             else p.path || '/' || connector.escape_name(a.folder_name)
           end as path
    from affected as a
    left join connector.folders as p
      on p.endpoint_id = p_endpoint_id and p.external_folder_id = a.external_parent_id
    where a.is_root
      or a.external_parent_id is null
      or a.external_parent_id not in (select affected.external_folder_id from affected)
    union all
    select c.external_folder_id, placed.path || '/' || connector.escape_name(c.folder_name)
    from placed
    join connector.folders as c
      on c.endpoint_id = p_endpoint_id
      and c.external_parent_id = placed.external_folder_id
      and not c.is_root
  ),
  moved as (
    update connector.folders as f
    set path = placed.path
    from affected
    left join placed on placed.external_folder_id = affected.external_folder_id
    where f.endpoint_id = p_endpoint_id
      and f.external_folder_id = affected.external_folder_id
      and f.path is distinct from placed.path
    returning f.external_folder_id, f.path
  )
  update public.files as f
  set file_path = moved.path || '/' || connector.escape_name(f.file_name), updated_at = now()
  from moved
  where f.endpoint_id = p_endpoint_id
    and f.external_parent_id = moved.external_folder_id;
  get diagnostics v_files = row_count;
  return v_files;
end;
$$;
comment on function connector.rewrite_paths(uuid, text[]) is
  'Brings the paths below the given folders up to date; returns how many files it rewrote.';

-- Of an item's several parents (possible in My Drive before 2020) the first that is in the scope.
create function connector.first_known_parent(
  p_endpoint_id uuid, p_candidate_ids jsonb, p_otherwise text
)
returns text
language sql stable security invoker set search_path = ''
as $$
  select coalesce((
    select c.id
    from jsonb_array_elements_text(p_candidate_ids) with ordinality as c (id, place)
    join connector.folders as f
      on f.endpoint_id = p_endpoint_id and f.external_folder_id = c.id and not f.is_gone
    order by c.place
    limit 1), p_otherwise);
$$;

-- Writes what a page says of folders. `changed`: those that are new, renamed or moved; `fresh`:
-- those that were not in the scope before. A page never takes rootness from the top of a scope (a
-- scope may lie inside another); the real folder takes the place of its stand-in.
create function connector.upsert_folders(
  p_endpoint_id uuid, p_listing_id bigint, p_folders jsonb, out changed text[], out fresh text[]
)
language sql volatile security invoker set search_path = ''
as $$
  with incoming as (
    select distinct on (r.external_folder_id)
      r.external_folder_id, r.external_parent_id, r.folder_name,
      r.is_root or coalesce(known.is_root and not known.is_stand_in, false) as is_root,
      known.external_folder_id is null or known.is_gone or known.is_stand_in as is_fresh,
      known.external_folder_id is null
        or (known.external_parent_id, known.folder_name, known.is_root, known.is_stand_in, known.is_gone)
        is distinct from (r.external_parent_id, r.folder_name,
          r.is_root or (known.is_root and not known.is_stand_in), false, false) as is_changed,
      known.seen_listing_id, r.provider_state,
      known.shown_state is distinct from r.provider_state as is_shown_changed
    from (
      select p.external_folder_id, p.folder_name, p.is_root, p.provider_state,
        case when p.candidate_parent_ids is null then p.external_parent_id
          else connector.first_known_parent(
            p_endpoint_id, p.candidate_parent_ids, p.external_parent_id) end as external_parent_id
      from jsonb_to_recordset(p_folders) as p (
        external_folder_id text, external_parent_id text, candidate_parent_ids jsonb,
        folder_name text, is_root boolean, provider_state jsonb)
    ) as r
    left join connector.folders as known
      on known.endpoint_id = p_endpoint_id and known.external_folder_id = r.external_folder_id
    order by r.external_folder_id, r.is_root desc
  ),
  written as (
    insert into connector.folders as f
      (endpoint_id, external_folder_id, external_parent_id, folder_name, is_root, seen_listing_id,
       shown_state)
    select p_endpoint_id, i.external_folder_id, i.external_parent_id, i.folder_name, i.is_root,
      coalesce(p_listing_id, i.seen_listing_id), i.provider_state
    from incoming as i
    where i.is_changed or i.is_shown_changed
      or i.seen_listing_id is distinct from coalesce(p_listing_id, i.seen_listing_id)
    on conflict (endpoint_id, external_folder_id) do update
    set external_parent_id = excluded.external_parent_id,
        folder_name = excluded.folder_name,
        is_root = excluded.is_root,
        is_stand_in = false,
        is_gone = false,
        seen_listing_id = excluded.seen_listing_id,
        shown_state = excluded.shown_state
  )
  select
    coalesce(array_agg(i.external_folder_id) filter (where i.is_changed), '{}'),
    coalesce(array_agg(i.external_folder_id) filter (where i.is_fresh), '{}')
  from incoming as i;
$$;

-- Places what hangs below folders that never appeared (the account cannot see them): each such
-- folder is stood in for by a root, so that its files stand at the top of the scope.
create function connector.place_orphans(p_endpoint_id uuid)
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
    )
    returning external_folder_id
  )
  select array_agg(added.external_folder_id) into v_stand_ins from added;
  if v_stand_ins is not null then
    perform connector.rewrite_paths(p_endpoint_id, v_stand_ins);
  end if;
end;
$$;

revoke execute on function
  connector.escape_name(text),
  connector.rewrite_paths(uuid, text[]),
  connector.first_known_parent(uuid, jsonb, text),
  connector.upsert_folders(uuid, bigint, jsonb),
  connector.place_orphans(uuid)
from public, anon, authenticated;
grant execute on function
  connector.escape_name(text),
  connector.rewrite_paths(uuid, text[]),
  connector.first_known_parent(uuid, jsonb, text),
  connector.upsert_folders(uuid, bigint, jsonb),
  connector.place_orphans(uuid)
to service_role;
