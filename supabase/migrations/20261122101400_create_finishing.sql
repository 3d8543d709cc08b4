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

-- What the change feeds showed of a tree scope without its parent ever turning up lies outside the
-- scope; what stood in it before has left it. Where the parent did turn up, by a listing that then
-- read it, the item was no longer there: the feeds will say what became of it.
create function connector.settle_pending(p_endpoint_id uuid, out deleted integer, out bytes numeric)
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_left jsonb;
begin
  select coalesce(jsonb_agg(
    jsonb_build_object('external_id', p.external_id, 'reason',
      case when p.record ? 'is_buried' then 'trashed' else 'out_of_scope' end)), '[]') into v_left
  from connector.pending_items as p
  where p.endpoint_id = p_endpoint_id
    and not exists (
      select from connector.folders as f
      where f.endpoint_id = p_endpoint_id and f.external_folder_id = p.external_parent_id
        and not f.is_gone);
  select * into deleted, bytes from connector.remove_items(p_endpoint_id, v_left);
  delete from connector.pending_items as p where p.endpoint_id = p_endpoint_id;
end;
$$;

-- Keeps the ledger of folders that cannot be read: those skipped now are tried again later and later,
-- those read now are forgotten. A single item that could not be understood is no folder to be tried
-- again; the next full listing shows it.
create function connector.note_folder_errors(p_listing connector.listings)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  delete from connector.folder_errors as e
  where e.endpoint_id = p_listing.endpoint_id
    and (p_listing.is_full or exists (
      select from connector.folders as f
      where f.endpoint_id = e.endpoint_id and f.external_folder_id = e.external_folder_id
        and f.enqueued_listing_id = p_listing.id))
    and not exists (
      select from connector.skipped_subtrees as k
      where k.listing_id = p_listing.id and k.external_folder_id = e.external_folder_id);
  insert into connector.folder_errors as e
    (endpoint_id, external_folder_id, failure_code, message, next_attempt_at)
  select p_listing.endpoint_id, k.external_folder_id, k.failure_code, k.message,
    now() + interval '15 minutes'
  from connector.skipped_subtrees as k
  where k.listing_id = p_listing.id
    and k.failure_code not in ('response_invalid', 'listing_incomplete')
  on conflict (endpoint_id, external_folder_id) do update
  set failure_code = excluded.failure_code,
      message = excluded.message,
      failures = e.failures + 1,
      next_attempt_at = now() + make_interval(mins => least(15 * (2 ^ least(e.failures, 10))::integer, 1440));
end;
$$;

-- Closes what the run had open: places or settles items without a parent, keeps the ledger, and lets
-- the next runs be incremental when the listing was complete. Returns the run's receipt, and what
-- the first skipped part says, if any was.
create function connector.close_run(
  p_state connector.endpoint_states, out receipt jsonb, out skipped_message text
)
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_listing connector.listings;
  v_settled record;
  v_is_ground boolean;
begin
  receipt := '{}'::jsonb;
  select * into v_listing from connector.listings as g where g.endpoint_id = p_state.endpoint_id;
  if v_listing.open_tasks > 0
    or (v_listing.sweep <> 'nothing' and connector.is_listing_complete(v_listing))
  then
    raise exception using errcode = 'FC002',
      message = format('Cannot finish a run with work left: %s tasks are open, to be swept: %s',
        v_listing.open_tasks, v_listing.sweep);
  end if;
  perform connector.place_orphans(p_state.endpoint_id)
  where not p_state.scope_is_tree;
  select * into v_settled from connector.settle_pending(p_state.endpoint_id);
  perform connector.count_deleted(p_state, v_settled.deleted, v_settled.bytes, 0);

  if v_listing.id is not null then
    perform connector.note_folder_errors(v_listing);
    select v_listing.receipt || jsonb_build_object('subtrees_skipped', count(*)), min(k.message)
    into receipt, skipped_message
    from connector.skipped_subtrees as k where k.listing_id = v_listing.id;
    -- A search that Google itself calls incomplete is no ground to build on: list again.
    if v_listing.is_full then
      v_is_ground := coalesce((v_listing.receipt ->> 'incomplete_searches')::bigint, 0) = 0;
      update connector.endpoint_states as s
      set can_sync_incrementally = v_is_ground,
          last_listing_completed_at = case when v_is_ground then now() else s.last_listing_completed_at end,
          owes_sweep = v_listing.sweep <> 'nothing'
      where s.endpoint_id = p_state.endpoint_id;
    end if;
    delete from connector.listings as g where g.id = v_listing.id;
  end if;
