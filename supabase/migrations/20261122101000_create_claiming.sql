-- Purpose:  leases: who may work on which endpoint, and how due endpoints are handed out.
-- Depends:  20261122100700_create_listings.sql
-- Rollback: drop the functions below.
--
-- Advisory locks used by this schema, by their first key: 7001 the claim, 7002 one endpoint's pages.

-- Returns the leases of workers that died, and ends runs that die again and again without progress.
create function connector.return_expired_leases()
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
    where s.lease_token is not null and s.lease_expires_at <= now()
    order by s.endpoint_id
    for update skip locked
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

-- The wait after the n-th failure in a row, before jitter.
create function connector.backoff_seconds(p_failures integer, p_remedy text)
returns double precision
language sql immutable security invoker set search_path = ''
as $$
  select case
    -- A person must act: look again now and then, in case it was mended elsewhere.
    when p_remedy = 'needs_reauthorization' then 86400
    when p_remedy = 'needs_attention' then least(900 * 2 ^ least(p_failures - 1, 20), 86400)
    -- Paused: probe at growing intervals.
    when p_failures >= 5 then least(900 * 2 ^ least(p_failures - 5, 20), 21600)
    else least(30 * 2 ^ least(p_failures - 1, 20), 3600)
  end;
$$;

-- Ends the open run as failed (recording one if the failure came before it began), backs off, and
-- gives the lease back. The listing and its tasks stay: the next run goes on from there.
create function connector.fail_run(
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
      -- A sync asked for meanwhile starts at the next tick; the one that failed has been answered.
      next_run_at = case
        when s.requested_at is not null and v_state.run_id is not null then s.requested_at
        else v_next end,
      requested_at = case when v_state.run_id is null then null else s.requested_at end,
      requested_mode = case when v_state.run_id is null then null else s.requested_mode end
  where s.endpoint_id = p_endpoint_id
  returning s.next_run_at into v_next;

  update public.endpoints
  set last_sync_status = case when v_status = 'failed' and v_failures >= 5 then 'paused' else v_status end,
      last_sync_at = now(), last_error_code = p_code, last_error_message = p_message
  where endpoints.id = p_endpoint_id;
  return jsonb_build_object('status', v_status, 'next_run_at', v_next);
end;
$$;

-- Hands out due endpoints: the oldest first, but one turn for each user before anybody's second
-- (running syncs count as turns taken).
create function public.connector_claim(
  p_max_concurrent integer, p_batch integer, p_endpoint_type text default null
)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_free integer;
  v_claims jsonb;
begin
  -- One claim at a time in the whole system: the bound below is on a count, which no row lock holds.
  perform pg_catalog.pg_advisory_xact_lock(7001, 0);
  perform connector.return_expired_leases();
  select least(p_batch, p_max_concurrent - count(*)) into v_free
  from connector.endpoint_states as s where s.lease_token is not null;

  with running as (
    select s.user_id, count(*) as turns
    from connector.endpoint_states as s where s.lease_token is not null group by s.user_id
  ),
  due as (
    select s.endpoint_id, s.next_run_at,
           coalesce(running.turns, 0)
             + row_number() over (partition by s.user_id order by s.next_run_at, s.endpoint_id) as turn
    from connector.endpoint_states as s
    left join running using (user_id)
    where s.lease_token is null and s.next_run_at <= now()
      and (p_endpoint_type is null or s.endpoint_type = p_endpoint_type)
  ),
  picked as (
    select s.endpoint_id
    from connector.endpoint_states as s
    where s.endpoint_id in (
      select due.endpoint_id from due
      order by due.turn, due.next_run_at, due.endpoint_id limit greatest(v_free, 0)
    )
      and s.lease_token is null and s.next_run_at <= now()
    order by s.endpoint_id
    for update skip locked
  ),
  claimed as (
    update connector.endpoint_states as s
    set lease_token = gen_random_uuid(), lease_expires_at = clock_timestamp() + interval '120 seconds'
    from picked
    where s.endpoint_id = picked.endpoint_id
    returning s.endpoint_id, s.endpoint_type, s.lease_token,
      s.last_listing_completed_at is null
        or exists (select from connector.listings where listings.endpoint_id = s.endpoint_id) as is_heavy
  )
  select coalesce(jsonb_agg(to_jsonb(claimed)), '[]') into v_claims from claimed;

  return jsonb_build_object(
    'claims', v_claims,
    'more_due', exists (
      select from connector.endpoint_states as s
      where s.lease_token is null and s.next_run_at <= now()
        and (p_endpoint_type is null or s.endpoint_type = p_endpoint_type)));
end;
$$;
comment on function public.connector_claim(integer, integer, text) is
  'Leases due endpoints to the caller: at most p_batch, and never more leases in all than p_max_concurrent.';

-- The state of an endpoint whose lease the caller holds; raises FC001 when it holds it no longer.
create function connector.require_lease(p_lease jsonb)
returns connector.endpoint_states
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states;
begin
  select * into v_state from connector.endpoint_states as s
  where s.endpoint_id = (p_lease ->> 'endpoint_id')::uuid
    and s.lease_token = (p_lease ->> 'lease_token')::uuid;
  if not found then
    raise exception using errcode = 'FC001',
      message = 'Cannot go on with this sync: its lease is gone',
      hint = 'Another worker has the endpoint, or it was changed; write nothing more';
  end if;
  return v_state;
end;
$$;

create function public.connector_renew_lease(p_lease jsonb)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds'
  where s.endpoint_id = (p_lease ->> 'endpoint_id')::uuid
    and s.lease_token = (p_lease ->> 'lease_token')::uuid;
  return found;
end;
$$;
comment on function public.connector_renew_lease(jsonb) is
  'Extends a lease; false when it is lost.';

create function public.connector_release(p_leases jsonb, p_code text, p_message text)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_endpoint_id uuid;
  v_count integer := 0;
begin
  for v_endpoint_id in
    select s.endpoint_id
    from jsonb_to_recordset(p_leases) as l (endpoint_id uuid, lease_token uuid)
    join connector.endpoint_states as s
      on s.endpoint_id = l.endpoint_id and s.lease_token = l.lease_token
    order by s.endpoint_id
  loop
    perform connector.fail_run(v_endpoint_id, p_code, p_message, 'retry', null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function public.connector_release(jsonb, text, text) is
  'Gives back leases whose work could not be started, with the reason; they are tried again with back-off.';

create function public.connector_unplanned_schedules(p_limit integer)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select coalesce(jsonb_agg(to_jsonb(u)), '[]')
  from (
    select s.endpoint_id, e.schedule_cron, e.timezone, s.schedule_version
    from connector.endpoint_states as s
    join public.endpoints as e on e.id = s.endpoint_id
    where s.needs_planning
    order by s.endpoint_id
    limit p_limit
  ) as u;
$$;
comment on function public.connector_unplanned_schedules(integer) is
  'Cron schedules whose next run is to be computed.';

create function public.connector_plan_schedules(p_plans jsonb)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_count integer;
begin
  -- The version fences a plan for a schedule that was edited meanwhile.
  with planned as (
    update connector.endpoint_states as s
    set needs_planning = false, next_run_at = coalesce(s.requested_at, p.next_run_at)
    from jsonb_to_recordset(p_plans) as p (
      endpoint_id uuid, schedule_version integer, next_run_at timestamptz, error text)
    where s.endpoint_id = p.endpoint_id
      and s.needs_planning and s.schedule_version = p.schedule_version
    returning s.endpoint_id, p.error
  ),
  refused as (
    update public.endpoints as e
    set last_sync_status = 'needs_attention', last_error_code = 'schedule_invalid',
        last_error_message = planned.error
    from planned
    where e.id = planned.endpoint_id and planned.error is not null
  )
  select count(*) into v_count from planned;
  return v_count;
end;
$$;
comment on function public.connector_plan_schedules(jsonb) is
  'Stores the next runs computed for connector_unplanned_schedules(); returns how many it took.';

revoke execute on function
  connector.return_expired_leases(),
  connector.backoff_seconds(integer, text),
  connector.fail_run(uuid, text, text, text, double precision),
  connector.require_lease(jsonb),
  public.connector_claim(integer, integer, text),
  public.connector_renew_lease(jsonb),
  public.connector_release(jsonb, text, text),
  public.connector_unplanned_schedules(integer),
  public.connector_plan_schedules(jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.return_expired_leases(),
  connector.backoff_seconds(integer, text),
  connector.fail_run(uuid, text, text, text, double precision),
  connector.require_lease(jsonb),
  public.connector_claim(integer, integer, text),
  public.connector_renew_lease(jsonb),
  public.connector_release(jsonb, text, text),
  public.connector_unplanned_schedules(integer),
  public.connector_plan_schedules(jsonb)
to service_role;
