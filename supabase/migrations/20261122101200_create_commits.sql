-- Purpose:  committing one page, of a listing's task or of a change feed: rows, cursor, counters and
--           the lease extension in one transaction. A repeated commit changes nothing.
-- Depends:  20261122101100_create_slices.sql
-- Rollback: drop the functions below.

-- Moves a task on by one page. False: that page was committed before, by this call's earlier try.
create function connector.advance_task(p_listing_id bigint, p_page jsonb)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_is_done boolean := p_page #>> '{next,type}' = 'done';
  v_folder_ids text[];
begin
  update connector.tasks as t
  set sequence = t.sequence + 1,
      is_done = v_is_done,
      cursor = case when v_is_done then null else nullif(p_page #> '{next,cursor}', 'null'::jsonb) end
  where t.id = (p_page ->> 'task_id')::bigint
    and t.listing_id = p_listing_id
    and t.sequence = (p_page ->> 'sequence')::integer
    and not t.is_done
  returning t.folder_ids into v_folder_ids;
  if not found then
    return false;
  end if;
  if v_is_done then
    delete from connector.tasks as t where t.id = (p_page ->> 'task_id')::bigint and t.key is null;
    update connector.folders as f
    set walked_listing_id = p_listing_id,
        -- A folder that could not be read must not look as if nothing had changed in it.
        provider_state = case when not exists (
            select from jsonb_to_recordset(p_page -> 'skipped') as k (external_folder_id text)
            where k.external_folder_id = f.external_folder_id)
          then f.walking_state end
    from connector.listings as g
    where g.id = p_listing_id
      and (g.sweep = 'walked_folders' or f.walking_state is not null)
      and f.endpoint_id = g.endpoint_id and f.external_folder_id = any (v_folder_ids);
  end if;
  return true;
end;
$$;

-- The answer to a commit that was made before.
create function connector.repeated_commit(p_state connector.endpoint_states)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select jsonb_build_object(
    'repeated', true, 'added', 0, 'updated', 0, 'unchanged', 0, 'deleted', 0,
    'files_seen', r.files_seen, 'open_tasks', coalesce(g.open_tasks, 0), 'tasks', '[]'::jsonb)
  from public.sync_logs as r
  left join connector.listings as g on g.endpoint_id = r.endpoint_id
  where r.id = p_state.run_id;
$$;

-- Adds a page's counts to the rows that all pages of an endpoint share. They come last and always in
-- this order, so that their locks are short and safe. The lease is checked again by the write itself:
-- a worker that lost it meanwhile writes nothing. Returns what the worker is told.
create function connector.count_page(
  p_lease jsonb, p_state connector.endpoint_states, p_listing_id bigint, p_page jsonb,
  p_counts jsonb, p_new_tasks integer, p_tasks_done integer, p_last_task_id bigint
)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_files_seen bigint;
  v_open_tasks bigint;
begin
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      slices_without_progress = 0,
      file_count = s.file_count + (p_counts ->> 'added_rows')::bigint - (p_counts ->> 'deleted')::bigint,
      total_bytes = s.total_bytes + (p_counts ->> 'bytes')::numeric
  where s.endpoint_id = p_state.endpoint_id and s.lease_token = p_state.lease_token;
  if not found then
    perform connector.require_lease(p_lease);
  end if;
  update public.sync_logs as r
  set files_seen = r.files_seen + (p_counts ->> 'seen')::bigint,
      files_added = r.files_added + (p_counts ->> 'added')::bigint,
      files_updated = r.files_updated + (p_counts ->> 'updated')::bigint,
      files_unchanged = r.files_unchanged + (p_counts ->> 'unchanged')::bigint,
      files_deleted = r.files_deleted + (p_counts ->> 'deleted')::bigint,
      files_skipped = r.files_skipped + jsonb_array_length(p_page -> 'filtered'),
      provider_calls = r.provider_calls + coalesce((p_page ->> 'provider_calls')::bigint, 0)
  where r.id = p_state.run_id
  returning r.files_seen into v_files_seen;
  update connector.listings as g
  set open_tasks = g.open_tasks + p_new_tasks - p_tasks_done,
      receipt = case when p_page -> 'receipt' = '{}' then g.receipt
        else connector.add_counts(g.receipt, p_page -> 'receipt') end
  where g.id = p_listing_id
  returning g.open_tasks into v_open_tasks;
  return jsonb_build_object(
    'repeated', false, 'added', p_counts -> 'added', 'updated', p_counts -> 'updated',
    'unchanged', p_counts -> 'unchanged', 'deleted', p_counts -> 'deleted',
    'files_seen', v_files_seen, 'open_tasks', coalesce(v_open_tasks, 0),
    'tasks', case when p_new_tasks = 0 then '[]'::jsonb
      else connector.open_tasks(p_listing_id, p_last_task_id, 50) end);
end;
$$;

-- What a page shows is no longer waiting for its parent: the listing looked later than the feed did.
create function connector.forget_pending(p_endpoint_id uuid, p_page jsonb)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  if not exists (
    select from connector.pending_items as p where p.endpoint_id = p_endpoint_id) then
    return;
  end if;
  delete from connector.pending_items as p
  where p.endpoint_id = p_endpoint_id
    and (p.external_id in (select r ->> 'external_file_id' from jsonb_array_elements(p_page -> 'files') as r)
      or p.external_id in (select r ->> 'external_folder_id' from jsonb_array_elements(p_page -> 'folders') as r)
      or p.external_id in (select jsonb_array_elements_text(p_page -> 'filtered')));
end;
$$;

create function public.connector_commit_page(p_lease jsonb, p_page jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_endpoint_id uuid := (p_lease ->> 'endpoint_id')::uuid;
  v_listing_id bigint;
  v_noted_listing_id bigint;
  v_last_task_id bigint;
  v_folders record;
  v_files record;
  v_filtered record;
  v_walk jsonb := p_page -> 'walk';
  v_new_tasks integer;
begin
  -- Pages without folders may be committed side by side; a page with folders has the endpoint to
  -- itself, for else a file could miss the path of a folder that is being written.
  if jsonb_array_length(p_page -> 'folders') > 0 then
    perform pg_catalog.pg_advisory_xact_lock(7002, hashtext(v_endpoint_id::text));
  else
    perform pg_catalog.pg_advisory_xact_lock_shared(7002, hashtext(v_endpoint_id::text));
  end if;
  v_state := connector.require_lease(p_lease);
  select g.id, case when g.sweep <> 'nothing' then g.id end into v_listing_id, v_noted_listing_id
  from connector.listings as g where g.endpoint_id = v_endpoint_id;
  if not connector.advance_task(v_listing_id, p_page) then
    return connector.repeated_commit(v_state);
  end if;
  select coalesce(max(tasks.id), 0) into v_last_task_id
  from connector.tasks where tasks.listing_id = v_listing_id;

  select * into v_folders
  from connector.upsert_folders(v_endpoint_id, v_listing_id, p_page -> 'folders');
  if cardinality(v_folders.changed) > 0 then
    perform connector.rewrite_paths(v_endpoint_id, v_folders.changed);
  end if;
  select * into v_files
  from connector.upsert_files(v_endpoint_id, v_noted_listing_id, p_page -> 'files');
  select * into v_filtered from connector.delete_filtered(v_endpoint_id, p_page -> 'filtered');
  if v_state.scope_is_tree then
    perform connector.forget_pending(v_endpoint_id, p_page);
  end if;
  -- Below a folder that came into the scope, folders that were there before are followed already; but
  -- while folders cannot be read, the feeds may have kept silent about what lies below them.
  if v_noted_listing_id is null and not exists (
    select from connector.folder_errors as e where e.endpoint_id = v_endpoint_id)
  then
    v_walk := (
      select coalesce(jsonb_agg(w.id), '[]')
      from jsonb_array_elements_text(v_walk) as w (id) where w.id = any (v_folders.fresh));
  end if;
  v_walk := v_walk || (
    select coalesce(jsonb_agg(w.id), '[]')
    from jsonb_array_elements_text(p_page -> 'walk_new') as w (id) where w.id = any (v_folders.fresh));
  v_new_tasks := connector.add_tasks(
    v_endpoint_id, v_listing_id, v_walk, p_page -> 'walk_changed',
    (p_page ->> 'folders_per_task')::integer, p_page -> 'seeds');
  insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
  select distinct on (k.external_folder_id) v_listing_id, k.external_folder_id, k.code, k.message
  from jsonb_to_recordset(p_page -> 'skipped') as k (external_folder_id text, code text, message text)
  order by k.external_folder_id
  on conflict (listing_id, external_folder_id) do nothing;

  return connector.count_page(
    p_lease, v_state, v_listing_id, p_page,
    jsonb_build_object(
      'added', v_files.added, 'updated', v_files.updated, 'unchanged', v_files.unchanged,
      'added_rows', v_files.added_rows, 'deleted', v_filtered.deleted,
      'bytes', v_files.bytes - v_filtered.bytes,
      'seen', v_files.added + v_files.updated + v_files.unchanged
        + jsonb_array_length(p_page -> 'filtered')),
    v_new_tasks, case when p_page #>> '{next,type}' = 'done' then 1 else 0 end, v_last_task_id);
end;
$$;
comment on function public.connector_commit_page(jsonb, jsonb) is
  'Commits one page of a task with its cursor, counters and lease extension; a repeat changes nothing.';

-- Places waiting items of a tree scope whose parent is now known: folders first, level by level.
create function connector.place_pending(
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
begin
  fresh := '{}';
  placed := '{}';
  loop
    with placeable as (
      delete from connector.pending_items as p
      using connector.folders as f
      where p.endpoint_id = p_endpoint_id and p.is_folder
        and f.endpoint_id = p_endpoint_id and f.external_folder_id = p.external_parent_id
        and not f.is_gone
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

-- Whether a folder of a page is a top of the scope: known as one, or shown as one. A top that could
-- not be read before is only the latter.
create function connector.is_top(p_endpoint_id uuid, p_folder jsonb)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select (p_folder ->> 'is_root')::boolean or exists (
    select from connector.folders as f
    where f.endpoint_id = p_endpoint_id and f.is_root and not f.is_stand_in
      and f.external_folder_id = p_folder ->> 'external_folder_id');
$$;

-- Puts what the feed shows of a tree scope with the waiting items: whether it lies inside is known
-- only when its parent is.
create function connector.add_pending(p_endpoint_id uuid, p_page jsonb)
returns void
language sql volatile security invoker set search_path = ''
as $$
  insert into connector.pending_items
    (endpoint_id, external_id, is_folder, external_parent_id, record)
  select distinct on (i.external_id) p_endpoint_id, i.external_id, i.is_folder,
    case when i.record -> 'candidate_parent_ids' is null then i.record ->> 'external_parent_id'
      else connector.first_known_parent(
        p_endpoint_id, i.record -> 'candidate_parent_ids', i.record ->> 'external_parent_id') end,
    i.record
  from (
    select r ->> 'external_folder_id' as external_id, true as is_folder, r as record
    from jsonb_array_elements(p_page -> 'folders') as r
    where not connector.is_top(p_endpoint_id, r)
    union all
    select r ->> 'external_file_id', false, r
    from jsonb_array_elements(p_page -> 'files') as r
  ) as i
  on conflict (endpoint_id, external_id) do update
  set is_folder = excluded.is_folder,
      external_parent_id = excluded.external_parent_id,
      record = excluded.record;
$$;

-- The folders of a page that are tops of the scope.
create function connector.roots_among(p_endpoint_id uuid, p_folders jsonb)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select coalesce(jsonb_agg(r), '[]')
  from jsonb_array_elements(p_folders) as r
  where connector.is_top(p_endpoint_id, r);
$$;

-- A folder that shows another state than it had was out of sight, or was replaced: of what happened
-- below it meanwhile the feeds know nothing.
create function connector.refuse_stale_folders(p_endpoint_id uuid, p_folders jsonb)
returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if exists (
    select
    from jsonb_array_elements(p_folders) as r
    join connector.folders as f
      on f.endpoint_id = p_endpoint_id and f.external_folder_id = r ->> 'external_folder_id'
    where not f.is_gone and f.shown_state is not null
      and f.shown_state is distinct from r -> 'provider_state')
  then
    raise exception using errcode = 'FC005',
      message = 'Cannot follow the change feed: it does not tell what happened below a folder',
      hint = 'List everything again';
  end if;
end;
$$;

-- What is in the trash with a folder above it stays as it is shown while that folder is known: the
-- folder's own entry takes it along, or says that the folder is out of the trash again. Of a flat
-- scope, what lies in no known folder is taken out of the page and gone.
create function connector.settle_buried(p_endpoint_id uuid, p_page jsonb)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_gone_ids text[];
  v_lost_ids text[];
begin
  if not p_page @? '$.*[*].is_buried' then
    return p_page;
  end if;
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

create function public.connector_commit_changes(p_lease jsonb, p_page jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_endpoint_id uuid := (p_lease ->> 'endpoint_id')::uuid;
  v_listing_id bigint;
  v_noted_listing_id bigint;
  v_last_task_id bigint := 0;
  v_folders record;
  v_files record;
  v_removed record;
  v_filtered record;
  v_fresh text[];
  v_seeds jsonb := '[]';
  v_new_tasks integer := 0;
begin
  perform pg_catalog.pg_advisory_xact_lock(7002, hashtext(v_endpoint_id::text));
  v_state := connector.require_lease(p_lease);
  update connector.feeds as d
  set cursor = p_page #> '{next,cursor}', sequence = d.sequence + 1
  where d.endpoint_id = v_endpoint_id and d.feed_key = p_page ->> 'feed_key'
    and d.sequence = (p_page ->> 'sequence')::integer;
  if not found then
    return connector.repeated_commit(v_state);
  end if;
  select g.id, case when g.sweep <> 'nothing' then g.id end into v_listing_id, v_noted_listing_id
  from connector.listings as g where g.endpoint_id = v_endpoint_id;

  if not v_state.scope_is_tree then
    p_page := connector.settle_buried(v_endpoint_id, p_page);
  end if;
  if exists (
    select from connector.folders as f
    where f.endpoint_id = v_endpoint_id and f.external_folder_id in (
      select r ->> 'external_id' from jsonb_array_elements(p_page -> 'removed') as r))
  then
    v_seeds := coalesce(p_page -> 'seeds_if_folders_go', '[]');
  end if;
  select * into v_removed from connector.remove_items(v_endpoint_id, p_page -> 'removed');
  select * into v_filtered from connector.delete_filtered(v_endpoint_id, p_page -> 'filtered');
  delete from connector.pending_items as p
  where p.endpoint_id = v_endpoint_id
    and p.external_id in (select jsonb_array_elements_text(p_page -> 'filtered'));
  perform connector.refuse_stale_folders(v_endpoint_id, p_page -> 'folders');
  select * into v_folders
  from connector.upsert_folders(v_endpoint_id, v_listing_id,
    case when v_state.scope_is_tree then connector.roots_among(v_endpoint_id, p_page -> 'folders')
      else p_page -> 'folders' end);
  perform connector.rewrite_paths(v_endpoint_id, v_folders.changed);
  v_fresh := v_folders.fresh;
  if v_state.scope_is_tree then
    perform connector.add_pending(v_endpoint_id, p_page);
    select * into v_files from connector.place_pending(v_endpoint_id, v_noted_listing_id);
    v_fresh := v_fresh || v_files.fresh;
    -- A folder that moved out of the sight of a full listing is read too: what lies below it would
    -- count as not shown.
    if v_noted_listing_id is not null then
      v_fresh := v_fresh || array(
        select f.external_folder_id from connector.folders as f
        where f.endpoint_id = v_endpoint_id and f.external_folder_id = any (v_files.placed)
          and f.enqueued_listing_id is distinct from v_listing_id
          and f.external_folder_id <> all (v_fresh));
    end if;
  else
    select * into v_files
    from connector.upsert_files(v_endpoint_id, v_noted_listing_id, p_page -> 'files');
  end if;

  -- What came into the scope is walked: the feeds promise no entries for what lies below it.
  if cardinality(v_fresh) > 0 or jsonb_array_length(v_seeds) > 0 then
    v_listing_id := connector.ensure_listing(v_endpoint_id);
    select coalesce(max(tasks.id), 0) into v_last_task_id
    from connector.tasks where tasks.listing_id = v_listing_id;
    update connector.folders as f set enqueued_listing_id = null
    where f.endpoint_id = v_endpoint_id and f.external_folder_id = any (v_fresh);
    v_new_tasks := connector.add_tasks(
      v_endpoint_id, v_listing_id, to_jsonb(v_fresh), null,
      (p_page ->> 'folders_per_task')::integer, v_seeds);
  end if;

  return connector.count_page(
    p_lease, v_state, v_listing_id, p_page,
    jsonb_build_object(
      'added', v_files.added, 'updated', v_files.updated, 'unchanged', v_files.unchanged,
      'added_rows', v_files.added_rows, 'deleted', v_filtered.deleted + v_removed.deleted,
      'bytes', v_files.bytes - v_filtered.bytes - v_removed.bytes,
      'seen', v_files.added + v_files.updated + v_files.unchanged
        + jsonb_array_length(p_page -> 'filtered')),
    v_new_tasks, 0, v_last_task_id);
end;
$$;
comment on function public.connector_commit_changes(jsonb, jsonb) is
  'Commits one page of a change feed with its position, counters and lease extension; a repeat changes nothing.';

revoke execute on function
  connector.advance_task(bigint, jsonb),
  connector.forget_pending(uuid, jsonb),
  connector.repeated_commit(connector.endpoint_states),
  connector.count_page(
    jsonb, connector.endpoint_states, bigint, jsonb, jsonb, integer, integer, bigint),
  connector.place_pending(uuid, bigint),
  connector.is_top(uuid, jsonb),
  connector.add_pending(uuid, jsonb),
  connector.roots_among(uuid, jsonb),
  connector.refuse_stale_folders(uuid, jsonb),
  connector.settle_buried(uuid, jsonb),
  public.connector_commit_page(jsonb, jsonb),
  public.connector_commit_changes(jsonb, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.advance_task(bigint, jsonb),
  connector.forget_pending(uuid, jsonb),
  connector.repeated_commit(connector.endpoint_states),
  connector.count_page(
    jsonb, connector.endpoint_states, bigint, jsonb, jsonb, integer, integer, bigint),
  connector.place_pending(uuid, bigint),
  connector.is_top(uuid, jsonb),
  connector.add_pending(uuid, jsonb),
  connector.roots_among(uuid, jsonb),
  connector.refuse_stale_folders(uuid, jsonb),
  connector.settle_buried(uuid, jsonb),
  public.connector_commit_page(jsonb, jsonb),
  public.connector_commit_changes(jsonb, jsonb)
to service_role;
