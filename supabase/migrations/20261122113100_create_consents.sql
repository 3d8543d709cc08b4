-- Purpose:  connecting an account: consents under way, each usable once, and the grant they end in.
-- Depends:  20261122113000_add_grants.sql
-- Rollback: drop table connector.consents; drop the functions below.
create table connector.consents (
  consent_id uuid primary key,
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  user_id uuid not null,
  code_verifier text not null,
  redirect_to text,
  expires_at timestamptz not null
);
comment on table connector.consents is
  'Consents under way at a provider: what the signed state of a redirect refers to. A row is taken once.';
comment on column connector.consents.code_verifier is 'Of PKCE; sealed as tokens are.';

-- Serves the foreign key and the bound on consents of one endpoint.
create index consents_endpoint_id_idx on connector.consents (endpoint_id);
-- Serves the removal of what has expired.
create index consents_expires_at_idx on connector.consents (expires_at);

alter table connector.consents enable row level security;
revoke all on table connector.consents from public, anon, authenticated, service_role;
grant select, insert, update, delete on table connector.consents to service_role;
create policy "the service role keeps the consents"
  on connector.consents for all to service_role using (true) with check (true);

-- An endpoint as the functions for its owner need it. Without a user it is looked up for a secret key.
create function public.connector_owned_endpoint(p_endpoint_id uuid, p_user_id uuid default null)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select jsonb_build_object(
    'endpoint_id', e.id, 'user_id', e.user_id, 'name', e.name, 'endpoint_type', e.endpoint_type,
    'project_id', e.project_id, 'endpoint_config', e.endpoint_config, 'file_types', e.file_types,
    'needs_grant', s.needs_grant,
    'token', case when t.id is not null then jsonb_build_object(
      'access_token', t.access_token, 'token_type', t.token_type, 'scope', t.scope,
      'expires_at', t.expires_at, 'grant_type', t.grant_type, 'generation', t.generation) end)
  from public.endpoints as e
  join connector.endpoint_states as s on s.endpoint_id = e.id
  left join public.oauth_tokens as t on t.endpoint_id = e.id and t.is_active
  where e.id = p_endpoint_id and (p_user_id is null or e.user_id = p_user_id);
$$;
comment on function public.connector_owned_endpoint(uuid, uuid) is
  'An endpoint of a user (or of anyone, without one) with its sealed token, or null.';

-- Notes that a consent was begun. Only the last few of an endpoint stay usable.
create function public.connector_begin_consent(p_consent jsonb)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_endpoint_id uuid := (p_consent ->> 'endpoint_id')::uuid;
  v_user_id uuid := (p_consent ->> 'user_id')::uuid;
begin
  perform from public.endpoints as e
  where e.id = v_endpoint_id and e.user_id = v_user_id for key share;
  if not found then
    raise exception using errcode = 'PT404',
      message = 'Cannot connect an account: there is no such endpoint among yours',
      hint = 'Look up the id in public.endpoints';
  end if;
  delete from connector.consents as c
  where c.consent_id in (
    select expired.consent_id from connector.consents as expired
    where expired.expires_at <= now() order by expired.expires_at limit 1000);
  delete from connector.consents as c
  where c.consent_id in (
    select older.consent_id from connector.consents as older
    where older.endpoint_id = v_endpoint_id order by older.expires_at desc offset 4);
  insert into connector.consents
    (consent_id, endpoint_id, user_id, code_verifier, redirect_to, expires_at)
  values (
    (p_consent ->> 'consent_id')::uuid, v_endpoint_id, v_user_id, p_consent ->> 'code_verifier',
    p_consent ->> 'redirect_to',
    now() + make_interval(secs => (p_consent ->> 'lifetime_seconds')::double precision));
end;
$$;
comment on function public.connector_begin_consent(jsonb) is
  'Keeps what the provider''s redirect will be checked against; raises PT404 for another''s endpoint.';

-- Takes a consent, so that nobody can take it again: whatever becomes of it, its state is used up.
create function public.connector_take_consent(p_consent_id uuid)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_consent connector.consents;
begin
  delete from connector.consents as c where c.consent_id = p_consent_id returning c.* into v_consent;
  if not found or v_consent.expires_at <= now() then
    return null;
  end if;
  return (
    select jsonb_build_object(
      'endpoint_id', v_consent.endpoint_id, 'user_id', v_consent.user_id,
      'code_verifier', v_consent.code_verifier, 'redirect_to', v_consent.redirect_to,
      'endpoint_type', e.endpoint_type, 'endpoint_config', e.endpoint_config)
    from public.endpoints as e
    where e.id = v_consent.endpoint_id and e.user_id = v_consent.user_id);
