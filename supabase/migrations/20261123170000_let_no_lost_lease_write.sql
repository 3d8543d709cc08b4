-- Purpose:  whoever has lost a lease writes nothing, also where it is lost while they write; and an
--           owner's edit and a worker never wait for each other.
-- Depends:  20261122115000_look_again_after_an_inherited_listing.sql,
--           20261123120000_release_leases_with_the_remedy_of_their_code.sql
-- Rollback: create the replaced functions as they were, drop connector.hold_lease()
--           and connector.try_lease().
--
-- Rows are locked in one order everywhere: the endpoint, its state, its run. An owner's statement has
-- the endpoint's row before its triggers reach the others.

alter table connector.endpoint_states add column slice_schedule_version integer;

-- The lease, held until the end of the transaction: an owner's edit that would take it away waits, and
-- one that was first is seen here.
create function connector.hold_lease(p_lease jsonb)
returns connector.endpoint_states
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states;
begin
  perform from public.endpoints as e
  where e.id = (p_lease ->> 'endpoint_id')::uuid for no key update;
  select * into v_state from connector.endpoint_states as s
  where s.endpoint_id = (p_lease ->> 'endpoint_id')::uuid
    and s.lease_token = (p_lease ->> 'lease_token')::uuid
  for update;
  if not found then
    perform connector.require_lease(p_lease);
  end if;
  return v_state;
end;
$$;
revoke execute on function connector.hold_lease(jsonb) from public, anon, authenticated, service_role;
grant execute on function connector.hold_lease(jsonb) to service_role;

-- Holds a lease as connector.hold_lease() does; false where it is gone, so that one endpoint's edit does
-- not spoil the others of a batch.
create function connector.try_lease(p_endpoint_id uuid, p_lease_token uuid)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  perform from public.endpoints as e where e.id = p_endpoint_id for no key update;
  perform from connector.endpoint_states as s
  where s.endpoint_id = p_endpoint_id and s.lease_token = p_lease_token for update;
  return found;
end;
$$;
revoke execute on function connector.try_lease(uuid, uuid)
from public, anon, authenticated, service_role;
grant execute on function connector.try_lease(uuid, uuid) to service_role;

