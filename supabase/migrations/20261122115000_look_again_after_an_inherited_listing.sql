-- Purpose:  a run that only ended an earlier run's listing is followed at once by one that looks again.
-- Depends:  20261122101400_create_finishing.sql
-- Rollback: create public.connector_finish_slice(jsonb, jsonb) as it was; drop function
--           connector.has_inherited_listing(connector.endpoint_states);
set lock_timeout = '10s';

-- Whether the open listing was begun by an earlier run, which failed or reached its limit, and no feed
-- tells what has changed since: what the listing read then, this run has not looked at.
create function connector.has_inherited_listing(p_state connector.endpoint_states)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select exists (
    select from connector.listings as g
    join public.sync_logs as r on r.id = p_state.run_id
    where g.endpoint_id = p_state.endpoint_id and g.started_at < r.started_at
      and not exists (
        select from connector.feeds as d where d.endpoint_id = p_state.endpoint_id));
$$;

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
  v_state := connector.require_lease(p_lease);
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
        v_state.endpoint_id, (p_outcome ->> 'next_cron_at')::timestamptz) end);
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

revoke execute on function connector.has_inherited_listing(connector.endpoint_states)
from public, anon, authenticated, service_role;
grant execute on function connector.has_inherited_listing(connector.endpoint_states) to service_role;
