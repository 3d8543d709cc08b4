-- Purpose:  how a slice begins: the run, all a worker needs to know, and the listing's first tasks.
-- Depends:  20261122101000_create_claiming.sql, 20261122100900_create_writes.sql
-- Rollback: drop the functions below.

-- The open listing of an endpoint; opens one for single folders where there is none.
create function connector.ensure_listing(p_endpoint_id uuid)
returns bigint
language sql volatile security invoker set search_path = ''
as $$
  insert into connector.listings as g (endpoint_id, is_full, sweep)
  values (p_endpoint_id, false, 'nothing')
  on conflict (endpoint_id) do update set is_full = g.is_full
  returning g.id;
$$;

-- Gives folders that could not be read another try, when their time has come.
create function connector.retry_folders(p_endpoint_id uuid)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_folder_ids jsonb;
  v_listing_id bigint;
  v_tasks integer;
begin
  select jsonb_agg(e.external_folder_id) into v_folder_ids
  from connector.folder_errors as e
  where e.endpoint_id = p_endpoint_id and e.next_attempt_at <= now();
  if v_folder_ids is null then
    return;
  end if;
  v_listing_id := connector.ensure_listing(p_endpoint_id);
  v_tasks := connector.add_tasks(
    p_endpoint_id, v_listing_id, v_folder_ids, null, 1, null);
  update connector.listings set open_tasks = open_tasks + v_tasks where listings.id = v_listing_id;
end;
$$;

-- Whether a new run must list the whole scope: asked for, never done, due for an audit, or because a
-- top of the scope could not be read and should be tried again, or because the last one could not
-- read folders that now can be read.
create function connector.needs_full_listing(p_state connector.endpoint_states)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select p_state.requested_mode is not distinct from 'full'
    or p_state.is_listing_requested
    or p_state.are_deletions_approved
    or not p_state.can_sync_incrementally
    or p_state.last_listing_completed_at is null
    or (p_state.owes_sweep and not exists (
      select from connector.folder_errors as e where e.endpoint_id = p_state.endpoint_id))
    or p_state.last_listing_completed_at < now() - make_interval(days => t.audit_interval_days)
    or exists (
      select from connector.listings as g where g.endpoint_id = p_state.endpoint_id and g.is_full)
    or exists (
      select from connector.folder_errors as e
      where e.endpoint_id = p_state.endpoint_id and e.next_attempt_at <= now()
        and not exists (
          select from connector.folders as f
          where f.endpoint_id = e.endpoint_id and f.external_folder_id = e.external_folder_id))
  from connector.endpoint_types as t where t.endpoint_type = p_state.endpoint_type;
$$;

-- Opens a run, or goes on with the open one, for an endpoint whose lease the caller holds.
create function connector.begin_run(p_endpoint_id uuid)
returns uuid
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states;
  v_run_id uuid;
  v_mode text;
begin
  select * into strict v_state from connector.endpoint_states as s
  where s.endpoint_id = p_endpoint_id for update;
  v_run_id := v_state.run_id;
  if v_run_id is null then
    v_mode := case when connector.needs_full_listing(v_state) then 'full' else 'incremental' end;
    if v_state.requested_mode = 'full' then
      delete from connector.listings where listings.endpoint_id = p_endpoint_id;
    end if;
    insert into public.sync_logs (endpoint_id, trigger, mode, slices)
    values (
      p_endpoint_id, case when v_state.requested_at is null then 'schedule' else 'request' end,
      v_mode, 1)
    returning id into v_run_id;
    if v_mode = 'incremental' then
      perform connector.retry_folders(p_endpoint_id);
    end if;
    update public.endpoints set last_sync_status = 'running' where endpoints.id = p_endpoint_id;
  else
    update public.sync_logs set slices = slices + 1 where sync_logs.id = v_run_id;
  end if;
  update connector.endpoint_states as s
  set run_id = v_run_id,
      lease_expires_at = clock_timestamp() + interval '120 seconds',
      slices_without_progress = s.slices_without_progress + 1,
      is_listing_requested = s.is_listing_requested
        or (v_state.run_id is null and v_state.requested_mode is not distinct from 'full'),
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
  v_contexts jsonb := '[]'::jsonb;
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
        then jsonb_build_object('id', g.id, 'open_tasks', g.open_tasks, 'is_full', g.is_full) end,
      'tasks', case when g.id is null then '[]' else connector.open_tasks(g.id, 0, 50) end,
      'memory', s.provider_memory,
      'feeds', coalesce((
        select jsonb_agg(jsonb_build_object(
          'key', d.feed_key, 'cursor', d.cursor, 'sequence', d.sequence) order by d.feed_key)
        from connector.feeds as d where d.endpoint_id = s.endpoint_id), '[]'),
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
  v_roots record;
  v_tasks integer;
