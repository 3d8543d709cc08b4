-- Purpose:  an owner may remove an endpoint while its sync writes: whoever writes for an endpoint locks the
--           endpoint first, so that neither of the two waits for the other in a circle.
-- Depends:  20261123170000_let_no_lost_lease_write.sql, 20261123170100_keep_due_what_is_due.sql
-- Rollback: create connector.require_lease(jsonb), public.connector_open_tasks(jsonb, bigint, integer) and
--           public.connector_plan_schedules(jsonb) as they were; drop function connector.check_lease(jsonb).
set lock_timeout = '10s';

-- The endpoint's state, for who only reads; refuses a lease that is gone.
create function connector.check_lease(p_lease jsonb)
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

-- The same, for who writes. Every row with an endpoint's id needs the endpoint to stay until the end of the
-- transaction. Without the lock a removal could come in between: it would hold the endpoint and wait for
-- rows written already, and the writer for the endpoint.
create or replace function connector.require_lease(p_lease jsonb)
returns connector.endpoint_states
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  perform from public.endpoints as e
  where e.id = (p_lease ->> 'endpoint_id')::uuid for key share;
  return connector.check_lease(p_lease);
end;
$$;

-- Open tasks of a leased endpoint after the given id, for a worker whose queue ran low.
create or replace function public.connector_open_tasks(p_lease jsonb, p_after_id bigint, p_limit integer)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states := connector.check_lease(p_lease);
begin
  return (
    select coalesce(connector.open_tasks(max(listings.id), p_after_id, p_limit), '[]')
    from connector.listings where listings.endpoint_id = v_state.endpoint_id);
end;
$$;

create or replace function public.connector_plan_schedules(p_plans jsonb)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_count integer;
begin
  -- Those that will be written to come before their states, as with everybody else.
  perform from public.endpoints as e
  where e.id in (
    select p.endpoint_id from jsonb_to_recordset(p_plans) as p (endpoint_id uuid, error text)
    where p.error is not null)
  order by e.id for no key update;
  -- The version fences a plan for a schedule that was edited meanwhile.
  with planned as (
    update connector.endpoint_states as s
    set needs_planning = false,
        next_run_at = coalesce(s.requested_at, least(s.next_run_at, p.next_run_at))
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

revoke execute on function connector.check_lease(jsonb) from public, anon, authenticated, service_role;
grant execute on function connector.check_lease(jsonb) to service_role;
