-- Purpose:  the scheduler's minute: heartbeat, expired leases, and one call when something is due.
--           And the daily retention of history.
-- Depends:  20261122101400_create_finishing.sql
-- Rollback: select cron.unschedule('connector-tick'); select cron.unschedule('connector-retention');

-- A secret from Vault. A header made from a missing one would be dropped in silence by pg_net.
create function connector.vault_secret(p_name text)
returns text
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_secret text;
begin
  select s.decrypted_secret into v_secret from vault.decrypted_secrets as s where s.name = p_name;
  if v_secret is null or btrim(v_secret) = '' then
    raise exception using errcode = 'FC004',
      message = format('Cannot call the dispatcher: the Vault secret %L is missing', p_name),
      hint = format('Run: select vault.create_secret(''<value>'', %L);', p_name);
  end if;
  return v_secret;
end;
$$;
comment on function connector.vault_secret(text) is 'A Vault secret by name; raises when it is missing.';

create function connector.tick()
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
comment on function connector.tick() is
  'One minute of the scheduler: heartbeat, expired leases, and a call to the dispatcher when something is due.';

-- Deletes history past its time, oldest first and at most p_batch rows of each kind a call, so that
-- no call holds its locks for long.
create function connector.apply_retention(p_batch integer default 10000)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_settings connector.settings;
  v_runs bigint;
  v_files bigint;
  v_cron_runs bigint;
  v_buckets bigint;
begin
  select * into strict v_settings from connector.settings;
  delete from public.sync_logs
  where sync_logs.id in (
    select r.id from public.sync_logs as r
    where r.finished_at < now() - make_interval(days => v_settings.sync_log_retention_days)
    order by r.finished_at limit p_batch);
  get diagnostics v_runs = row_count;
  delete from public.files
  where files.id in (
    select f.id from public.files as f
    where f.deleted_at < now() - make_interval(days => v_settings.tombstone_retention_days)
    order by f.deleted_at limit p_batch);
  get diagnostics v_files = row_count;
  delete from cron.job_run_details
  where job_run_details.runid in (
    select d.runid from cron.job_run_details as d
    where d.end_time < now() - make_interval(days => v_settings.cron_run_retention_days)
    order by d.runid limit p_batch);
  get diagnostics v_cron_runs = row_count;
  -- A bucket that nobody took from for a day is full again, as a new one is.
  delete from connector.rate_limits
  where rate_limits.bucket in (
    select l.bucket from connector.rate_limits as l
    where l.refilled_at < now() - interval '1 day'
      and coalesce(l.blocked_until, '-infinity') < now()
    order by l.refilled_at limit p_batch);
  get diagnostics v_buckets = row_count;
  return jsonb_build_object('sync_logs', v_runs, 'files', v_files, 'cron_runs', v_cron_runs,
    'rate_limits', v_buckets);
end;
$$;
comment on function connector.apply_retention(integer) is
  'Deletes old runs, tombstones and cron history as connector.settings says; returns how many.';

revoke execute on function
  connector.vault_secret(text),
  connector.tick(),
  connector.apply_retention(integer)
from public, anon, authenticated, service_role;

select cron.schedule('connector-tick', '* * * * *', 'select connector.tick()');
select cron.schedule('connector-retention', '17 3 * * *', 'select connector.apply_retention()');
