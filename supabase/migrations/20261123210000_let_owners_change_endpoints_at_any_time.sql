-- Purpose:  an owner may remove an endpoint, or change its scope, while its sync writes: the lease is checked
--           under locks that both sides take first, so that neither waits for the other in a circle.
-- Depends:  20261122112700_let_go_of_another_config.sql, 20261123170000_let_no_lost_lease_write.sql,
--           20261123170100_keep_due_what_is_due.sql
-- Rollback: create connector.require_lease(jsonb), connector.note_config_change(),
--           public.connector_start_listing(jsonb, jsonb), public.connector_open_tasks(jsonb, bigint, integer)
--           and public.connector_plan_schedules(jsonb) as they were; drop function
--           connector.check_lease(jsonb).
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

-- The same, for who writes. Two locks are held to the end of the transaction, in this order and after the
-- endpoint's own (7002):
-- 7003, shared, against a change of the scope: it begins with the endpoint's state and goes on to the
-- listing, while a writer begins with the listing and ends with the state. A lock of its own, since it is
-- waited for in turn: writers that overlap do not keep the owner waiting.
-- The endpoint's row, against removal: that would hold the row, which everything written needs, and wait
-- for what is written already.
create or replace function connector.require_lease(p_lease jsonb)
returns connector.endpoint_states
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock_shared(
    7003, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  perform from public.endpoints as e
  where e.id = (p_lease ->> 'endpoint_id')::uuid for key share;
  return connector.check_lease(p_lease);
end;
$$;

-- Definer: it keeps the machinery's own table, which an owner may not write. It comes before the
-- trigger that notes that the scope changed, and before everything else that a change of scope locks.
create or replace function connector.note_config_change()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(7003, hashtext(new.id::text));
  update connector.endpoint_states as s
  set is_config_changed = (s.is_config_changed and s.is_scope_changed)
    or (new.endpoint_type, new.project_id, new.endpoint_config)
      is distinct from (old.endpoint_type, old.project_id, old.endpoint_config)
  where s.endpoint_id = new.id;
  return new;
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

-- Opens a listing; the endpoint's own lock comes first, as everywhere.
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