begin
  perform pg_catalog.pg_advisory_xact_lock(7002, hashtext(v_state.endpoint_id::text));
  v_state := connector.require_lease(p_lease);
  delete from connector.listings where listings.endpoint_id = v_state.endpoint_id;
  delete from connector.pending_items where pending_items.endpoint_id = v_state.endpoint_id;
  insert into connector.listings
    (endpoint_id, is_full, sweep, needs_confirmation, may_delete_all, deletion_reason)
  values (
    v_state.endpoint_id, p_start ->> 'sweep' = 'everything', p_start ->> 'sweep',
    coalesce((p_start ->> 'confirms_absence')::boolean, false),
    v_state.are_deletions_approved or v_state.is_scope_changed,
    case when v_state.is_scope_changed then 'out_of_scope' else 'removed' end)
  returning id into v_listing_id;

  -- The logs are read on from where they stood before the listing began.
  delete from connector.feeds where feeds.endpoint_id = v_state.endpoint_id;
  insert into connector.feeds (endpoint_id, feed_key, cursor)
  select v_state.endpoint_id, d.key, d.cursor
  from jsonb_to_recordset(p_start -> 'feeds') as d (key text, cursor jsonb);

  with former as (
    update connector.folders as f
    set is_root = false
    where f.endpoint_id = v_state.endpoint_id and f.is_root and not f.is_stand_in
      and f.external_folder_id not in (
        select r.external_folder_id
        from jsonb_to_recordset(p_start -> 'roots') as r (external_folder_id text))
      and not coalesce(p_start -> 'unreadable_roots', '[]') ? f.external_folder_id
    returning f.external_folder_id
  )
  select coalesce(array_agg(former.external_folder_id), '{}') into v_former_roots from former;
  select * into v_roots
  from connector.upsert_folders(v_state.endpoint_id, v_listing_id, p_start -> 'roots');
  perform connector.rewrite_paths(v_state.endpoint_id, v_former_roots || v_roots.changed);

  v_tasks := connector.add_tasks(
    v_state.endpoint_id, v_listing_id, p_start -> 'walk', p_start -> 'walk_changed',
    (p_start ->> 'folders_per_task')::integer, p_start -> 'seeds');
  update connector.listings set open_tasks = v_tasks where listings.id = v_listing_id;
  update public.sync_logs
  set mode = case when p_start ->> 'sweep' = 'everything' then 'full' else mode end,
      provider_calls = provider_calls + coalesce((p_start ->> 'provider_calls')::bigint, 0)
  where sync_logs.id = v_state.run_id;
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      is_listing_requested = false,
      scope_is_tree = (p_start ->> 'is_tree')::boolean,
      provider_memory = nullif(p_start -> 'memory', 'null'::jsonb)
  where s.endpoint_id = v_state.endpoint_id and s.lease_token = v_state.lease_token;
  return jsonb_build_object(
    'listing', jsonb_build_object('id', v_listing_id, 'open_tasks', v_tasks, 'is_full', p_start ->> 'sweep' = 'everything'),
    'tasks', connector.open_tasks(v_listing_id, 0, 50));
end;
$$;
comment on function public.connector_start_listing(jsonb, jsonb) is
  'Begins a full listing in place of an older one: its roots, its first tasks, and where the change logs stood.';

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
  connector.ensure_listing(uuid),
  connector.retry_folders(uuid),
  connector.needs_full_listing(connector.endpoint_states),
  connector.begin_run(uuid),
  public.connector_begin_slice(jsonb),
  public.connector_start_listing(jsonb, jsonb),
  public.connector_open_tasks(jsonb, bigint, integer),
  public.connector_store_token(jsonb, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.ensure_listing(uuid),
  connector.retry_folders(uuid),
  connector.needs_full_listing(connector.endpoint_states),
  connector.begin_run(uuid),
  public.connector_begin_slice(jsonb),
  public.connector_start_listing(jsonb, jsonb),
  public.connector_open_tasks(jsonb, bigint, integer),
  public.connector_store_token(jsonb, jsonb)
to service_role;
