-- Purpose:  a token may belong to the application (a cache: it can be had again at any time) or be a
--           grant, which a person gave by connecting an account and which only they can give again.
-- Depends:  20261122100700_create_listings.sql
-- Rollback: alter table public.oauth_tokens drop column grant_type, drop column generation,
--           drop column refresh_by, drop column needs_reauthorization_at;
--           alter table connector.endpoint_states drop column needs_grant;
set lock_timeout = '10s';

alter table public.oauth_tokens
  add column grant_type text not null default 'application'
    constraint oauth_tokens_grant_type_check check (grant_type in ('application', 'user')),
  add column generation integer not null default 1,
  add column refresh_by timestamptz,
  add column needs_reauthorization_at timestamptz,
  add constraint oauth_tokens_refresh_token_check
    check (grant_type = 'application' or not is_active or refresh_token is not null);
comment on column public.oauth_tokens.grant_type is
  'application: of the application''s own, can be had again at any time; user: given by a person who connected an account.';
comment on column public.oauth_tokens.generation is
  'Counts up with every refresh, so that two workers can tell whether they speak of the same token.';
comment on column public.oauth_tokens.refresh_by is
  'A refresh token that lapses unused is used by then, however rarely its endpoint syncs; null: it does not lapse.';
comment on column public.oauth_tokens.needs_reauthorization_at is
  'Since then the provider refuses the grant for good: only the owner can give another one.';
grant select (grant_type, refresh_by, needs_reauthorization_at)
  on table public.oauth_tokens to authenticated;

-- Serves the keep-alive, which asks for grants that are near their end.
create index oauth_tokens_refresh_by_idx on public.oauth_tokens (refresh_by)
  where is_active and grant_type = 'user' and needs_reauthorization_at is null;

alter table connector.endpoint_states add column needs_grant boolean not null default false;
comment on column connector.endpoint_states.needs_grant is
  'An account was connected: without a grant nothing is read, least of all as the application.';

-- Retires the active token of an endpoint; its values are not kept.
create function connector.retire_token(p_endpoint_id uuid)
returns void
language sql volatile security invoker set search_path = ''
as $$
  update public.oauth_tokens as t
  set is_active = false, access_token = '', refresh_token = null, refresh_by = null
  where t.endpoint_id = p_endpoint_id and t.is_active;
$$;
revoke execute on function connector.retire_token(uuid)
  from public, anon, authenticated, service_role;
grant execute on function connector.retire_token(uuid) to service_role;

insert into connector.failure_codes (failure_code) values ('grant_missing');
