-- Purpose:  public.sync_logs: one row per run, written while the run goes on.
-- Depends:  20261122100200_create_endpoints.sql
-- Rollback: drop table public.sync_logs;  -- loses run history, no file
create table public.sync_logs (
  id uuid primary key default gen_random_uuid(),
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  status text not null default 'running'
    constraint sync_logs_status_check check (status in (
      'running', 'completed', 'partial', 'failed', 'needs_attention', 'needs_reauthorization')),
  trigger text not null
    constraint sync_logs_trigger_check check (trigger in ('schedule', 'request')),
  mode text not null
    constraint sync_logs_mode_check check (mode in ('incremental', 'full')),
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  files_seen bigint not null default 0,
  files_added bigint not null default 0,
  files_updated bigint not null default 0,
  files_unchanged bigint not null default 0,
  files_deleted bigint not null default 0,
  files_skipped bigint not null default 0,
  provider_calls bigint not null default 0,
  slices integer not null default 0,
  error_code text references connector.failure_codes (failure_code),
  error_message text,
  receipt jsonb not null default '{}',
  constraint sync_logs_finished_check check ((status = 'running') = (finished_at is null))
);
comment on table public.sync_logs is 'One row per sync run: what it did, and why it ended.';
comment on column public.sync_logs.files_skipped is 'Files seen but excluded by file_types.';
comment on column public.sync_logs.receipt is
  'What a full listing asked for and received; only a receipt that closes may delete.';

-- Serves the owner's history, and the policy below; also the foreign key.
create index sync_logs_endpoint_id_started_at_idx
  on public.sync_logs (endpoint_id, started_at desc);
-- Serves retention.
create index sync_logs_finished_at_idx on public.sync_logs (finished_at);
-- Serves the foreign key and the list of recent errors.
create index sync_logs_error_code_idx on public.sync_logs (error_code, finished_at desc)
  where error_code is not null;
-- One endpoint has at most one open run.
create unique index sync_logs_one_running_per_endpoint_key
  on public.sync_logs (endpoint_id) where status = 'running';

alter table public.sync_logs enable row level security;
revoke all on table public.sync_logs from public, anon, authenticated, service_role;
grant select on table public.sync_logs to authenticated;
grant select, insert, update, delete on table public.sync_logs to service_role;
create policy "owners read the runs of their endpoints"
  on public.sync_logs for select to authenticated
  using (endpoint_id in (
    select endpoints.id from public.endpoints where endpoints.user_id = (select auth.uid())
  ));
