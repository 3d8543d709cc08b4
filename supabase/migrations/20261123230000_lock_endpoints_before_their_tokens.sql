-- Purpose:  a grant that ends, and an owner who removes, disconnects or edits its endpoint just then, wait
--           for each other in one order: the endpoint comes before its tokens. A consent that is begun
--           takes old ones away without waiting for anybody.
-- Depends:  20261122113100_create_consents.sql, 20261122113200_create_refreshes.sql
-- Rollback: create public.connector_begin_refresh(jsonb), public.connector_fail_refresh(jsonb) and
--           public.connector_begin_consent(jsonb) as they were.
set lock_timeout = '10s';

create or replace function public.connector_begin_refresh(p_request jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_token public.oauth_tokens;
  v_refresh connector.token_refreshes;
  v_lease_token uuid := gen_random_uuid();
  v_refused_generation integer := (p_request ->> 'refused_generation')::integer;
begin
  -- The end of a grant is written to the endpoint; whoever removes or disconnects it begins there too.
  perform from public.endpoints as e
  where e.id = (p_request ->> 'endpoint_id')::uuid for no key update;
  select t.* into v_token from public.oauth_tokens as t
  where t.endpoint_id = (p_request ->> 'endpoint_id')::uuid and t.is_active and t.grant_type = 'user'
  for update;
  if not found then
    return jsonb_build_object('type', 'missing');
  elsif v_token.needs_reauthorization_at is not null then
    return jsonb_build_object('type', 'ended');
  elsif v_token.generation is distinct from v_refused_generation
    and v_token.expires_at
      > now() + make_interval(secs => (p_request ->> 'margin_seconds')::double precision)
    and not coalesce((p_request ->> 'is_keep_alive')::boolean, false)
  then
    return jsonb_build_object(
      'type', 'ready', 'access_token', v_token.access_token, 'token_type', v_token.token_type,
      'expires_at', v_token.expires_at, 'generation', v_token.generation);
  end if;

  select r.* into v_refresh from connector.token_refreshes as r where r.oauth_token_id = v_token.id;
  if v_refresh.lease_expires_at > clock_timestamp() then
    return jsonb_build_object('type', 'wait');
  elsif v_refresh.unknown_outcomes >= 2 then
    perform connector.end_grant(v_token, 'grant_revoked',
      'Workers were lost again and again while they refreshed the connection, and it cannot be told '
      || 'whether it still holds. Connect the account again.');
    return jsonb_build_object('type', 'ended');
  end if;
  insert into connector.token_refreshes as r (oauth_token_id, lease_token, lease_expires_at)
  values (v_token.id, v_lease_token, clock_timestamp()
    + make_interval(secs => (p_request ->> 'lease_seconds')::double precision))
  on conflict (oauth_token_id) do update
  set lease_token = excluded.lease_token, lease_expires_at = excluded.lease_expires_at,
      unknown_outcomes = r.unknown_outcomes + 1;
  -- The keep-alive does not call again for what is under way.
  update public.oauth_tokens as t set refresh_by = greatest(t.refresh_by, now() + interval '1 hour')
  where t.id = v_token.id and t.refresh_by is not null;
  return jsonb_build_object(
    'type', 'refresh', 'refresh_token', v_token.refresh_token, 'scope', v_token.scope,
    'generation', v_token.generation, 'lease_token', v_lease_token,
    'is_outcome_unknown', v_refresh.oauth_token_id is not null);
end;
$$;

create or replace function public.connector_fail_refresh(p_failure jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_token public.oauth_tokens;
begin
  if (p_failure ->> 'is_final')::boolean then
    perform from public.endpoints as e
    where e.id = (p_failure ->> 'endpoint_id')::uuid for no key update;
  end if;
  select t.* into v_token from public.oauth_tokens as t
  where t.endpoint_id = (p_failure ->> 'endpoint_id')::uuid and t.is_active
    and t.grant_type = 'user' and t.generation = (p_failure ->> 'generation')::integer
  for update;
  if not found then
    return jsonb_build_object('type', 'superseded');
  end if;
  if (p_failure ->> 'is_final')::boolean then
    perform connector.end_grant(v_token, p_failure ->> 'code', p_failure ->> 'message');
    return jsonb_build_object('type', 'ended');
  end if;
  delete from connector.token_refreshes as r
  where r.oauth_token_id = v_token.id and r.lease_token = (p_failure ->> 'lease_token')::uuid;
  return jsonb_build_object('type', 'noted');
end;
$$;

create or replace function public.connector_begin_consent(p_consent jsonb)
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
  -- Nobody is waited for: what another transaction has in hand goes with it, or the next time.
  with expired as (
    select c.consent_id from connector.consents as c
    where c.expires_at <= now() order by c.expires_at limit 1000
    for update skip locked
  )
  delete from connector.consents as c using expired where c.consent_id = expired.consent_id;
  with older as (
    select c.consent_id from connector.consents as c
    where c.consent_id in (
      select a.consent_id from connector.consents as a
      where a.endpoint_id = v_endpoint_id order by a.expires_at desc offset 4)
    for update skip locked
  )
  delete from connector.consents as c using older where c.consent_id = older.consent_id;
  insert into connector.consents
    (consent_id, endpoint_id, user_id, code_verifier, redirect_to, expires_at)
  values (
    (p_consent ->> 'consent_id')::uuid, v_endpoint_id, v_user_id, p_consent ->> 'code_verifier',
    p_consent ->> 'redirect_to',
    now() + make_interval(secs => (p_consent ->> 'lifetime_seconds')::double precision));
end;
$$;
