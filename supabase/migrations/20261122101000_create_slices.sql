-- Purpose:  the work of one slice: begin, list, commit page by page, finish. Every call names its
--           lease; a page, its cursor, the counters and the lease extension are one transaction.
-- Depends:  20261122100900_create_claiming.sql, 20261122100800_create_paths.sql
-- Rollback: drop the functions below.

-- Writes what a page says of files, touching only rows that changed, in the order of their ids so
-- that two pages committed at once cannot lock each other out.
create function connector.upsert_files(
  p_endpoint_id uuid, p_files jsonb,
  out added integer, out updated integer, out unchanged integer, out added_rows integer, out bytes numeric
)
language sql volatile security invoker set search_path = ''
as $$
  with incoming as (
    select distinct on (r.external_file_id)
      r.*,
      case when r.external_parent_id is null then '' else parent.path end
        || '/' || connector.escape_name(r.file_name) as file_path
    from jsonb_to_recordset(p_files) as r (
      external_file_id text, external_parent_id text, file_name text, file_link text,
      file_size bigint, file_type text, mime_type text, external_created_at timestamptz,
      external_updated_at timestamptz, file_metadata jsonb)
    left join connector.folders as parent
      on parent.endpoint_id = p_endpoint_id and parent.external_folder_id = r.external_parent_id
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
    left join public.files as f
      on f.endpoint_id = p_endpoint_id and f.external_file_id = i.external_file_id
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
      and f.external_file_id in (select jsonb_array_elements_text(p_external_file_ids))
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

-- Opens a run, or goes on with the open one, for an endpoint whose lease the caller holds.
create function connector.begin_run(p_endpoint_id uuid)
returns uuid
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states;
  v_run_id uuid;
begin
  select * into strict v_state from connector.endpoint_states as s
  where s.endpoint_id = p_endpoint_id for update;
  v_run_id := v_state.run_id;
  if v_run_id is null then
    if v_state.requested_mode = 'full' then
      delete from connector.listings where listings.endpoint_id = p_endpoint_id;
    end if;
    insert into public.sync_logs (endpoint_id, trigger, mode, slices)
    values (
      p_endpoint_id,
      case when v_state.requested_at is null then 'schedule' else 'request' end,
      case when v_state.requested_mode = 'full' or v_state.feed_cursor is null then 'full'
        else 'incremental' end,
      1)
    returning id into v_run_id;
    update public.endpoints set last_sync_status = 'running' where endpoints.id = p_endpoint_id;
  else
    update public.sync_logs set slices = slices + 1 where sync_logs.id = v_run_id;
  end if;
  update connector.endpoint_states as s
  set run_id = v_run_id,
      lease_expires_at = clock_timestamp() + interval '120 seconds',
      slices_without_progress = s.slices_without_progress + 1,
      requested_at = case when v_state.run_id is null then null else s.requested_at end,
      requested_mode = case when v_state.run_id is null then null else s.requested_mode end
  where s.endpoint_id = p_endpoint_id;
  return v_run_id;
end;
$$;

create function public.connector_begin_slice(p_leases jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_lease record;
  v_contexts jsonb := '[]';
  v_context jsonb;
begin
  for v_lease in
    select s.endpoint_id, s.lease_token
    from jsonb_to_recordset(p_leases) as l (endpoint_id uuid, lease_token uuid)
    join connector.endpoint_states as s
      on s.endpoint_id = l.endpoint_id and s.lease_token = l.lease_token
    order by s.endpoint_id
  loop
    perform connector.begin_run(v_lease.endpoint_id);
    select jsonb_build_object(
      'endpoint_id', s.endpoint_id, 'lease_token', s.lease_token, 'run_id', r.id, 'slice', r.slices,
      'endpoint', jsonb_build_object(
        'name', e.name, 'endpoint_type', e.endpoint_type, 'project_id', e.project_id,
        'user_id', e.user_id, 'endpoint_config', e.endpoint_config, 'file_types', e.file_types,
        'max_files_per_sync', e.max_files_per_sync, 'schedule_type', e.schedule_type,
        'schedule_cron', e.schedule_cron, 'timezone', e.timezone),
      'run', jsonb_build_object('mode', r.mode, 'trigger', r.trigger, 'files_seen', r.files_seen),
      'listing', case when g.id is not null
        then jsonb_build_object('id', g.id, 'open_tasks', g.open_tasks) end,
      'tasks', case when g.id is null then '[]' else connector.open_tasks(g.id, 0, 50) end,
      'feed_cursor', s.feed_cursor,
      'token', case when t.id is not null then jsonb_build_object(
        'access_token', t.access_token, 'token_type', t.token_type, 'expires_at', t.expires_at) end
    ) into strict v_context
    from connector.endpoint_states as s
    join public.endpoints as e on e.id = s.endpoint_id
    join public.sync_logs as r on r.id = s.run_id
    left join connector.listings as g on g.endpoint_id = s.endpoint_id
    left join public.oauth_tokens as t on t.endpoint_id = s.endpoint_id and t.is_active
    where s.endpoint_id = v_lease.endpoint_id;
    v_contexts := v_contexts || jsonb_build_array(v_context);
  end loop;
  return v_contexts;
end;
$$;
comment on function public.connector_begin_slice(jsonb) is
  'Opens (or goes on with) a run for each lease that still holds, and returns all a worker needs for it.';

create function public.connector_start_listing(p_lease jsonb, p_start jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states := connector.require_lease(p_lease);
  v_listing_id bigint;
  v_former_roots text[];
  v_changed text[];
  v_tasks integer;
begin
  perform pg_catalog.pg_advisory_xact_lock(7002, hashtext(v_state.endpoint_id::text));
  v_state := connector.require_lease(p_lease);
  delete from connector.listings where listings.endpoint_id = v_state.endpoint_id;
  insert into connector.listings (endpoint_id, parked_cursor)
  values (v_state.endpoint_id, nullif(p_start -> 'parked_cursor', 'null'::jsonb))
  returning id into v_listing_id;

  with former as (
    update connector.folders as f
    set is_root = false
    where f.endpoint_id = v_state.endpoint_id and f.is_root and not f.is_stand_in
      and f.external_folder_id not in (
        select r.external_folder_id
        from jsonb_to_recordset(p_start -> 'roots') as r (external_folder_id text))
    returning f.external_folder_id
  )
  select coalesce(array_agg(former.external_folder_id), '{}') into v_former_roots from former;
  v_changed := v_former_roots || connector.upsert_folders(v_state.endpoint_id, p_start -> 'roots');
  if cardinality(v_changed) > 0 then
    perform connector.rewrite_paths(v_state.endpoint_id, v_changed);
  end if;

  v_tasks := connector.add_tasks(
    v_state.endpoint_id, v_listing_id, p_start -> 'walk',
    coalesce((p_start ->> 'folders_per_task')::integer, 1), p_start -> 'seeds');
  update connector.listings set open_tasks = v_tasks where listings.id = v_listing_id;
  update public.sync_logs
  set mode = 'full', provider_calls = provider_calls + coalesce((p_start ->> 'provider_calls')::bigint, 0)
  where sync_logs.id = v_state.run_id;
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds'
  where s.endpoint_id = v_state.endpoint_id and s.lease_token = v_state.lease_token;
  return jsonb_build_object(
    'listing', jsonb_build_object('id', v_listing_id, 'open_tasks', v_tasks),
    'tasks', connector.open_tasks(v_listing_id, 0, 50));
end;
$$;
comment on function public.connector_start_listing(jsonb, jsonb) is
  'Begins a full listing in place of an older one: its roots, its first tasks, the parked feed position.';

create function public.connector_open_tasks(p_lease jsonb, p_after_id bigint, p_limit integer)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states := connector.require_lease(p_lease);
begin
  return (
    select coalesce(connector.open_tasks(max(listings.id), p_after_id, p_limit), '[]')
    from connector.listings where listings.endpoint_id = v_state.endpoint_id);
end;
$$;
comment on function public.connector_open_tasks(jsonb, bigint, integer) is
  'The next open tasks of an endpoint''s listing.';

-- Moves a task on by one page. False: that page was committed before, by this call's earlier try.
create function connector.advance_task(p_listing_id bigint, p_page jsonb)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_is_done boolean := p_page #>> '{next,type}' = 'done';
begin
  update connector.tasks as t
  set sequence = t.sequence + 1,
      is_done = v_is_done,
      cursor = case when v_is_done then null else nullif(p_page #> '{next,cursor}', 'null'::jsonb) end
  where t.id = (p_page ->> 'task_id')::bigint
    and t.listing_id = p_listing_id
    and t.sequence = (p_page ->> 'sequence')::integer
    and not t.is_done;
  if not found then
    return false;
  end if;
  if v_is_done then
    delete from connector.tasks as t where t.id = (p_page ->> 'task_id')::bigint and t.key is null;
  end if;
  return true;
end;
$$;

create function public.connector_commit_page(p_lease jsonb, p_page jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = '' set statement_timeout = '60s'
as $$
declare
  v_state connector.endpoint_states;
  v_endpoint_id uuid := (p_lease ->> 'endpoint_id')::uuid;
  v_listing_id bigint;
  v_last_task_id bigint;
  v_changed text[];
  v_files record;
  v_filtered record;
  v_new_tasks integer;
  v_open_tasks bigint;
  v_files_seen bigint;
begin
  -- Pages without folders may be committed side by side; a page with folders has the endpoint to
  -- itself, for else a file could miss the path of a folder that is being written.
  if jsonb_array_length(p_page -> 'folders') > 0 then
    perform pg_catalog.pg_advisory_xact_lock(7002, hashtext(v_endpoint_id::text));
  else
    perform pg_catalog.pg_advisory_xact_lock_shared(7002, hashtext(v_endpoint_id::text));
  end if;
  v_state := connector.require_lease(p_lease);
  select listings.id into v_listing_id
  from connector.listings where listings.endpoint_id = v_endpoint_id;
  if not connector.advance_task(v_listing_id, p_page) then
    return (
      select jsonb_build_object(
        'repeated', true, 'added', 0, 'updated', 0, 'unchanged', 0, 'files_seen', r.files_seen,
        'open_tasks', coalesce(g.open_tasks, 0), 'tasks', '[]'::jsonb)
      from public.sync_logs as r
      left join connector.listings as g on g.endpoint_id = r.endpoint_id
      where r.id = v_state.run_id);
  end if;
  select coalesce(max(tasks.id), 0) into v_last_task_id
  from connector.tasks where tasks.listing_id = v_listing_id;

  v_changed := connector.upsert_folders(v_endpoint_id, p_page -> 'folders');
  if cardinality(v_changed) > 0 then
    perform connector.rewrite_paths(v_endpoint_id, v_changed);
  end if;
  select * into v_files from connector.upsert_files(v_endpoint_id, p_page -> 'files');
  select * into v_filtered from connector.delete_filtered(v_endpoint_id, p_page -> 'filtered');
  v_new_tasks := connector.add_tasks(
    v_endpoint_id, v_listing_id, p_page -> 'walk', (p_page ->> 'folders_per_task')::integer,
    p_page -> 'seeds');
  insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
  select distinct on (k.external_folder_id) v_listing_id, k.external_folder_id, k.code, k.message
  from jsonb_to_recordset(p_page -> 'skipped') as k (external_folder_id text, code text, message text)
  order by k.external_folder_id
  on conflict (listing_id, external_folder_id) do nothing;

  -- The shared rows come last and always in this order, so that their locks are short and safe. The
  -- lease is checked again by the write itself: a worker that lost it meanwhile writes nothing.
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      slices_without_progress = 0,
      file_count = s.file_count + v_files.added_rows - v_filtered.deleted,
      total_bytes = s.total_bytes + v_files.bytes - v_filtered.bytes
  where s.endpoint_id = v_endpoint_id and s.lease_token = v_state.lease_token;
  if not found then
    perform connector.require_lease(p_lease);
  end if;
  update public.sync_logs as r
  set files_seen = r.files_seen + v_files.added + v_files.updated + v_files.unchanged
        + jsonb_array_length(p_page -> 'filtered'),
      files_added = r.files_added + v_files.added,
      files_updated = r.files_updated + v_files.updated,
      files_unchanged = r.files_unchanged + v_files.unchanged,
      files_deleted = r.files_deleted + v_filtered.deleted,
      files_skipped = r.files_skipped + jsonb_array_length(p_page -> 'filtered'),
      provider_calls = r.provider_calls + coalesce((p_page ->> 'provider_calls')::bigint, 0)
  where r.id = v_state.run_id
  returning r.files_seen into v_files_seen;
  update connector.listings as g
  set open_tasks = g.open_tasks + v_new_tasks
        - case when p_page #>> '{next,type}' = 'done' then 1 else 0 end,
      receipt = case when p_page -> 'receipt' = '{}' then g.receipt
        else connector.add_counts(g.receipt, p_page -> 'receipt') end
  where g.id = v_listing_id
  returning g.open_tasks into v_open_tasks;

  return jsonb_build_object(
    'repeated', false, 'added', v_files.added, 'updated', v_files.updated,
    'unchanged', v_files.unchanged, 'files_seen', v_files_seen, 'open_tasks', v_open_tasks,
    'tasks', case when v_new_tasks = 0 then '[]'::jsonb
      else connector.open_tasks(v_listing_id, v_last_task_id, 50) end);
end;
$$;
comment on function public.connector_commit_page(jsonb, jsonb) is
  'Commits one page of a task with its cursor, counters and lease extension; a repeat changes nothing.';

create function public.connector_store_token(p_lease jsonb, p_token jsonb)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states := connector.require_lease(p_lease);
begin
  insert into public.oauth_tokens as t (endpoint_id, access_token, token_type, scope, expires_at)
  values (
    v_state.endpoint_id, p_token ->> 'access_token', coalesce(p_token ->> 'token_type', 'Bearer'),
    p_token ->> 'scope', (p_token ->> 'expires_at')::timestamptz)
  on conflict (endpoint_id) where is_active do update
  set access_token = excluded.access_token, token_type = excluded.token_type,
      scope = excluded.scope, expires_at = excluded.expires_at;
end;
$$;
comment on function public.connector_store_token(jsonb, jsonb) is
  'Stores the sealed access token of an endpoint in place of the active one.';

revoke execute on function
  connector.upsert_files(uuid, jsonb),
  connector.delete_filtered(uuid, jsonb),
  connector.add_counts(jsonb, jsonb),
  connector.begin_run(uuid),
  connector.advance_task(bigint, jsonb),
  public.connector_begin_slice(jsonb),
  public.connector_start_listing(jsonb, jsonb),
  public.connector_open_tasks(jsonb, bigint, integer),
  public.connector_commit_page(jsonb, jsonb),
  public.connector_store_token(jsonb, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.upsert_files(uuid, jsonb),
  connector.delete_filtered(uuid, jsonb),
  connector.add_counts(jsonb, jsonb),
  connector.begin_run(uuid),
  connector.advance_task(bigint, jsonb),
  public.connector_begin_slice(jsonb),
  public.connector_start_listing(jsonb, jsonb),
  public.connector_open_tasks(jsonb, bigint, integer),
  public.connector_commit_page(jsonb, jsonb),
  public.connector_store_token(jsonb, jsonb)
to service_role;
