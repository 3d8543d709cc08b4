-- Purpose:  when an endpoint is due, who is working on it, and what an edit of it means.
-- Depends:  20261122100500_create_sync_logs.sql
-- Rollback: drop table connector.endpoint_states, connector.scheduler cascade;
create table connector.scheduler (
  is_only_row boolean primary key default true
    constraint scheduler_is_only_row_check check (is_only_row),
  last_tick_at timestamptz,
  last_dispatch_at timestamptz
);
comment on table connector.scheduler is 'The heartbeat of connector.tick(); one row.';
insert into connector.scheduler default values;

create table connector.endpoint_states (
  endpoint_id uuid primary key references public.endpoints (id) on delete cascade,
  user_id uuid not null,
  endpoint_type text not null,
  next_run_at timestamptz,
  needs_planning boolean not null default false,
  schedule_version integer not null default 1,
  schedule_anchor_at timestamptz not null default now(),
  requested_at timestamptz,
  requested_mode text
    constraint endpoint_states_requested_mode_check check (requested_mode in ('incremental', 'full')),
  lease_token uuid,
  lease_expires_at timestamptz,
  run_id uuid references public.sync_logs (id) on delete set null,
  slices_without_progress integer not null default 0,
  consecutive_failures integer not null default 0,
  can_sync_incrementally boolean not null default false,
  scope_is_tree boolean not null default false,
  is_listing_requested boolean not null default false,
  is_scope_changed boolean not null default false,
  are_deletions_approved boolean not null default false,
  owes_sweep boolean not null default false,
  held_deletions bigint,
  provider_memory jsonb,
  last_listing_completed_at timestamptz,
  file_count bigint not null default 0,
  total_bytes numeric not null default 0,
  constraint endpoint_states_lease_check
    check ((lease_token is null) = (lease_expires_at is null))
);
comment on table connector.endpoint_states is
  'The machinery''s side of an endpoint: schedule, lease, open run, position in the change feed.';
comment on column connector.endpoint_states.next_run_at is
  'Due from this instant on; null: nothing is planned (manual, disabled, or a cron schedule to be planned).';
comment on column connector.endpoint_states.needs_planning is
  'A cron schedule whose next run the dispatcher must compute.';
comment on column connector.endpoint_states.schedule_anchor_at is
  'Intervals are counted from here, so that they do not drift.';
comment on column connector.endpoint_states.lease_token is
  'Whoever holds this token works on the endpoint; every write names it.';
comment on column connector.endpoint_states.scope_is_tree is
  'The scope is what hangs below its roots: an item whose parent is not below one is outside.';
comment on column connector.endpoint_states.is_listing_requested is
  'A full sync was asked for and its listing has not begun yet: a run that fails before that does not use the request up.';
comment on column connector.endpoint_states.is_scope_changed is
  'The owner changed the scope: the next full listing deletes what it no longer holds, without the fuse.';
comment on column connector.endpoint_states.provider_memory is
  'What the provider wants to remember of the endpoint; it may be lost, which costs calls and nothing else.';
comment on column connector.endpoint_states.owes_sweep is
  'The last full listing could not read all and so deleted nothing: when all can be read, another one follows.';
comment on column connector.endpoint_states.held_deletions is
  'How many deletions a listing withheld, until the owner approves them; null: none.';
comment on column connector.endpoint_states.slices_without_progress is
  'Slices begun since the last committed page; at five the run is ended as worker_lost.';

-- Serves tick(), which asks whether anything is due, and the claim.
create index endpoint_states_next_run_at_idx
  on connector.endpoint_states (next_run_at) where lease_token is null and next_run_at is not null;
-- Serves the planning of cron schedules.
create index endpoint_states_needs_planning_idx
  on connector.endpoint_states (endpoint_id) where needs_planning;
-- Serves the count of running syncs and the return of expired leases.
create index endpoint_states_lease_expires_at_idx
  on connector.endpoint_states (lease_expires_at) where lease_token is not null;
-- Serves the policy below.
create index endpoint_states_user_id_idx on connector.endpoint_states (user_id);
-- Serves the foreign key.
create index endpoint_states_run_id_idx on connector.endpoint_states (run_id) where run_id is not null;
-- Serves the foreign key of listings and the count by type.
create index endpoint_states_endpoint_type_idx on connector.endpoint_states (endpoint_type);