create or replace function public.connector_finish_slice(p_lease jsonb, p_outcome jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_type text := p_outcome ->> 'type';
  v_closed record;
  v_standing record;
  v_is_inherited boolean;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.hold_lease(p_lease);
  update public.sync_logs
  set provider_calls = provider_calls + coalesce((p_outcome ->> 'provider_calls')::bigint, 0)
  where sync_logs.id = v_state.run_id;

  if v_type = 'continue' and v_state.slices_without_progress < 5 then
    update connector.endpoint_states as s
    set lease_token = null, lease_expires_at = null, next_run_at = now(),
        -- A slice that was handed back before it asked for anything says nothing about the work.
        slices_without_progress = case when (p_outcome ->> 'provider_calls')::bigint > 0
          then s.slices_without_progress else greatest(s.slices_without_progress - 1, 0) end
    where s.endpoint_id = v_state.endpoint_id;
    return jsonb_build_object('status', 'running', 'next_run_at', now());
  elsif v_type = 'continue' then
    return connector.fail_run(v_state.endpoint_id, 'unavailable',
      'The provider did not answer within five slices; the sync will be tried again.', 'retry', null);
  elsif v_type = 'limit_reached' then
    -- The next minute, which is the next tick, and not at once: the bound is one run's.
    return connector.end_run(v_state, 'partial', null, null,
      coalesce((select g.receipt from connector.listings as g
                where g.endpoint_id = v_state.endpoint_id), '{}'),
      date_trunc('minute', now()) + interval '1 minute');
  elsif v_type = 'done' then
    v_is_inherited := connector.has_inherited_listing(v_state);
    select * into v_closed from connector.close_run(v_state);
    select * into v_standing
    from connector.standing(v_state.endpoint_id, v_closed.skipped_message);
    return connector.end_run(v_state, v_standing.status, v_standing.code, v_standing.message,
      v_closed.receipt,
      case when v_is_inherited then now() else connector.scheduled_after_run(
        v_state.endpoint_id,
        -- What was computed from another schedule than the present one is computed anew.
        case when v_state.slice_schedule_version = v_state.schedule_version
          then (p_outcome ->> 'next_cron_at')::timestamptz end) end);
  elsif v_type = 'failed' then
    if p_outcome ->> 'code' = 'cursor_expired' then
      delete from connector.listings as g where g.endpoint_id = v_state.endpoint_id;
      update connector.endpoint_states as s set can_sync_incrementally = false
      where s.endpoint_id = v_state.endpoint_id;
    end if;
    return connector.fail_run(v_state.endpoint_id, p_outcome ->> 'code', p_outcome ->> 'message',
      p_outcome ->> 'remedy', (p_outcome ->> 'retry_after_seconds')::double precision);
  end if;
  raise exception using errcode = 'FC003',
    message = format('Cannot finish a slice with outcome %L: it is not known', v_type),
    hint = 'Use continue, limit_reached, done or failed';
end;
$$;

-- A changed scope moves everything below its old tops: that may take long.
create or replace function public.connector_start_listing(p_lease jsonb, p_start jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
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
  -- The owner may have changed the scope meanwhile, and have found no listing yet to be thrown away.
  if not found then
    perform connector.require_lease(p_lease);
  end if;
  return jsonb_build_object(
    'listing', jsonb_build_object('id', v_listing_id, 'open_tasks', v_tasks, 'is_full', p_start ->> 'sweep' = 'everything'),
    'tasks', connector.open_tasks(v_listing_id, 0, 50));
end;
$$;

create or replace function connector.count_deleted(
  p_state connector.endpoint_states, p_deleted bigint, p_bytes numeric, p_provider_calls bigint
)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      slices_without_progress = 0,
      file_count = s.file_count - p_deleted,
      total_bytes = s.total_bytes - p_bytes
  where s.endpoint_id = p_state.endpoint_id and s.lease_token = p_state.lease_token;
  if not found then
    perform connector.require_lease(jsonb_build_object(
      'endpoint_id', p_state.endpoint_id, 'lease_token', p_state.lease_token));
  end if;
  update public.sync_logs as r
  set files_deleted = r.files_deleted + p_deleted, provider_calls = r.provider_calls + p_provider_calls
  where r.id = p_state.run_id;
end;
$$;

create or replace function connector.return_expired_leases()
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_lost record;
  v_count integer := 0;
begin
  for v_lost in
    select s.endpoint_id, s.lease_token, s.slices_without_progress
    from connector.endpoint_states as s
    join public.endpoints as e on e.id = s.endpoint_id
    where s.lease_token is not null and s.lease_expires_at <= now()
    order by s.endpoint_id
    -- One that its owner is just editing is for the next claim.
    for no key update of e skip locked
    for update of s skip locked
  loop
    v_count := v_count + 1;
    if v_lost.slices_without_progress >= 5 then
      perform connector.fail_run(v_lost.endpoint_id, 'worker_lost',
        'The sync was stopped by the platform five times without getting on (time, CPU or memory); '
        || 'it will be tried again. If it repeats, look at the function''s logs.',
        'retry', null);
    else
      update connector.endpoint_states
      set lease_token = null, lease_expires_at = null, next_run_at = now()
      where endpoint_states.endpoint_id = v_lost.endpoint_id;
    end if;
  end loop;
  return v_count;
end;
$$;

create or replace function connector.fail_run(
  p_endpoint_id uuid, p_code text, p_message text, p_remedy text, p_retry_after_seconds double precision
)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states;
  v_failures integer;
  v_status text;
  v_next timestamptz;
begin
  perform from public.endpoints as e where e.id = p_endpoint_id for no key update;
  select * into strict v_state from connector.endpoint_states as s
  where s.endpoint_id = p_endpoint_id for update;
  v_failures := v_state.consecutive_failures + 1;
  v_status := case when p_remedy = 'retry' then 'failed' else p_remedy end;
  v_next := now() + make_interval(secs => greatest(
    connector.backoff_seconds(v_failures, p_remedy) * (0.5 + random() / 2),
    coalesce(p_retry_after_seconds, 0)));

  update public.sync_logs
  set status = v_status, finished_at = now(), error_code = p_code, error_message = p_message
  where sync_logs.id = v_state.run_id;
  if not found then
    insert into public.sync_logs (
      endpoint_id, status, trigger, mode, finished_at, error_code, error_message)
    values (
      p_endpoint_id, v_status,
      case when v_state.requested_at is null then 'schedule' else 'request' end,
      coalesce(v_state.requested_mode, 'full'), now(), p_code, p_message);
  end if;

  update connector.endpoint_states as s
  set lease_token = null, lease_expires_at = null, run_id = null, slices_without_progress = 0,
      consecutive_failures = v_failures,
      needs_planning = false,
      -- A sync asked for meanwhile starts at the next tick. One that could not even be begun is still
      -- asked for, and waits like any other that failed.
      next_run_at = case
        when s.requested_at is not null and v_state.run_id is not null then s.requested_at
        else v_next end
  where s.endpoint_id = p_endpoint_id
  returning s.next_run_at into v_next;

  update public.endpoints
  set last_sync_status = case when v_status = 'failed' and v_failures >= 5 then 'paused' else v_status end,
      last_sync_at = now(), last_error_code = p_code, last_error_message = p_message
  where endpoints.id = p_endpoint_id;
  return jsonb_build_object('status', v_status, 'next_run_at', v_next);
end;
$$;

create or replace function public.connector_release(p_leases jsonb, p_code text, p_message text)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_remedy text;
  v_lease record;
  v_count integer := 0;
begin
  select c.remedy into v_remedy from connector.failure_codes as c where c.failure_code = p_code;
  for v_lease in
    select l.endpoint_id, l.lease_token
    from jsonb_to_recordset(p_leases) as l (endpoint_id uuid, lease_token uuid)
    order by l.endpoint_id
  loop
    continue when not connector.try_lease(v_lease.endpoint_id, v_lease.lease_token);
    perform connector.fail_run(
      v_lease.endpoint_id, p_code, p_message, coalesce(v_remedy, 'retry'), null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

create or replace function public.connector_begin_slice(p_leases jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_lease record;
  v_contexts jsonb := '[]'::jsonb;
  v_context jsonb;
begin
  for v_lease in
    select l.endpoint_id, l.lease_token
    from jsonb_to_recordset(p_leases) as l (endpoint_id uuid, lease_token uuid)
    order by l.endpoint_id
  loop
    continue when not connector.try_lease(v_lease.endpoint_id, v_lease.lease_token);
    perform connector.begin_run(v_lease.endpoint_id);
    -- The schedule that the worker is told of, and computes the next run from.
    update connector.endpoint_states as s set slice_schedule_version = s.schedule_version
    where s.endpoint_id = v_lease.endpoint_id;
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
        'access_token', t.access_token, 'token_type', t.token_type, 'expires_at', t.expires_at,
        'grant_type', t.grant_type, 'generation', t.generation) end,
      'needs_grant', s.needs_grant
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

create or replace function connector.supersede_run(p_endpoint_id uuid, p_message text)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  perform from connector.endpoint_states as s where s.endpoint_id = p_endpoint_id for update;
  update public.sync_logs
  set status = 'partial', finished_at = now(), error_code = 'superseded', error_message = p_message
  where sync_logs.endpoint_id = p_endpoint_id and sync_logs.status = 'running';
  update connector.endpoint_states
  set lease_token = null, lease_expires_at = null, run_id = null, slices_without_progress = 0
  where endpoint_states.endpoint_id = p_endpoint_id;
end;
$$;
