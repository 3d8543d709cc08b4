-- Purpose:  a renamed folder above more files than one statement can rewrite does not stop the endpoint: the
--           folders get their paths at once, their files in batches before the run ends.
-- Depends:  20261123130000_rewrite_paths_in_linear_time.sql, 20261123170000_let_no_lost_lease_write.sql
-- Rollback: create connector.rewrite_paths and public.connector_finish_slice as they were, drop the functions
--           and the table below.

create table connector.stale_paths (
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  external_folder_id text not null,
  primary key (endpoint_id, external_folder_id)
);
comment on table connector.stale_paths is
  'Folders whose own path is right and the paths of whose files may not be yet.';
alter table connector.stale_paths enable row level security;
revoke all on table connector.stale_paths from public, anon, authenticated, service_role;
grant select, insert, update, delete on table connector.stale_paths to service_role;
create policy "the service role keeps the stale paths"
  on connector.stale_paths for all to service_role using (true) with check (true);

-- Files that one commit rewrites, in a few seconds; files of a batch, and seconds of batches, when there
-- are more. The Data API allows a statement a minute at most.
create function connector.path_limits(out at_once integer, out batch integer, out seconds integer)
language sql immutable parallel safe security invoker set search_path = ''
as $$
  select 100000, 20000, 20;
$$;

-- Recomputes the paths of the given folders and of all below them, then of the files in every folder
-- whose path changed; of very many files later, by connector.rewrite_stale_paths(). Folders in a circle,
-- or below an unknown parent, have no path.
--
-- Each step of a walk is a lookup in an index: `offset 0` keeps the planner from joining the whole
-- table instead. What a walk found is kept as a map from folder to path, since a join with it would be
-- guessed at; and each plan is made for the arrays at hand, which are then hashed.
create or replace function connector.rewrite_paths(p_endpoint_id uuid, p_folder_ids text[])
returns bigint
-- The planner cannot know how deep a tree is, expects the worst, and would compile for a second what
-- runs for a millisecond.
language plpgsql volatile security invoker set search_path = ''
  set jit = 'off' set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_paths jsonb;
  v_ids text[];
  v_moved text[];
  v_limits record := connector.path_limits();
  v_files bigint;
begin
  -- Every folder concerned, for now without a path.
  with recursive affected as (
    select given.id
    from unnest(p_folder_ids) as given (id)
    cross join lateral (
      select from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = given.id
      offset 0
    ) as f
    union
    select c.external_folder_id
    from affected as a
    cross join lateral (
      select k.external_folder_id
      from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_parent_id = a.id and not k.is_root
      offset 0
    ) as c
  )
  select jsonb_object_agg(affected.id, null) into v_paths from affected;
  if v_paths is null then
    return 0;
  end if;

  -- Those whose parent is not concerned are where the others hang; a circle has none of them.
  with recursive placed as (
    select t.external_folder_id, t.path
    from (select distinct given.id from unnest(p_folder_ids) as given (id)) as given
    cross join lateral (
      select f.external_folder_id,
        case
          when f.is_root then ''
          when f.external_parent_id is null then '/' || connector.escape_name(f.folder_name)
          else (
            select p.path
            from connector.folders as p
            where p.endpoint_id = p_endpoint_id and p.external_folder_id = f.external_parent_id
          ) || '/' || connector.escape_name(f.folder_name)
        end as path
      from connector.folders as f
      where f.endpoint_id = p_endpoint_id and f.external_folder_id = given.id
        and (f.is_root or f.external_parent_id is null or not v_paths ? f.external_parent_id)
      offset 0
    ) as t
    union all
    select c.external_folder_id, placed.path || '/' || connector.escape_name(c.folder_name)
    from placed
    cross join lateral (
      select k.external_folder_id, k.folder_name
      from connector.folders as k
      where k.endpoint_id = p_endpoint_id
        and k.external_parent_id = placed.external_folder_id and not k.is_root
      offset 0
    ) as c
  )
  select v_paths || coalesce(jsonb_object_agg(placed.external_folder_id, placed.path), '{}')
  into v_paths from placed;

  v_ids := array(select jsonb_object_keys(v_paths));
  with moved as (
    update connector.folders as f
    set path = v_paths ->> f.external_folder_id
    where f.endpoint_id = p_endpoint_id
      and f.external_folder_id = any (v_ids)
      and f.path is distinct from v_paths ->> f.external_folder_id
    returning f.external_folder_id
  )
  select array_agg(moved.external_folder_id) into v_moved from moved;

  if (
    select count(*) from (
      select from public.files as f
      where f.endpoint_id = p_endpoint_id and f.external_parent_id = any (v_moved)
      limit v_limits.at_once + 1) as f
  ) > v_limits.at_once then
    insert into connector.stale_paths (endpoint_id, external_folder_id)
    select p_endpoint_id, moved.id from unnest(v_moved) as moved (id) order by moved.id
    on conflict do nothing;
    return 0;
  end if;

  update public.files as f
  set file_path = (v_paths ->> f.external_parent_id) || '/' || connector.escape_name(f.file_name),
      updated_at = now()
  where f.endpoint_id = p_endpoint_id and f.external_parent_id = any (v_moved);
  get diagnostics v_files = row_count;
  return v_files;
end;
$$;

-- Brings the paths of files up to date that connector.rewrite_paths() left as they were, for a while;
-- answers whether none is left.
create function connector.rewrite_stale_paths(p_endpoint_id uuid)
returns boolean
language plpgsql volatile security invoker set search_path = ''
  set jit = 'off' set plan_cache_mode = 'force_custom_plan'
as $$
declare
  v_limits record := connector.path_limits();
  v_until timestamptz := clock_timestamp() + make_interval(secs => v_limits.seconds);
  v_folder_id text;
  v_path text;
  v_ids uuid[];
begin
  loop
    select s.external_folder_id, f.path into v_folder_id, v_path
    from connector.stale_paths as s
    left join connector.folders as f
      on f.endpoint_id = s.endpoint_id and f.external_folder_id = s.external_folder_id
    where s.endpoint_id = p_endpoint_id
    order by s.external_folder_id
    limit 1;
    exit when not found;
    v_ids := array(
      select k.id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_parent_id = v_folder_id
        and k.file_path is distinct from v_path || '/' || connector.escape_name(k.file_name)
        -- The files of a folder that is gone are looked after by whatever took it away.
        and exists (
          select from connector.folders as f
          where f.endpoint_id = p_endpoint_id and f.external_folder_id = v_folder_id)
      limit v_limits.batch);
    update public.files as f
    set file_path = v_path || '/' || connector.escape_name(f.file_name), updated_at = now()
    where f.id = any (v_ids);
    if cardinality(v_ids) < v_limits.batch then
      delete from connector.stale_paths as s
      where s.endpoint_id = p_endpoint_id and s.external_folder_id = v_folder_id;
    end if;
    exit when clock_timestamp() >= v_until;
  end loop;
  return not exists (select from connector.stale_paths as s where s.endpoint_id = p_endpoint_id);
end;
$$;
comment on function connector.rewrite_stale_paths(uuid) is
  'Rewrites the paths of files below renamed folders that were too many for one commit.';

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
  elsif v_type = 'done' and not connector.rewrite_stale_paths(v_state.endpoint_id) then
    -- All is read, and not yet all written: the run goes on in the next slice.
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
  connector.path_limits(),
  connector.rewrite_stale_paths(uuid)
from public, anon, authenticated, service_role;
grant execute on function
  connector.path_limits(),
  connector.rewrite_stale_paths(uuid)
to service_role;
