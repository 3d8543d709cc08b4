-- Purpose:  a page costs what the page holds: its folders, tasks and waiting items are looked up one by
--           one, by the key, as its files are; joining them read every folder of the endpoint for each
--           page. And waiting items are placed in time proportional to what is placed, however deep.
--           What the planner would guess is the number of an endpoint's rows: few, so that to read them all
--           looks cheap. It is asked for keys instead, which come out of a subquery that it cannot see into
--           (`offset 0`).
-- Depends:  20261122110400_read_again_what_changed_its_drive.sql,
--           20261123120100_read_again_what_vanished_with_a_folder.sql,
--           20261123120200_place_changes_in_folders_that_are_there.sql
-- Rollback: create the functions as they were.

-- Of an item's several parents (possible in My Drive before 2020) the first that is in the scope.
create or replace function connector.first_known_parent(
  p_endpoint_id uuid, p_candidate_ids jsonb, p_otherwise text
)
returns text
language sql stable security invoker set search_path = ''
as $$
  select coalesce((
    select c.id
    from jsonb_array_elements_text(p_candidate_ids) with ordinality as c (id, place)
    cross join lateral (
      select from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = c.id and not k.is_gone
      offset 0
    ) as f
    order by c.place
    limit 1), p_otherwise);
$$;

