-- Purpose:  who works for many owners at once waits for none of them: an endpoint that its owner is
--           removing or editing is passed over and stays due, so that one long removal does not hold up
--           the others of a batch.
-- Depends:  20261122101000_create_claiming.sql, 20261123170000_let_no_lost_lease_write.sql
-- Rollback: create connector.try_lease(uuid, uuid),
--           public.connector_claim(integer, integer, text) and public.connector_plan_schedules(jsonb)
--           as they were.
set lock_timeout = '10s';

-- The lease, held until the end of the transaction, for who takes several. False also while somebody
-- else has the endpoint: its owner, or a worker that still writes though its lease is gone. A lease that
-- is not taken lapses, and what was to be done is done by the next holder.
create or replace function connector.try_lease(p_endpoint_id uuid, p_lease_token uuid)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  if not pg_catalog.pg_try_advisory_xact_lock(7002, hashtext(p_endpoint_id::text)) then
    return false;
  end if;
  perform from public.endpoints as e
  where e.id = p_endpoint_id for no key update skip locked;
  if not found then
    return false;
  end if;
  perform from connector.endpoint_states as s
  where s.endpoint_id = p_endpoint_id and s.lease_token = p_lease_token for update skip locked;
  return found;
end;
$$;

create or replace function public.connector_claim(
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
  first_due as (
    select due.* from due
    order by due.turn, due.next_run_at, due.endpoint_id limit greatest(v_free, 0) + 1000
  ),
  picked as (
    select s.endpoint_id
    from first_due
    join connector.endpoint_states as s on s.endpoint_id = first_due.endpoint_id
    join public.endpoints as e on e.id = s.endpoint_id
    where s.lease_token is null and s.next_run_at <= now()
    order by first_due.turn, first_due.next_run_at, first_due.endpoint_id
    limit greatest(v_free, 0)
    -- What its owner has in hand could not be begun: of the next thousand the first comes in its place.
    for no key update of e skip locked
    for update of s skip locked
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

create or replace function public.connector_plan_schedules(p_plans jsonb)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_count integer;
begin
  -- The version fences a plan for a schedule that was edited meanwhile. One that is being edited is
  -- planned the next time.
  with held as (
    select s.endpoint_id, p.next_run_at, p.error
    from jsonb_to_recordset(p_plans) as p (
      endpoint_id uuid, schedule_version integer, next_run_at timestamptz, error text)
    join connector.endpoint_states as s on s.endpoint_id = p.endpoint_id
    join public.endpoints as e on e.id = s.endpoint_id
    where s.needs_planning and s.schedule_version = p.schedule_version
    for no key update of e skip locked
    for update of s skip locked
  ),
  planned as (
    update connector.endpoint_states as s
    set needs_planning = false,
        next_run_at = coalesce(s.requested_at, least(s.next_run_at, held.next_run_at))
    from held
    where s.endpoint_id = held.endpoint_id
    returning s.endpoint_id, held.error
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