end;
$$;

-- How the endpoint stands after a run that did all it could: its status, and why it is not completed.
create function connector.standing(
  p_endpoint_id uuid, p_skipped_message text, out status text, out code text, out message text
)
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_held bigint;
  v_gone text;
  v_errors bigint;
  v_first_error text;
begin
  select s.held_deletions into v_held
  from connector.endpoint_states as s where s.endpoint_id = p_endpoint_id;
  select min(f.folder_name) into v_gone
  from connector.folders as f where f.endpoint_id = p_endpoint_id and f.is_root and f.is_gone;
  select count(*) into v_errors
  from connector.folder_errors as e where e.endpoint_id = p_endpoint_id;
  select format('"%s": %s', coalesce(nullif(f.path, ''), f.folder_name, e.external_folder_id), e.message)
  into v_first_error
  from connector.folder_errors as e
  left join connector.folders as f
    on f.endpoint_id = e.endpoint_id and f.external_folder_id = e.external_folder_id
  where e.endpoint_id = p_endpoint_id
  order by f.path nulls last, e.external_folder_id
  limit 1;
  if v_gone is not null then
    status := 'needs_attention';
    code := 'scope_not_found';
    message := format(
      'The folder %L was trashed, deleted or is no longer shared with the connected account. '
      || 'Restore or share it, or change endpoint_config.', v_gone);
  elsif v_held is not null then
    status := 'needs_attention';
    code := 'deletions_held';
    message := format(
      'A full listing no longer showed %s files, suspiciously many; none was deleted. If they are '
      || 'really gone, approve: select approve_deletions(''%s'')', v_held, p_endpoint_id);
  elsif v_errors > 0 or p_skipped_message is not null then
    status := 'partial';
    code := 'listing_incomplete';
    message := format('%s part(s) of the scope could not be read, first: %s',
      greatest(v_errors, 1), coalesce(v_first_error, p_skipped_message));
  else
    status := 'completed';
  end if;
end;
$$;

create function public.connector_finish_slice(p_lease jsonb, p_outcome jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_type text := p_outcome ->> 'type';
  v_closed record;
  v_standing record;
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
    select * into v_closed from connector.close_run(v_state);
    select * into v_standing
    from connector.standing(v_state.endpoint_id, v_closed.skipped_message);
    return connector.end_run(v_state, v_standing.status, v_standing.code, v_standing.message,
      v_closed.receipt,
      connector.scheduled_after_run(
        v_state.endpoint_id, (p_outcome ->> 'next_cron_at')::timestamptz));
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
comment on function public.connector_finish_slice(jsonb, jsonb) is
  'Ends a slice and gives its lease back; ends the run too, unless more is to be done at once.';

revoke execute on function
  connector.scheduled_after_run(uuid, timestamptz),
  connector.end_run(connector.endpoint_states, text, text, text, jsonb, timestamptz),
  connector.settle_pending(uuid),
  connector.note_folder_errors(connector.listings),
  connector.close_run(connector.endpoint_states),
  connector.standing(uuid, text),
  public.connector_finish_slice(jsonb, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  connector.scheduled_after_run(uuid, timestamptz),
  connector.end_run(connector.endpoint_states, text, text, text, jsonb, timestamptz),
  connector.settle_pending(uuid),
  connector.note_folder_errors(connector.listings),
  connector.close_run(connector.endpoint_states),
  connector.standing(uuid, text),
  public.connector_finish_slice(jsonb, jsonb)
to service_role;