-- Writes what a page says of folders. `changed`: those that are new, renamed or moved; `fresh`:
-- those that were not in the scope before, or in another place. A page never takes rootness from the
-- top of a scope (a scope may lie inside another); the real folder takes the place of its stand-in.
create or replace function connector.upsert_folders(
  p_endpoint_id uuid, p_listing_id bigint, p_folders jsonb, out changed text[], out fresh text[]
)
language sql volatile security invoker set search_path = ''
as $$
  with incoming as (
    select distinct on (r.external_folder_id)
      r.external_folder_id, r.external_parent_id, r.folder_name,
      r.is_root or coalesce(known.is_root and not known.is_stand_in, false) as is_root,
      known.external_folder_id is null or known.is_gone or known.is_stand_in
        or connector.is_elsewhere(known.shown_state, r.provider_state) as is_fresh,
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
    left join lateral (
      select k.external_folder_id, k.external_parent_id, k.folder_name, k.is_root, k.is_stand_in,
        k.is_gone, k.seen_listing_id, k.shown_state
      from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = r.external_folder_id
      offset 0
    ) as known on true
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

-- The folders that lose something by these removals, as far as the item itself did not tell: what is in
-- the trash says so of itself.
create or replace function connector.losing_folders(p_endpoint_id uuid, p_removed jsonb)
returns text[]
language sql stable security invoker set search_path = ''
as $$
  with gone as (
    select r.external_id
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
    where r.reason <> 'trashed'
  )
  select coalesce(array_agg(distinct p.external_parent_id), '{}')
  from (
    select f.external_parent_id
    from gone cross join lateral (
      select k.external_parent_id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = gone.external_id
        and k.deleted_at is null
      offset 0
    ) as f
    union all
    select d.external_parent_id
    from gone cross join lateral (
      select k.external_parent_id from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = gone.external_id
      offset 0
    ) as d
  ) as p
  where p.external_parent_id is not null;
$$;

-- A folder that shows another state than it had was out of sight, or was replaced: of what happened
-- below it meanwhile the feeds know nothing. One that lies elsewhere is walked again.
create or replace function connector.refuse_stale_folders(p_endpoint_id uuid, p_folders jsonb)
returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if exists (
    select
    from jsonb_array_elements(p_folders) as r
    cross join lateral (
      select k.is_gone, k.shown_state from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = r ->> 'external_folder_id'
      offset 0
    ) as f
    where not f.is_gone and f.shown_state is not null
      and f.shown_state is distinct from r -> 'provider_state'
      and not connector.is_elsewhere(f.shown_state, r -> 'provider_state'))
  then
    raise exception using errcode = 'FC005',
      message = 'Cannot follow the change feed: it does not tell what happened below a folder',
      hint = 'List everything again';
  end if;
end;
$$;

-- Creates the tasks for folders to walk, for folders to walk if they changed since they were last read
-- to the end, and for seeds; returns how many. A folder is walked once a listing, and a seed's kind
-- and key are taken once, however often a page is repeated.
create or replace function connector.add_tasks(
  p_endpoint_id uuid, p_listing_id bigint, p_walk jsonb, p_walk_changed jsonb,
  p_folders_per_task integer, p_seeds jsonb
)
returns integer
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_walks integer := 0;
  v_seeds integer := 0;
begin
  if jsonb_array_length(coalesce(p_walk, '[]') || coalesce(p_walk_changed, '[]')) > 0 then
    with fresh as (
      update connector.folders as f
      set enqueued_listing_id = p_listing_id, walking_state = f.shown_state
      from (
        select w.id, true as is_certain from jsonb_array_elements_text(p_walk) as w (id)
        union
        select w.id, false from jsonb_array_elements_text(p_walk_changed) as w (id)
      ) as asked
      cross join lateral (
        select k.endpoint_id, k.external_folder_id from connector.folders as k
        where k.endpoint_id = p_endpoint_id and k.external_folder_id = asked.id
          and (asked.is_certain or k.provider_state is distinct from k.shown_state)
        offset 0
      ) as known
      where f.endpoint_id = known.endpoint_id
        and f.external_folder_id = known.external_folder_id
        -- Another page may have come first.
        and f.enqueued_listing_id is distinct from p_listing_id
      returning f.external_folder_id
    ),
    numbered as (
      select fresh.external_folder_id,
             (row_number() over (order by fresh.external_folder_id) - 1) / p_folders_per_task as group_no
      from fresh
    )
    insert into connector.tasks (listing_id, kind, folder_ids)
    select p_listing_id, 'walk', array_agg(numbered.external_folder_id)
    from numbered group by numbered.group_no order by numbered.group_no;
    get diagnostics v_walks = row_count;
  end if;
  if jsonb_array_length(coalesce(p_seeds, '[]')) > 0 then
    insert into connector.tasks (listing_id, kind, key, cursor)
    select p_listing_id, s.kind, s.key, nullif(s.cursor, 'null'::jsonb)
    from jsonb_to_recordset(p_seeds) as s (kind text, key text, cursor jsonb)
    on conflict (listing_id, kind, key) where key is not null do nothing;
    get diagnostics v_seeds = row_count;
  end if;
  return v_walks + v_seeds;
end;
$$;

-- What a page shows is no longer waiting for its parent: the listing looked later than the feed did.
create or replace function connector.forget_pending(p_endpoint_id uuid, p_page jsonb)
returns void
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan'
as $$
begin
  if not exists (
    select from connector.pending_items as p where p.endpoint_id = p_endpoint_id) then
    return;
  end if;
  delete from connector.pending_items as p
  using (
    select r ->> 'external_file_id' as id from jsonb_array_elements(p_page -> 'files') as r
    union
    select r ->> 'external_folder_id' from jsonb_array_elements(p_page -> 'folders') as r
    union
    select jsonb_array_elements_text(p_page -> 'filtered')
  ) as shown
  cross join lateral (
    select k.endpoint_id, k.external_id from connector.pending_items as k
    where k.endpoint_id = p_endpoint_id and k.external_id = shown.id
    offset 0
  ) as waiting
  where p.endpoint_id = waiting.endpoint_id and p.external_id = waiting.external_id;
end;
$$;

-- Places waiting items of a tree scope whose parent is now known: folders first, level by level. A full
-- listing that is open must have met the parent, or have been unable to read what it lies in. All that
-- wait are looked at once; after that, only what waits for the folders just placed.
create or replace function connector.place_pending(
  p_endpoint_id uuid, p_listing_id bigint,
  out added integer, out updated integer, out unchanged integer, out added_rows integer,
  out bytes numeric, out fresh text[], out placed text[]
)
language plpgsql volatile security invoker set search_path = ''
  set plan_cache_mode = 'force_custom_plan'
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
        where k.endpoint_id = p_endpoint_id and k.external_parent_id = g.id and k.is_folder
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
