-- Purpose:  syncs, schedule and overview know grants: a slice is told whose token it has, an edit of the
--           scope keeps a grant, the tick keeps grants alive.
-- Depends:  20261122113200_create_refreshes.sql
-- Rollback: create the functions as they were.

create or replace function public.connector_begin_slice(p_leases jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_lease record;
  v_contexts jsonb := '[]'::jsonb;
  v_context jsonb;
begin
  for v_lease in
    select s.endpoint_id, s.lease_token
    from jsonb_to_recordset(p_leases) as l (endpoint_id uuid, lease_token uuid)
    join connector.endpoint_states as s
      on s.endpoint_id = l.endpoint_id and s.lease_token = l.lease_token
    order by s.endpoint_id
  loop
    perform connector.begin_run(v_lease.endpoint_id);
    select jsonb_build_object(
      'endpoint_id', s.endpoint_id, 'lease_token', s.lease_token, 'run_id', r.id, 'slice', r.slices,
      'endpoint', jsonb_build_object(
        'name', e.name, 'endpoint_type', e.endpoint_type, 'project_id', e.project_id,
        'user_id', e.user_id, 'endpoint_config', e.endpoint_config, 'file_types', e.file_types,
        'max_files_per_sync', e.max_files_per_sync, 'schedule_type', e.schedule_type,
        'schedule_cron', e.schedule_cron, 'timezone', e.timezone),
      'run', jsonb_build_object('mode', r.mode, 'trigger', r.trigger, 'files_seen', r.files_seen),
      'listing', case when g.id is not null
        then jsonb_build_object('id', g.id, 'open_tasks', g.open_tasks, 'is_full', g.is_full) end,
      'tasks', case when g.id is null then '[]' else connector.open_tasks(g.id, 0, 50) end,
      'memory', s.provider_memory,
      'feeds', coalesce((
        select jsonb_agg(jsonb_build_object(
          'key', d.feed_key, 'cursor', d.cursor, 'sequence', d.sequence) order by d.feed_key)
        from connector.feeds as d where d.endpoint_id = s.endpoint_id), '[]'),
      'token', case when t.id is not null then jsonb_build_object(
        'access_token', t.access_token, 'token_type', t.token_type, 'expires_at', t.expires_at,
        'grant_type', t.grant_type, 'generation', t.generation) end,
      'needs_grant', s.needs_grant
    ) into strict v_context
    from connector.endpoint_states as s
    join public.endpoints as e on e.id = s.endpoint_id
    join public.sync_logs as r on r.id = s.run_id
    left join connector.listings as g on g.endpoint_id = s.endpoint_id
    left join public.oauth_tokens as t on t.endpoint_id = s.endpoint_id and t.is_active
    where s.endpoint_id = v_lease.endpoint_id;
    v_contexts := v_contexts || jsonb_build_array(v_context);
  end loop;
  return v_contexts;
end;
$$;

create or replace function public.connector_store_token(p_lease jsonb, p_token jsonb)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_state connector.endpoint_states := connector.require_lease(p_lease);
begin
  insert into public.oauth_tokens as t (endpoint_id, access_token, token_type, scope, expires_at)
  values (
    v_state.endpoint_id, p_token ->> 'access_token', coalesce(p_token ->> 'token_type', 'Bearer'),
    p_token ->> 'scope', (p_token ->> 'expires_at')::timestamptz)
  on conflict (endpoint_id) where is_active do update
  set access_token = excluded.access_token, token_type = excluded.token_type,
      scope = excluded.scope, expires_at = excluded.expires_at, generation = t.generation + 1
  -- Never in place of what a person granted.
  where t.grant_type = 'application';
end;
$$;

-- Definer: an owner's edit of the scope ends what was being listed, in tables the owner may not write.
create or replace function connector.apply_scope_change()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.user_id is distinct from old.user_id then
    update connector.endpoint_states set user_id = new.user_id
    where endpoint_states.endpoint_id = new.id;
    -- A grant is the person's who gave it, not the endpoint's.
    perform connector.retire_token(new.id);
    delete from connector.consents where consents.endpoint_id = new.id;
  end if;
  if (new.endpoint_type, new.project_id, new.endpoint_config, new.file_types)
    is not distinct from
    (old.endpoint_type, old.project_id, old.endpoint_config, old.file_types)
  then
    return null;
  end if;
  perform connector.supersede_run(
    new.id, 'The endpoint''s scope was changed while it was syncing; a full sync follows.');
  delete from connector.listings where listings.endpoint_id = new.id;
  delete from connector.feeds where feeds.endpoint_id = new.id;
  delete from connector.pending_items where pending_items.endpoint_id = new.id;
  delete from connector.folder_errors where folder_errors.endpoint_id = new.id;
  update connector.endpoint_states as s
  set endpoint_type = new.endpoint_type,
      can_sync_incrementally = false,
      is_scope_changed = true,
      are_deletions_approved = false,
      held_deletions = null,
      provider_memory = null,
      last_listing_completed_at = null,
      consecutive_failures = 0,
      next_run_at = case when new.enabled then now() else s.next_run_at end
  where s.endpoint_id = new.id;
  -- An access token of the application's own was made for the old configuration (whom to act as).
  update public.oauth_tokens as t set is_active = false
  where t.endpoint_id = new.id and t.is_active and t.grant_type = 'application';
  update public.endpoints
  set last_sync_status = 'pending', last_error_code = null, last_error_message = null
  where endpoints.id = new.id;
  return null;
end;
$$;

create or replace function connector.tick()
returns text
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  -- A heartbeat, or a call, that a crash undoes is made again a minute later: no need to wait for the
  -- disk.
  set local synchronous_commit = off;
  update connector.scheduler set last_tick_at = clock_timestamp();
  perform connector.return_expired_leases();
  if not exists (
    select from connector.endpoint_states as s where s.lease_token is null and s.next_run_at <= now()
  ) and not exists (
    select from connector.endpoint_states as s where s.needs_planning
  ) and not exists (
    select from public.oauth_tokens as t
    where t.is_active and t.grant_type = 'user' and t.needs_reauthorization_at is null
      and t.refresh_by <= now()
  ) then
    return 'idle';
  end if;
  -- pg_net waits for the slowest answer of a batch, so the dispatcher answers 202 before it works.
  perform net.http_post(
    url := rtrim(connector.vault_secret('connector_functions_url'), '/') || '/dispatcher',
    body := jsonb_build_object('source', 'tick'),
    headers := jsonb_build_object(
      'Content-Type', 'application/json',
      'x-connector-token', connector.vault_secret('connector_dispatch_token')),
    timeout_milliseconds := 5000);
  update connector.scheduler set last_dispatch_at = clock_timestamp();
  return 'dispatched';
end;
$$;
