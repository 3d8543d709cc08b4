-- Purpose:  what people see of it all: endpoint_overview and sync_status() for owners, and the
--           scheduler's health for the health function.
-- Depends:  20261122101500_create_tick.sql
-- Rollback: drop view public.endpoint_overview cascade; drop function public.connector_health();

-- Invoker rights: each reader sees their own endpoints only, by the policies of the tables below.
create view public.endpoint_overview
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
    when e.last_sync_status = 'needs_reauthorization' then 'Needs reauthorization'
    when t.id is null then 'No Token'
    when t.expires_at > now() then 'Valid'
    else 'Expired'
  end as token_status,
  t.expires_at as token_expires_at,
  e.last_error_code,
  e.last_error_message
from public.endpoints as e
join connector.endpoint_states as s on s.endpoint_id = e.id
left join public.oauth_tokens as t on t.endpoint_id = e.id and t.is_active;
comment on view public.endpoint_overview is
  'One line per endpoint: schedule, last sync, file counts, and the state (never the value) of its token.';
revoke all on table public.endpoint_overview from public, anon, authenticated, service_role;
grant select on table public.endpoint_overview to authenticated, service_role;

create function public.sync_status(p_limit integer default 100)
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
comment on function public.sync_status(integer) is
  'Totals, backlog, the first p_limit endpoints by name and the last errors: the caller''s own, or all for the service role.';
revoke execute on function public.sync_status(integer) from public, anon, authenticated, service_role;
grant execute on function public.sync_status(integer) to authenticated, service_role;

create function public.connector_health()
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select jsonb_build_object(
    'last_tick_at', s.last_tick_at,
    'last_tick_age_seconds', extract(epoch from now() - s.last_tick_at))
  from connector.scheduler as s;
$$;
comment on function public.connector_health() is 'The scheduler''s heartbeat, for the health function.';
revoke execute on function public.connector_health() from public, anon, authenticated, service_role;
grant execute on function public.connector_health() to service_role;
