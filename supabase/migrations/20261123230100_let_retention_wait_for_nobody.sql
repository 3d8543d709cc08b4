-- Purpose:  retention waits for nobody: what somebody else has in hand is taken the next time. It goes
--           through the tables in an order of its own, and could wait in a circle with the removal of
--           an endpoint.
-- Depends:  20261122114000_bound_all_history.sql
-- Rollback: create connector.apply_retention(integer) as it was.
set lock_timeout = '10s';

create or replace function connector.apply_retention(p_batch integer default 10000)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_settings connector.settings;
  v_runs bigint;
  v_files bigint;
  v_cron_runs bigint;
  v_buckets bigint;
  v_tokens bigint;
  v_consents bigint;
begin
  select * into strict v_settings from connector.settings;
  with old as (
    select r.id from public.sync_logs as r
    where r.finished_at < now() - make_interval(days => v_settings.sync_log_retention_days)
    order by r.finished_at limit p_batch
    for update skip locked
  )
  delete from public.sync_logs using old where sync_logs.id = old.id;
  get diagnostics v_runs = row_count;
  with old as (
    select f.id from public.files as f
    where f.deleted_at < now() - make_interval(days => v_settings.tombstone_retention_days)
    order by f.deleted_at limit p_batch
    for update skip locked
  )
  delete from public.files using old where files.id = old.id;
  get diagnostics v_files = row_count;
  delete from cron.job_run_details
  where job_run_details.runid in (
    select d.runid from cron.job_run_details as d
    where d.end_time < now() - make_interval(days => v_settings.cron_run_retention_days)
    order by d.runid limit p_batch);
  get diagnostics v_cron_runs = row_count;
  -- A bucket that nobody took from for a day is full again, as a new one is.
  with old as (
    select l.bucket from connector.rate_limits as l
    where l.refilled_at < now() - interval '1 day'
      and coalesce(l.blocked_until, '-infinity') < now()
    order by l.refilled_at limit p_batch
    for update skip locked
  )
  delete from connector.rate_limits using old where rate_limits.bucket = old.bucket;
  get diagnostics v_buckets = row_count;
  with old as (
    select t.id from public.oauth_tokens as t
    where not t.is_active
      and t.updated_at < now() - make_interval(days => v_settings.sync_log_retention_days)
    order by t.updated_at limit p_batch
    for update skip locked
  )
  delete from public.oauth_tokens using old where oauth_tokens.id = old.id;
  get diagnostics v_tokens = row_count;
  with old as (
    select c.consent_id from connector.consents as c
    where c.expires_at < now() order by c.expires_at limit p_batch
    for update skip locked
  )
  delete from connector.consents using old where consents.consent_id = old.consent_id;
  get diagnostics v_consents = row_count;
  return jsonb_build_object('sync_logs', v_runs, 'files', v_files, 'cron_runs', v_cron_runs,
    'rate_limits', v_buckets, 'oauth_tokens', v_tokens, 'consents', v_consents);
end;
$$;
