-- Purpose:  retention keeps up with a busy project (a thousand syncs a minute are 1.4 million runs a day),
--           in small steps, and bounds retired tokens and consents that nobody finished too.
-- Depends:  20261122113100_create_consents.sql
-- Rollback: create connector.apply_retention as it was; drop index public.oauth_tokens_updated_at_idx;
--           select cron.schedule('connector-retention', '17 3 * * *', 'select connector.apply_retention()');

-- Serves retention.
create index oauth_tokens_updated_at_idx on public.oauth_tokens (updated_at) where not is_active;

-- Deletes history past its time, oldest first and at most p_batch rows of each kind a call, so that
-- no call holds its locks for long. The schedule calls it often enough to keep up.
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
  delete from public.oauth_tokens
  where oauth_tokens.id in (
    select t.id from public.oauth_tokens as t
    where not t.is_active
      and t.updated_at < now() - make_interval(days => v_settings.sync_log_retention_days)
    order by t.updated_at limit p_batch);
  get diagnostics v_tokens = row_count;
  delete from connector.consents
  where consents.consent_id in (
    select c.consent_id from connector.consents as c
    where c.expires_at < now() order by c.expires_at limit p_batch);
  get diagnostics v_consents = row_count;
  return jsonb_build_object('sync_logs', v_runs, 'files', v_files, 'cron_runs', v_cron_runs,
    'rate_limits', v_buckets, 'oauth_tokens', v_tokens, 'consents', v_consents);
end;
$$;
comment on function connector.apply_retention(integer) is
  'Deletes old runs, tombstones, retired tokens, unused consents and cron history as connector.settings says; returns how many.';

-- In place of the daily job of this name.
select cron.schedule('connector-retention', '*/5 * * * *', 'select connector.apply_retention()');