alter table connector.scheduler enable row level security;
alter table connector.endpoint_states enable row level security;
revoke all on table connector.scheduler, connector.endpoint_states
  from public, anon, authenticated, service_role;
grant select, insert, update, delete on table connector.scheduler, connector.endpoint_states
  to service_role;
-- Owners see these columns through endpoint_overview and sync_status(); never the lease token.
grant select (last_tick_at) on table connector.scheduler to authenticated;
grant select (
  endpoint_id, user_id, next_run_at, lease_expires_at, consecutive_failures, held_deletions,
  file_count, total_bytes
) on table connector.endpoint_states to authenticated;
create policy "the service role keeps the scheduler"
  on connector.scheduler for all to service_role using (true) with check (true);
create policy "signed-in users see the heartbeat"
  on connector.scheduler for select to authenticated using (true);
create policy "the service role keeps the endpoint states"
  on connector.endpoint_states for all to service_role using (true) with check (true);
create policy "owners see when their endpoints run"
  on connector.endpoint_states for select to authenticated
  using (user_id = (select auth.uid()));

-- The first instant after p_after that is a whole number of intervals from the anchor.
create function connector.next_interval_at(
  p_anchor timestamptz, p_minutes integer, p_after timestamptz
)
returns timestamptz
language sql immutable security invoker set search_path = ''
as $$
  select case
    when p_after < p_anchor then p_anchor
    else p_anchor + make_interval(secs => 60.0 * p_minutes
      * (floor(extract(epoch from p_after - p_anchor) / (60.0 * p_minutes)) + 1)::double precision)
  end;
$$;
comment on function connector.next_interval_at(timestamptz, integer, timestamptz) is
  'The first anchored interval after an instant.';

-- Ends the open run of an endpoint, if there is one, and takes its lease away: whoever still works
-- on it can write nothing more.
create function connector.supersede_run(p_endpoint_id uuid, p_message text)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  update public.sync_logs
  set status = 'partial', finished_at = now(), error_code = 'superseded', error_message = p_message
  where sync_logs.endpoint_id = p_endpoint_id and sync_logs.status = 'running';
  update connector.endpoint_states
  set lease_token = null, lease_expires_at = null, run_id = null, slices_without_progress = 0
  where endpoint_states.endpoint_id = p_endpoint_id;
end;
$$;

-- Definer: a new endpoint gets its state from the trigger, whoever inserts it.
create function connector.add_endpoint_state()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into connector.endpoint_states (endpoint_id, user_id, endpoint_type, next_run_at)
  values (
    new.id, new.user_id, new.endpoint_type,
    case when new.enabled and new.schedule_type <> 'manual' then now() end
  );
  return null;
end;
$$;
create trigger add_endpoint_state
  after insert on public.endpoints
  for each row execute function connector.add_endpoint_state();

-- Definer: an owner's edit reaches the machinery's tables, which the owner may not write.
create function connector.apply_schedule_change()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if (new.enabled, new.schedule_type, new.schedule_cron, new.interval_minutes, new.timezone)
    is not distinct from
    (old.enabled, old.schedule_type, old.schedule_cron, old.interval_minutes, old.timezone)
  then
    return null;
  end if;
  if old.enabled and not new.enabled then
    perform connector.supersede_run(new.id, 'The endpoint was disabled while it was syncing.');
    update public.endpoints set last_sync_status = 'pending'
    where endpoints.id = new.id and endpoints.last_sync_status = 'running';
  end if;
  update connector.endpoint_states as s
  set schedule_version = s.schedule_version + 1,
      needs_planning = new.enabled and new.schedule_type = 'cron' and old.enabled,
      next_run_at = case
        when not new.enabled then null
        when s.requested_at is not null then s.requested_at
        when new.schedule_type = 'manual' then null
        when not old.enabled then now()
        when new.schedule_type = 'cron' then null
        else connector.next_interval_at(s.schedule_anchor_at, new.interval_minutes, now())
      end
  where s.endpoint_id = new.id;
  return null;
end;
$$;
create trigger apply_schedule_change
  after update of enabled, schedule_type, schedule_cron, interval_minutes, timezone
  on public.endpoints
  for each row execute function connector.apply_schedule_change();

