-- Purpose:  the sync that a changed scope needs stays due when the schedule is edited as well.
-- Depends:  20261122100600_create_scheduling.sql, 20261122101000_create_claiming.sql
-- Rollback: create connector.apply_schedule_change and public.connector_plan_schedules as they were.

-- Definer: an owner's edit reaches the machinery's tables, which the owner may not write.
create or replace function connector.apply_schedule_change()
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
        -- The sync of a changed scope does not wait for the new schedule.
        when s.is_scope_changed and s.next_run_at <= now() then s.next_run_at
        when new.schedule_type = 'cron' then null
        else connector.next_interval_at(s.schedule_anchor_at, new.interval_minutes, now())
      end
  where s.endpoint_id = new.id;
  return null;
end;
$$;

create or replace function public.connector_plan_schedules(p_plans jsonb)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_count integer;
begin
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
