-- Purpose:  the extensions the connector stands on, its private schema, and its closed lists.
-- Depends:  a Supabase database (roles anon, authenticated, service_role; Vault).
-- Rollback: drop schema connector cascade;  -- the extensions stay, others may use them
create extension if not exists pg_cron with schema pg_catalog;
create extension if not exists pg_net with schema extensions;
create extension if not exists supabase_vault with schema vault;

create schema connector;
comment on schema connector is
  'The private machinery of File Connector. Not exposed by the Data API, not a public interface.';
revoke all on schema connector from public, anon, authenticated;
-- authenticated reads a few columns here through public views and sync_status(), never directly.
grant usage on schema connector to authenticated, service_role;

-- What Postgres grants to everybody by default, in this schema to nobody.
alter default privileges in schema connector revoke execute on functions from public;

create table connector.endpoint_types (
  endpoint_type text primary key
    constraint endpoint_types_endpoint_type_check check (endpoint_type ~ '^[a-z][a-z0-9_]{0,62}$'),
  display_name text not null,
  audit_interval_days integer not null
    constraint endpoint_types_audit_interval_days_check check (audit_interval_days >= 1)
);
comment on table connector.endpoint_types is
  'The providers an endpoint may have. The function slug is sync- and the type with hyphens.';
comment on column connector.endpoint_types.audit_interval_days is
  'After so many days an endpoint is listed in full again. A change log can be trusted longer than a walk of what seems to have changed.';
insert into connector.endpoint_types (endpoint_type, display_name, audit_interval_days) values
  ('google_drive', 'Google Drive', 7),
  ('autodesk_construction_cloud', 'Autodesk Construction Cloud', 1);

create table connector.failure_codes (
  failure_code text primary key
);
comment on table connector.failure_codes is
  'The closed list of reasons for which a sync can fail: the same list as FAILURE_CODES in _shared/errors.ts.';
insert into connector.failure_codes (failure_code) values
  ('access_denied'), ('api_disabled'), ('config_invalid'), ('credentials_invalid'),
  ('cursor_expired'), ('deletions_held'), ('function_unavailable'), ('grant_revoked'), ('internal'), ('lease_lost'),
  ('listing_incomplete'), ('quota_exhausted'), ('rate_limited'), ('response_invalid'),
  ('schedule_invalid'), ('scope_not_found'), ('setting_invalid'), ('superseded'),
  ('unavailable'), ('worker_lost');

create table connector.settings (
  is_only_row boolean primary key default true
    constraint settings_is_only_row_check check (is_only_row),
  sync_log_retention_days integer not null default 90
    constraint settings_sync_log_retention_days_check check (sync_log_retention_days >= 1),
  tombstone_retention_days integer not null default 90
    constraint settings_tombstone_retention_days_check check (tombstone_retention_days >= 1),
  cron_run_retention_days integer not null default 7
    constraint settings_cron_run_retention_days_check check (cron_run_retention_days >= 1),
  fuse_files integer not null default 50
    constraint settings_fuse_files_check check (fuse_files >= 0),
  fuse_share numeric not null default 0.2
    constraint settings_fuse_share_check check (fuse_share between 0 and 1)
);
comment on table connector.settings is
  'How long history is kept, and how careful deletes are; one row, edited by an operator.';
comment on column connector.settings.fuse_share is
  'A listing that would delete more than this share of an endpoint''s files, and more than fuse_files, deletes nothing until the owner approves.';
insert into connector.settings default values;

alter table connector.endpoint_types enable row level security;
alter table connector.failure_codes enable row level security;
alter table connector.settings enable row level security;
revoke all on table connector.endpoint_types, connector.failure_codes, connector.settings
  from public, anon, authenticated, service_role;
grant select on table connector.endpoint_types, connector.failure_codes, connector.settings
  to service_role;
create policy "the service role reads the endpoint types"
  on connector.endpoint_types for select to service_role using (true);
create policy "the service role reads the failure codes"
  on connector.failure_codes for select to service_role using (true);
create policy "the service role reads the settings"
  on connector.settings for select to service_role using (true);
