-- Purpose:  rewriting paths takes time in proportion to what is rewritten, whatever the planner knows of
--           the tables: a tree that was just read has no statistics, and joining what a recursion found
--           took time with its square.
-- Depends:  20261122100800_create_paths.sql
-- Rollback: create connector.rewrite_paths as it was.

-- Recomputes the paths of the given folders and of all below them, then of the files in every folder
-- whose path changed. Folders in a circle, or below an unknown parent, have no path.
--
-- Each step of a walk is a lookup in an index: `offset 0` keeps the planner from joining the whole
-- table instead. What a walk found is kept as a map from folder to path, since a join with it would be
-- guessed at; and each plan is made for the arrays at hand, which are then hashed.
create or replace function connector.rewrite_paths(p_endpoint_id uuid, p_folder_ids text[])
returns bigint
-- The planner cannot know how deep a tree is, expects the worst, and would compile for a second what
-- runs for a millisecond.
language plpgsql volatile security invoker set search_path = ''
  set jit = 'off' set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_paths jsonb;
  v_ids text[];
  v_moved text[];
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
      where k.endpoint_id = p_endpoint_id and k.external_parent_id = a.id and not k.is_root
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
      where k.endpoint_id = p_endpoint_id
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

  update public.files as f
  set file_path = (v_paths ->> f.external_parent_id) || '/' || connector.escape_name(f.file_name),
      updated_at = now()
  where f.endpoint_id = p_endpoint_id and f.external_parent_id = any (v_moved);
  get diagnostics v_files = row_count;
  return v_files;
end;
$$;
