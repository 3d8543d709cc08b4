-- Purpose:  how the last hour went: lag, throughput, errors by code, tokens, and the provider's quotas;
--           and endpoint_overview says when a grant has ended.
-- Depends:  20261122113300_use_grants.sql
-- Rollback: create the functions and the view as they were; drop function connector.last_hour(),
--           public.connector_quotas(); alter table public.sync_logs drop column due_at;
set lock_timeout = '10s';

alter table public.sync_logs add column due_at timestamptz;
comment on column public.sync_logs.due_at is
  'When the run was to begin; how late it began is started_at - due_at.';

-- Opens a run, or goes on with the open one, for an endpoint whose lease the caller holds.
create or replace function connector.begin_run(p_endpoint_id uuid)
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
    insert into public.sync_logs (endpoint_id, trigger, mode, slices, due_at)
    values (
      p_endpoint_id, case when v_state.requested_at is null then 'schedule' else 'request' end,
      v_mode, 1, v_state.next_run_at)
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

-- What the caller's runs of the last hour did. Lag is how long after its time a run began.
create function connector.last_hour()
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  with runs as (
    select r.status, r.error_code, r.files_seen, r.files_added, r.files_updated, r.files_deleted,
      r.provider_calls, r.slices, e.endpoint_type,
      extract(epoch from r.started_at - r.due_at) as lag_seconds,
      extract(epoch from r.finished_at - r.started_at) as run_seconds
    from public.sync_logs as r
    join public.endpoints as e on e.id = r.endpoint_id
    where r.finished_at > now() - interval '1 hour'
  )
  select jsonb_build_object(
    'runs', count(*),
    'runs_by_status', coalesce((
      select jsonb_object_agg(n.status, n.runs)
      from (select runs.status, count(*) as runs from runs group by runs.status) as n), '{}'),
    'errors', coalesce((
      select jsonb_object_agg(n.error_code, n.runs)
      from (select runs.error_code, count(*) as runs from runs
            where runs.error_code is not null group by runs.error_code) as n), '{}'),
    'provider_calls', coalesce((
      select jsonb_object_agg(n.endpoint_type, n.calls)
      from (select runs.endpoint_type, sum(runs.provider_calls) as calls
            from runs group by runs.endpoint_type) as n), '{}'),
    'files_seen', coalesce(sum(runs.files_seen), 0),
    'files_added', coalesce(sum(runs.files_added), 0),
    'files_updated', coalesce(sum(runs.files_updated), 0),
    'files_deleted', coalesce(sum(runs.files_deleted), 0),
    'slices', coalesce(sum(runs.slices), 0),
    'lag_seconds', jsonb_build_object(
      'p50', percentile_cont(0.5) within group (order by runs.lag_seconds),
      'p95', percentile_cont(0.95) within group (order by runs.lag_seconds),
      'max', max(runs.lag_seconds)),
    'run_seconds', jsonb_build_object(
      'p50', percentile_cont(0.5) within group (order by runs.run_seconds),
      'p95', percentile_cont(0.95) within group (order by runs.run_seconds),
      'max', max(runs.run_seconds)))
  from runs;
$$;
comment on function connector.last_hour() is
  'Runs of the last hour that the caller may see: counts, errors by code, lag and duration.';
revoke execute on function connector.last_hour() from public, anon, authenticated, service_role;
grant execute on function connector.last_hour() to authenticated, service_role;

-- Invoker rights: each reader sees their own endpoints only, by the policies of the tables below.
create or replace view public.endpoint_overview
with (security_invoker = true)
as
select
  e.id,
  e.name,
  e.endpoint_type,
  e.user_id,
  e.enabled,
  e.last_sync_status,
  e.last_sync_at,
  s.next_run_at as next_sync_at,
  s.lease_expires_at is not null as is_running,
  s.file_count as files,
  s.total_bytes as bytes,
  case
    when e.last_sync_status = 'needs_reauthorization' or t.needs_reauthorization_at is not null
      then 'Needs reauthorization'
    when t.id is null then 'No Token'
    when t.expires_at > now() then 'Valid'
    else 'Expired'
  end as token_status,
  t.expires_at as token_expires_at,
  e.last_error_code,
  e.last_error_message,
  t.refresh_by
from public.endpoints as e
join connector.endpoint_states as s on s.endpoint_id = e.id
left join public.oauth_tokens as t on t.endpoint_id = e.id and t.is_active;

create or replace function public.sync_status(p_limit integer default 100)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select jsonb_build_object(
    'generated_at', now(),
    'scheduler', (select jsonb_build_object('last_tick_at', scheduler.last_tick_at)
                  from connector.scheduler),
    'totals', jsonb_build_object(
      'endpoints', count(*), 'files', coalesce(sum(o.files), 0),
      'bytes', coalesce(sum(o.bytes), 0)::text),
    'running', count(*) filter (where o.is_running),
    'due', count(*) filter (where o.next_sync_at <= now() and not o.is_running),
    'backlog_seconds', coalesce(extract(epoch from
      now() - min(o.next_sync_at) filter (where o.next_sync_at <= now() and not o.is_running)), 0),
    'by_status', coalesce((
      select jsonb_object_agg(n.last_sync_status, n.endpoints)
      from (select e.last_sync_status, count(*) as endpoints
            from public.endpoints as e group by e.last_sync_status) as n), '{}'),
    'tokens', (
      select jsonb_build_object(
        'by_status', coalesce(jsonb_object_agg(n.token_status, n.endpoints), '{}'),
        'next_end_of_grant', min(n.next_end))
      from (select v.token_status, count(*) as endpoints, min(v.refresh_by) as next_end
            from public.endpoint_overview as v group by v.token_status) as n),
    'last_hour', connector.last_hour(),
    'endpoints', coalesce((
      select jsonb_agg(to_jsonb(l) - 'user_id' order by l.name, l.id)
      from (select * from public.endpoint_overview as v
            order by v.name, v.id limit greatest(p_limit, 0)) as l), '[]'),
    'errors', coalesce((
      select jsonb_agg(to_jsonb(r))
      from (select l.endpoint_id, l.id as run_id, l.finished_at, l.error_code, l.error_message
            from public.sync_logs as l
            where l.error_code is not null
            order by l.finished_at desc limit 20) as r), '[]')
  )
  from public.endpoint_overview as o;
$$;

-- The quotas that all workers share. For operators alone: their names hold ids of accounts.
create function public.connector_quotas(p_limit integer default 100)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'bucket', l.bucket,
    'units_per_minute', l.units_per_minute,
    'units_left', least(l.units_per_minute / 4,
      l.units + extract(epoch from now() - l.refilled_at) * l.units_per_minute * 0.75 / 60),
    'blocked_seconds', greatest(extract(epoch from l.blocked_until - now()), 0))
    order by l.refilled_at desc), '[]')
  from (select * from connector.rate_limits as r order by r.refilled_at desc limit p_limit) as l;
$$;
comment on function public.connector_quotas(integer) is
  'The latest used quotas: how much may be called at once now, and whether a provider asked to wait.';
revoke execute on function public.connector_quotas(integer)
  from public, anon, authenticated, service_role;
grant execute on function public.connector_quotas(integer) to service_role;
