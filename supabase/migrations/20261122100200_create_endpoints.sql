-- Purpose:  public.endpoints: what is synced, for whom, and when. People edit these rows in the
--           dashboard, so the database itself refuses what cannot work and says what is allowed.
-- Depends:  20261122100100_create_validation.sql
-- Rollback: drop table public.endpoints cascade;  -- loses every endpoint
create table public.endpoints (
  id uuid primary key default gen_random_uuid(),
  name text not null
    constraint endpoints_name_check check (name ~ '\S' and char_length(name) <= 200),
  endpoint_type text not null references connector.endpoint_types (endpoint_type),
  project_id text not null,
  user_id uuid not null,
  description text,
  enabled boolean not null default true,
  schedule_type text not null default 'interval'
    constraint endpoints_schedule_type_check check (schedule_type in ('interval', 'cron', 'manual')),
  schedule_cron text not null default '*/5 * * * *',
  interval_minutes integer default 5
    constraint endpoints_interval_minutes_check check (interval_minutes between 1 and 525600),
  file_types jsonb default '["*"]',
  max_files_per_sync integer default 1000
    constraint endpoints_max_files_per_sync_check check (max_files_per_sync >= 1),
  endpoint_config jsonb not null default '{}'
    constraint endpoints_endpoint_config_check check (jsonb_typeof(endpoint_config) = 'object'),
  tags jsonb default '[]'
    constraint endpoints_tags_check check (jsonb_typeof(tags) = 'array'),
  last_sync_status text not null default 'pending'
    constraint endpoints_last_sync_status_check check (last_sync_status in (
      'pending', 'running', 'completed', 'partial', 'failed',
      'needs_attention', 'needs_reauthorization', 'paused')),
  timezone text not null default 'UTC',
  last_sync_at timestamptz,
  last_error_code text,
  last_error_message text,
  sync_requested_at timestamptz,
  sync_requested_mode text
    constraint endpoints_sync_requested_mode_check check (sync_requested_mode in ('incremental', 'full')),
  deletions_approved_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint endpoints_interval_check
    check (schedule_type <> 'interval' or interval_minutes is not null)
);
comment on table public.endpoints is
  'One row per connected source of files. Create a row and its files appear in public.files.';
comment on column public.endpoints.project_id is
  'The provider''s project, for example b.<guid> of Autodesk; free text where a provider has none.';
comment on column public.endpoints.endpoint_config is
  'What to sync, in the provider''s own terms, for example {"folder_id": "…"}. Never holds a secret.';
comment on column public.endpoints.file_types is
  '"*", extensions (pdf, .rvt) or MIME types (image/*), case-insensitive; null means every file.';
comment on column public.endpoints.max_files_per_sync is
  'Most files of one run; the next tick goes on where it stopped. Null means no bound.';
comment on column public.endpoints.sync_requested_at is
  'Set by request_sync(): the endpoint is due at the next tick.';
comment on column public.endpoints.deletions_approved_at is
  'Set by approve_deletions(): the next full listing may delete as much as it finds gone.';

-- Serves every policy of these tables, and the dashboard's list of one user's endpoints.
create index endpoints_user_id_idx on public.endpoints (user_id);
-- Serves the foreign key.
create index endpoints_endpoint_type_idx on public.endpoints (endpoint_type);

alter table public.endpoints enable row level security;
revoke all on table public.endpoints from public, anon, authenticated, service_role;
grant select, delete on table public.endpoints to authenticated;
grant insert (
  id, name, endpoint_type, project_id, user_id, description, enabled, schedule_type, schedule_cron,
  interval_minutes, file_types, max_files_per_sync, endpoint_config, tags, timezone
) on table public.endpoints to authenticated;
grant update (
  name, endpoint_type, project_id, description, enabled, schedule_type, schedule_cron,
  interval_minutes, file_types, max_files_per_sync, endpoint_config, tags, timezone,
  sync_requested_at, sync_requested_mode, deletions_approved_at
) on table public.endpoints to authenticated;
grant select, insert, update, delete on table public.endpoints to service_role;

create policy "owners read their endpoints"
  on public.endpoints for select to authenticated
  using (user_id = (select auth.uid()));
