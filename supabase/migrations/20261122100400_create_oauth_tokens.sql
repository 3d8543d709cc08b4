-- Purpose:  public.oauth_tokens: the sealed access and refresh tokens of each endpoint.
-- Depends:  20261122100200_create_endpoints.sql
-- Rollback: drop table public.oauth_tokens;  -- people must connect again
create table public.oauth_tokens (
  id uuid primary key default gen_random_uuid(),
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  access_token text not null,
  refresh_token text,
  token_type text default 'Bearer',
  scope text,
  expires_at timestamptz not null,
  is_active boolean default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table public.oauth_tokens is
  'Provider tokens. Values are compact JWE, sealed with CONNECTOR_TOKEN_KEYS; nobody reads them in clear.';

create unique index oauth_tokens_one_active_per_endpoint_key
  on public.oauth_tokens (endpoint_id) where is_active;
-- Serves the foreign key and the history of one endpoint's tokens.
create index oauth_tokens_endpoint_id_idx on public.oauth_tokens (endpoint_id);

alter table public.oauth_tokens enable row level security;
revoke all on table public.oauth_tokens from public, anon, authenticated, service_role;
-- The state of a token, never its value.
grant select (id, endpoint_id, token_type, scope, expires_at, is_active, created_at, updated_at)
  on table public.oauth_tokens to authenticated;
grant select, insert, update, delete on table public.oauth_tokens to service_role;
create policy "owners read the state of their tokens"
  on public.oauth_tokens for select to authenticated
  using (endpoint_id in (
    select endpoints.id from public.endpoints where endpoints.user_id = (select auth.uid())
  ));

create trigger touch_updated_at
  before update on public.oauth_tokens
  for each row execute function connector.touch_updated_at();
