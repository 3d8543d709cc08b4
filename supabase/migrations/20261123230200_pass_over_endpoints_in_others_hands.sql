-- Purpose:  who works for many owners at once waits for none of them: an endpoint that its owner is
--           removing or editing is passed over and stays due, so that one long removal does not hold up
--           the others of a batch.
-- Depends:  20261122101000_create_claiming.sql, 20261123170000_let_no_lost_lease_write.sql,
--           20261123210000_let_owners_change_endpoints_at_any_time.sql
-- Rollback: create connector.try_lease(uuid, uuid),
--           public.connector_claim(integer, integer, text), public.connector_plan_schedules(jsonb) and
--           public.connector_start_listing(jsonb, jsonb) as they were.
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

-- Opens a listing. The run comes after the endpoint's state, as with everybody who ends a run.
create or replace function public.connector_start_listing(p_lease jsonb, p_start jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_listing_id bigint;
  v_former_roots text[];
  v_roots record;
  v_tasks integer;
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
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
  update connector.endpoint_states as s
  set lease_expires_at = clock_timestamp() + interval '120 seconds',
      is_listing_requested = false,
      scope_is_tree = (p_start ->> 'is_tree')::boolean,
      provider_memory = nullif(p_start -> 'memory', 'null'::jsonb)
  where s.endpoint_id = v_state.endpoint_id and s.lease_token = v_state.lease_token;
  -- The owner may have ended the run meanwhile.
  if not found then
    perform connector.require_lease(p_lease);
  end if;
  update public.sync_logs
  set mode = case when p_start ->> 'sweep' = 'everything' then 'full' else mode end,
      provider_calls = provider_calls + coalesce((p_start ->> 'provider_calls')::bigint, 0)
  where sync_logs.id = v_state.run_id;
  return jsonb_build_object(
    'listing', jsonb_build_object('id', v_listing_id, 'open_tasks', v_tasks, 'is_full', p_start ->> 'sweep' = 'everything'),
    'tasks', connector.open_tasks(v_listing_id, 0, 50));
end;
$$;
