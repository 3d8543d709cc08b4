-- Purpose:  files of a folder that was in sight only while files were listed go with it: where a change log
--           has called something removed that no listing had shown, and something lies in a folder that never
--           appeared, the run lists everything again before it ends.
-- Depends:  20261123140100_look_up_the_folders_of_a_page.sql,
--           20261123170200_rewrite_very_many_paths_in_batches.sql
-- Rollback: create connector.losing_folders(uuid, jsonb) and public.connector_finish_slice(jsonb, jsonb) as
--           they were; drop function connector.has_orphans(uuid),
--           connector.list_again_after_losses(connector.endpoint_states).
set lock_timeout = '10s';

comment on table connector.losses is
  'Folders from which something vanished, by the change logs, while these were not yet read to their ends; and, of a flat scope, what vanished itself, unless it is a file with a row. A folder that is shown later, itself or one above, may have been out of sight then: it is walked.';

-- The folders that lose something by these removals, as far as the item itself did not tell: what is in
-- the trash says so of itself. In a flat scope also the items, whether trashed or not, that are folders
-- or were never shown: below one of them may lie what a listing met without it.
create or replace function connector.losing_folders(p_endpoint_id uuid, p_removed jsonb)
returns text[]
language sql stable security invoker set search_path = ''
as $$
  with gone as (
    select r.external_id, r.reason
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
  )
  select coalesce(array_agg(distinct p.external_folder_id), '{}')
  from (
    select f.external_parent_id as external_folder_id
    from gone cross join lateral (
      select k.external_parent_id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = gone.external_id
        and k.deleted_at is null
      offset 0
    ) as f
    where gone.reason <> 'trashed'
    union all
    select d.external_parent_id
    from gone cross join lateral (
      select k.external_parent_id from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = gone.external_id
      offset 0
    ) as d
    where gone.reason <> 'trashed'
    union all
    select gone.external_id
    from gone
    where not exists (
      select from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = gone.external_id)
      and exists (
        select from connector.endpoint_states as s
        where s.endpoint_id = p_endpoint_id and not s.scope_is_tree)
  ) as p
  where p.external_folder_id is not null;
$$;

-- Whether something lies in a folder that never appeared, and that nothing stands in for yet.
create function connector.has_orphans(p_endpoint_id uuid)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select exists (
    select
    from (
      select f.external_parent_id
      from public.files as f
      where f.endpoint_id = p_endpoint_id and f.file_path is null and f.deleted_at is null
      union all
      select f.external_parent_id
      from connector.folders as f
      where f.endpoint_id = p_endpoint_id and f.path is null
    ) as child
    where child.external_parent_id is not null
      and not exists (
        select from connector.folders as k
        where k.endpoint_id = p_endpoint_id and k.external_folder_id = child.external_parent_id));
$$;

-- A provider names the parents that the account can see. So what lies in a folder that never appeared was
-- seen while that folder was in sight, and after it had been out of sight. If something above it is gone
-- by now, the log names that alone, and nobody knows what lay below: all is listed again, in the same
-- run, and the sweep tells. Answers whether it is. A listing that could not read everything is followed by
-- another one in any case. It comes to an end: the parents are stood in for first, and each time more
-- must have vanished meanwhile.
create function connector.list_again_after_losses(p_state connector.endpoint_states)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  if p_state.scope_is_tree
    or not exists (
      select from connector.losses as l
      where l.endpoint_id = p_state.endpoint_id and not exists (
        select from connector.folders as f
        where f.endpoint_id = l.endpoint_id and f.external_folder_id = l.external_folder_id))
    or exists (
      select from connector.listings as g
      where g.endpoint_id = p_state.endpoint_id and (g.open_tasks > 0 or g.sweep <> 'nothing'))
    or not connector.has_orphans(p_state.endpoint_id)
  then
    return false;
  end if;
  perform connector.place_orphans(p_state.endpoint_id);
  delete from connector.losses as l where l.endpoint_id = p_state.endpoint_id;
  delete from connector.listings as g where g.endpoint_id = p_state.endpoint_id;
  update public.sync_logs set mode = 'full' where sync_logs.id = p_state.run_id;
  -- For the next run, should this one fail before it lists.
  update connector.endpoint_states as s set is_listing_requested = true
  where s.endpoint_id = p_state.endpoint_id;
  return true;
end;
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
  v_state := connector.hold_lease(p_lease);
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
  elsif v_type = 'done' and (
    not connector.rewrite_stale_paths(v_state.endpoint_id)
    or connector.list_again_after_losses(v_state))
  then
    -- All is read, and not yet all written; or all is read again. The run goes on in the next slice.
    update connector.endpoint_states as s
    set lease_token = null, lease_expires_at = null, next_run_at = now(), slices_without_progress = 0
    where s.endpoint_id = v_state.endpoint_id;
    return jsonb_build_object('status', 'running', 'next_run_at', now());
  elsif v_type = 'done' then
    v_is_inherited := connector.has_inherited_listing(v_state);
    select * into v_closed from connector.close_run(v_state);
    select * into v_standing
    from connector.standing(v_state.endpoint_id, v_closed.skipped_message);
    return connector.end_run(v_state, v_standing.status, v_standing.code, v_standing.message,
      v_closed.receipt,
      case when v_is_inherited then now() else connector.scheduled_after_run(
        v_state.endpoint_id,
        -- What was computed from another schedule than the present one is computed anew.
        case when v_state.slice_schedule_version = v_state.schedule_version
          then (p_outcome ->> 'next_cron_at')::timestamptz end) end);
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

revoke execute on function
  connector.has_orphans(uuid),
  connector.list_again_after_losses(connector.endpoint_states)
from public, anon, authenticated, service_role;
grant execute on function
  connector.has_orphans(uuid),
  connector.list_again_after_losses(connector.endpoint_states)
to service_role;
