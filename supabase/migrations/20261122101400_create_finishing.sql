-- Purpose:  how a slice ends: more to do, bound reached, all done, or failed.
-- Depends:  20261122101300_create_sweeping.sql
-- Rollback: drop the functions below.

-- When an endpoint runs next, after a run that ended well.
create function connector.scheduled_after_run(p_endpoint_id uuid, p_next_cron_at timestamptz)
returns timestamptz
language sql stable security invoker set search_path = ''
as $$
  select case
    when s.requested_at is not null then s.requested_at
    when e.schedule_type = 'interval'
      then connector.next_interval_at(s.schedule_anchor_at, e.interval_minutes, now())
    when e.schedule_type = 'cron' then p_next_cron_at
  end
  from connector.endpoint_states as s
  join public.endpoints as e on e.id = s.endpoint_id
  where s.endpoint_id = p_endpoint_id;
$$;

-- Ends the open run with a status that is not a failure, and gives the lease back.
create function connector.end_run(
  p_state connector.endpoint_states, p_status text, p_code text, p_message text,
  p_receipt jsonb, p_next_run_at timestamptz
)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  update public.sync_logs
  set status = p_status, finished_at = now(), error_code = p_code, error_message = p_message,
      receipt = p_receipt
  where sync_logs.id = p_state.run_id;
  update connector.endpoint_states as s
  set lease_token = null, lease_expires_at = null, run_id = null,
      slices_without_progress = 0, consecutive_failures = 0,
      next_run_at = p_next_run_at,
      needs_planning = p_next_run_at is null and e.schedule_type = 'cron'
  from public.endpoints as e
  where s.endpoint_id = p_state.endpoint_id and e.id = s.endpoint_id;
  update public.endpoints
  set last_sync_status = p_status, last_sync_at = now(),
      last_error_code = p_code, last_error_message = p_message
  where endpoints.id = p_state.endpoint_id;
  return jsonb_build_object('status', p_status, 'next_run_at', p_next_run_at);
end;
$$;

-- Closes the listing: places what hangs below unseen folders, and promotes the parked feed position
-- if nothing was skipped. Returns the receipt, and what was skipped in a sentence.
create function connector.close_listing(
  p_endpoint_id uuid, out receipt jsonb, out skipped_message text
)
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_listing connector.listings;
begin
  select * into v_listing from connector.listings as g where g.endpoint_id = p_endpoint_id for update;
  if not found or v_listing.open_tasks > 0 then
    raise exception using errcode = 'FC002',
      message = format('Cannot close a listing with open tasks: %s are open', v_listing.open_tasks);
  end if;
  perform connector.place_orphans(p_endpoint_id);
  select format('%s part(s) of the scope could not be read, first: %s',
           count(*), min(k.message)),
         v_listing.receipt || jsonb_build_object('subtrees_skipped', count(*))
  into skipped_message, receipt
  from connector.skipped_subtrees as k where k.listing_id = v_listing.id;
  if (receipt ->> 'subtrees_skipped')::bigint = 0 then
    skipped_message := null;
    update connector.endpoint_states as s
    set feed_cursor = v_listing.parked_cursor, last_listing_completed_at = now()
    where s.endpoint_id = p_endpoint_id;
  end if;
  delete from connector.listings as g where g.id = v_listing.id;
end;
$$;

create function public.connector_finish_slice(p_lease jsonb, p_outcome jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = '' set statement_timeout = '60s'
as $$
declare
  v_state connector.endpoint_states;
  v_type text := p_outcome ->> 'type';
  v_closed record;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  update public.sync_logs
  set provider_calls = provider_calls + coalesce((p_outcome ->> 'provider_calls')::bigint, 0)
  where sync_logs.id = v_state.run_id;

  if v_type = 'continue' and v_state.slices_without_progress < 5 then
    update connector.endpoint_states as s
    set lease_token = null, lease_expires_at = null, next_run_at = now()
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
    select * into v_closed from connector.close_listing(v_state.endpoint_id);
    return connector.end_run(v_state,
      case when v_closed.skipped_message is null then 'completed' else 'partial' end,
      case when v_closed.skipped_message is not null then 'listing_incomplete' end,
      v_closed.skipped_message, v_closed.receipt,
      connector.scheduled_after_run(
        v_state.endpoint_id, (p_outcome ->> 'next_cron_at')::timestamptz));
  elsif v_type = 'failed' then
    if p_outcome ->> 'code' = 'cursor_expired' then
      delete from connector.listings as g where g.endpoint_id = v_state.endpoint_id;
    end if;
    return connector.fail_run(v_state.endpoint_id, p_outcome ->> 'code', p_outcome ->> 'message',
      p_outcome ->> 'remedy', (p_outcome ->> 'retry_after_seconds')::double precision);
  end if;
  raise exception using errcode = 'FC003',
    message = format('Cannot finish a slice with outcome %L: it is not known', v_type),
    hint = 'Use continue, limit_reached, done or failed';
end;
$$;
comment on function public.connector_finish_slice(jsonb, jsonb) is
  'Ends a slice and gives its lease back; ends the run too, unless more is to be done at once.';

revoke execute on function
  connector.scheduled_after_run(uuid, timestamptz),
  connector.end_run(connector.endpoint_states, text, text, text, jsonb, timestamptz),
  connector.close_listing(uuid),
  public.connector_finish_slice(jsonb, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.scheduled_after_run(uuid, timestamptz),
  connector.end_run(connector.endpoint_states, text, text, text, jsonb, timestamptz),
  connector.close_listing(uuid),
  public.connector_finish_slice(jsonb, jsonb)
to service_role;