create policy "owners create their endpoints"
  on public.endpoints for insert to authenticated
  with check (user_id = (select auth.uid()));
create policy "owners change their endpoints"
  on public.endpoints for update to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));
create policy "owners delete their endpoints"
  on public.endpoints for delete to authenticated
  using (user_id = (select auth.uid()));

-- Raises a check violation that a person can act on.
create function connector.refuse_endpoint(p_constraint text, p_message text, p_hint text)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  raise exception using
    errcode = 'check_violation', schema = 'public', table = 'endpoints',
    constraint = p_constraint, message = p_message, hint = p_hint;
end;
$$;
revoke execute on function connector.refuse_endpoint(text, text, text)
  from public, anon, authenticated, service_role;

-- Definer: the checks live in this private schema, whose functions the row's writer may not call.
create function connector.validate_endpoint()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  v_problem text;
begin
  if not exists (
    select from connector.endpoint_types where endpoint_types.endpoint_type = new.endpoint_type
  ) then
    perform connector.refuse_endpoint('endpoints_endpoint_type_check',
      format('Cannot use endpoint_type %L: it is not known', new.endpoint_type),
      'Use one of: ' || (select string_agg(endpoint_types.endpoint_type, ', ' order by endpoint_types.endpoint_type)
                         from connector.endpoint_types));
  end if;
  if new.schedule_type not in ('interval', 'cron', 'manual') then
    perform connector.refuse_endpoint('endpoints_schedule_type_check',
      format('Cannot use schedule_type %L: it is not known', new.schedule_type),
      'Use one of: interval, cron, manual');
  end if;
  v_problem := connector.cron_problem(new.schedule_cron);
  if v_problem is not null then
    perform connector.refuse_endpoint('endpoints_schedule_cron_check',
      format('Cannot use schedule_cron %L: %s', new.schedule_cron, v_problem),
      'Use five fields, for example */15 * * * * or 0 7 * * MON-FRI');
  end if;
  if not connector.is_timezone(new.timezone) then
    perform connector.refuse_endpoint('endpoints_timezone_check',
      format('Cannot use timezone %L: it is not a known IANA name', new.timezone),
      'Use a name such as UTC, Europe/Berlin or America/New_York');
  end if;
  v_problem := connector.file_types_problem(new.file_types);
  if v_problem is not null then
    perform connector.refuse_endpoint('endpoints_file_types_check',
      'Cannot use file_types: ' || v_problem,
      'Use a JSON array of strings, for example ["*"], ["pdf", ".rvt"] or ["image/*"]');
  end if;
  if new.max_files_per_sync < 1 then
    perform connector.refuse_endpoint('endpoints_max_files_per_sync_check',
      format('Cannot use max_files_per_sync %s: it must be at least 1', new.max_files_per_sync),
      'Use a positive number, or null for no bound');
  end if;
  if new.interval_minutes not between 1 and 525600
    or (new.schedule_type = 'interval' and new.interval_minutes is null) then
    perform connector.refuse_endpoint('endpoints_interval_minutes_check',
      format('Cannot use interval_minutes %s: it must lie between 1 and 525600',
        coalesce(new.interval_minutes::text, 'null')),
      'Use minutes, for example 5 or 1440; or set schedule_type to cron or manual');
  end if;
  if jsonb_typeof(new.endpoint_config) <> 'object' then
    perform connector.refuse_endpoint('endpoints_endpoint_config_check',
      'Cannot use endpoint_config: it must be a JSON object',
      'For example {"folder_id": "…"} for Google Drive');
  end if;
  return new;
end;
$$;
revoke execute on function connector.validate_endpoint()
  from public, anon, authenticated, service_role;

create trigger validate_endpoint
  before insert or update of endpoint_type, schedule_type, schedule_cron, timezone, file_types,
    max_files_per_sync, interval_minutes, endpoint_config
  on public.endpoints
  for each row execute function connector.validate_endpoint();

create function connector.touch_updated_at()
returns trigger
language plpgsql security invoker set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
revoke execute on function connector.touch_updated_at()
  from public, anon, authenticated, service_role;
create trigger touch_updated_at
  before update on public.endpoints
  for each row execute function connector.touch_updated_at();