-- Definer: as above.
create function connector.apply_sync_request()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.sync_requested_at is null or new.sync_requested_at is not distinct from old.sync_requested_at
  then
    return null;
  end if;
  update connector.endpoint_states as s
  set requested_at = now(),
      -- A full sync that was asked for is not forgotten when an incremental one is asked for too.
      requested_mode = case when s.requested_mode = 'full' then 'full'
        else coalesce(new.sync_requested_mode, 'incremental') end,
      next_run_at = case when new.enabled then now() else s.next_run_at end
  where s.endpoint_id = new.id;
  return null;
end;
$$;
create trigger apply_sync_request
  after update of sync_requested_at on public.endpoints
  for each row execute function connector.apply_sync_request();

-- Definer: as above.
create function connector.apply_deletion_approval()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.deletions_approved_at is null
    or new.deletions_approved_at is not distinct from old.deletions_approved_at
  then
    return null;
  end if;
  -- The deletions are looked up again by a new listing: what has come back meanwhile stays.
  update connector.endpoint_states as s
  set are_deletions_approved = true,
      requested_at = now(),
      requested_mode = 'full',
      next_run_at = case when new.enabled then now() else s.next_run_at end
  where s.endpoint_id = new.id and s.held_deletions is not null;
  return null;
end;
$$;
create trigger apply_deletion_approval
  after update of deletions_approved_at on public.endpoints
  for each row execute function connector.apply_deletion_approval();

revoke execute on function
  connector.apply_deletion_approval(),
  connector.next_interval_at(timestamptz, integer, timestamptz),
  connector.supersede_run(uuid, text),
  connector.add_endpoint_state(),
  connector.apply_schedule_change(),
  connector.apply_sync_request()
from public, anon, authenticated, service_role;
-- The finish and claim functions run as the service role.
grant execute on function
  connector.next_interval_at(timestamptz, integer, timestamptz),
  connector.supersede_run(uuid, text)
to service_role;

-- Invoker: the owner's own update policy decides who may ask.
create function public.request_sync(endpoint_id uuid, mode text default 'incremental')
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_enabled boolean;
begin
  if request_sync.mode is null or request_sync.mode not in ('incremental', 'full') then
    raise exception using errcode = 'check_violation',
      message = format('Cannot request a sync of mode %L: it is not known', request_sync.mode),
      hint = 'Use incremental or full';
  end if;
  update public.endpoints
  set sync_requested_at = clock_timestamp(), sync_requested_mode = request_sync.mode
  where endpoints.id = request_sync.endpoint_id
  returning endpoints.enabled into v_enabled;
  if not found then
    raise exception using errcode = 'PT404',
      message = 'Cannot request a sync: there is no such endpoint among yours',
      hint = 'Look up the id in public.endpoints';
  end if;
  if not v_enabled then
    raise exception using errcode = 'PT409',
      message = 'Cannot request a sync: the endpoint is disabled',
      hint = 'Set enabled to true first';
  end if;
  return jsonb_build_object('endpoint_id', request_sync.endpoint_id, 'mode', request_sync.mode);
end;
$$;
comment on function public.request_sync(uuid, text) is
  'Makes an endpoint due at the next tick, whatever its state: failed, backed off or paused.';
revoke execute on function public.request_sync(uuid, text) from public, anon, authenticated, service_role;
grant execute on function public.request_sync(uuid, text) to authenticated, service_role;

-- Invoker: the owner's own policies decide whose deletions may be approved, and the column grants on
-- connector.endpoint_states let owners see that there are some.
create function public.approve_deletions(endpoint_id uuid)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_held bigint;
begin
  select s.held_deletions into v_held
  from connector.endpoint_states as s where s.endpoint_id = approve_deletions.endpoint_id;
  if not found then
    raise exception using errcode = 'PT404',
      message = 'Cannot approve deletions: there is no such endpoint among yours',
      hint = 'Look up the id in public.endpoints';
  end if;
  if v_held is null then
    raise exception using errcode = 'PT409',
      message = 'Cannot approve deletions: none are held back for this endpoint',
      hint = 'Nothing needs to be done';
  end if;
  update public.endpoints
  set deletions_approved_at = clock_timestamp()
  where endpoints.id = approve_deletions.endpoint_id;
  return jsonb_build_object('endpoint_id', approve_deletions.endpoint_id, 'held_deletions', v_held);
end;
$$;
comment on function public.approve_deletions(uuid) is
  'Lets the next full listing of an endpoint delete what it finds gone, though it is much; it starts at the next tick.';
revoke execute on function public.approve_deletions(uuid) from public, anon, authenticated, service_role;
grant execute on function public.approve_deletions(uuid) to authenticated, service_role;