end;
$$;
comment on function public.connector_take_consent(uuid) is
  'What a consent was begun with, once; null when it is unknown, used, expired or its endpoint has another owner.';

-- Keeps a new grant in place of the old token, and makes the endpoint due: another account may see
-- other files, so everything is listed again (and the fuse watches).
create function public.connector_store_grant(p_grant jsonb)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_endpoint_id uuid := (p_grant ->> 'endpoint_id')::uuid;
begin
  perform from public.endpoints as e
  where e.id = v_endpoint_id and e.user_id = (p_grant ->> 'user_id')::uuid for no key update;
  if not found then
    return false;
  end if;
  perform connector.supersede_run(
    v_endpoint_id, 'An account was connected while the endpoint was syncing; a full sync follows.');
  perform connector.retire_token(v_endpoint_id);
  insert into public.oauth_tokens (
    endpoint_id, access_token, refresh_token, token_type, scope, expires_at, grant_type, refresh_by)
  values (
    v_endpoint_id, p_grant ->> 'access_token', p_grant ->> 'refresh_token',
    coalesce(p_grant ->> 'token_type', 'Bearer'), p_grant ->> 'scope',
    (p_grant ->> 'expires_at')::timestamptz, 'user', (p_grant ->> 'refresh_by')::timestamptz);
  update connector.endpoint_states as s
  set needs_grant = true, consecutive_failures = 0, can_sync_incrementally = false
  where s.endpoint_id = v_endpoint_id;
  update public.endpoints as e
  set sync_requested_at = clock_timestamp(), sync_requested_mode = 'full',
      last_sync_status = 'pending', last_error_code = null, last_error_message = null
  where e.id = v_endpoint_id;
  return true;
end;
$$;
comment on function public.connector_store_grant(jsonb) is
  'Stores the sealed tokens of a connected account, retires the old ones and makes the endpoint due; false when the endpoint is no longer that user''s.';

-- Takes a grant away. What it held is returned, to be revoked at the provider, and not kept.
create function public.connector_disconnect(p_endpoint_id uuid, p_user_id uuid default null)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_tokens jsonb;
begin
  perform from public.endpoints as e
  where e.id = p_endpoint_id and (p_user_id is null or e.user_id = p_user_id) for no key update;
  if not found then
    raise exception using errcode = 'PT404',
      message = 'Cannot disconnect: there is no such endpoint among yours',
      hint = 'Look up the id in public.endpoints';
  end if;
  select jsonb_build_object('access_token', t.access_token, 'refresh_token', t.refresh_token)
  into v_tokens
  from public.oauth_tokens as t
  where t.endpoint_id = p_endpoint_id and t.is_active and t.grant_type = 'user'
  for update;
  delete from connector.consents as c where c.endpoint_id = p_endpoint_id;
  if v_tokens is null then
    return null;
  end if;
  perform connector.supersede_run(p_endpoint_id, 'The account was disconnected while it was syncing.');
  perform connector.retire_token(p_endpoint_id);
  update public.endpoints as e
  set last_sync_status = 'needs_reauthorization', last_error_code = 'grant_missing',
      last_error_message = 'The account was disconnected. Connect one to sync again.'
  where e.id = p_endpoint_id;
  return v_tokens;
end;
$$;
comment on function public.connector_disconnect(uuid, uuid) is
  'Retires an endpoint''s grant and returns its sealed tokens for revocation; null when there was none.';

revoke execute on function
  public.connector_owned_endpoint(uuid, uuid),
  public.connector_begin_consent(jsonb),
  public.connector_take_consent(uuid),
  public.connector_store_grant(jsonb),
  public.connector_disconnect(uuid, uuid)
from public, anon, authenticated, service_role;
grant execute on function
  public.connector_owned_endpoint(uuid, uuid),
  public.connector_begin_consent(jsonb),
  public.connector_take_consent(uuid),
  public.connector_store_grant(jsonb),
  public.connector_disconnect(uuid, uuid)
to service_role;
