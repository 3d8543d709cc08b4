-- Purpose:  one refresh of a grant at a time in the whole system, noted before it is made.
-- Depends:  20261122113100_create_consents.sql
-- Rollback: drop table connector.token_refreshes; drop the functions below.
create table connector.token_refreshes (
  oauth_token_id uuid primary key references public.oauth_tokens (id) on delete cascade,
  lease_token uuid not null,
  lease_expires_at timestamptz not null,
  unknown_outcomes integer not null default 0
);
comment on table connector.token_refreshes is
  'Refreshes under way. A row is written before the provider is asked and removed when its answer is stored.';
comment on column connector.token_refreshes.unknown_outcomes is
  'How many workers in a row were lost between asking the provider and storing its answer.';

alter table connector.token_refreshes enable row level security;
revoke all on table connector.token_refreshes from public, anon, authenticated, service_role;
grant select, insert, update, delete on table connector.token_refreshes to service_role;
create policy "the service role keeps the refreshes"
  on connector.token_refreshes for all to service_role using (true) with check (true);

-- Marks a grant as refused for good. Its endpoint says so at once, whether or not it is syncing.
create function connector.end_grant(p_token public.oauth_tokens, p_code text, p_message text)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  update public.oauth_tokens as t set needs_reauthorization_at = now() where t.id = p_token.id;
  delete from connector.token_refreshes as r where r.oauth_token_id = p_token.id;
  update public.endpoints as e
  set last_sync_status = 'needs_reauthorization', last_error_code = p_code,
      last_error_message = p_message
  where e.id = p_token.endpoint_id;
end;
$$;

-- Says how to come by an access token of an endpoint's grant. To one caller alone: use the refresh
-- token, and store the answer before the lease ends. A lease that ended without an answer was held by
-- a worker that is lost, and nobody knows whether the provider was asked: the same refresh token is
-- tried again, three times at most, since one that is used once then is refused, which is final.
create function public.connector_begin_refresh(p_request jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_token public.oauth_tokens;
  v_refresh connector.token_refreshes;
  v_lease_token uuid := gen_random_uuid();
  v_refused_generation integer := (p_request ->> 'refused_generation')::integer;
begin
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
comment on function public.connector_begin_refresh(jsonb) is
  'How to come by an access token of a grant: ready, refresh (this caller alone), wait, missing or ended.';

-- Stores what a refresh brought. By generation and not by lease: an answer that came late is the only
-- key there is, unless another one is stored already.
create function public.connector_store_refresh(p_refresh jsonb)
returns boolean
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_token_id uuid;
begin
  update public.oauth_tokens as t
  set access_token = p_refresh ->> 'access_token',
      refresh_token = coalesce(p_refresh ->> 'refresh_token', t.refresh_token),
      token_type = coalesce(p_refresh ->> 'token_type', t.token_type),
      scope = coalesce(p_refresh ->> 'scope', t.scope),
      expires_at = (p_refresh ->> 'expires_at')::timestamptz,
      refresh_by = (p_refresh ->> 'refresh_by')::timestamptz,
      needs_reauthorization_at = null,
      generation = t.generation + 1
  where t.endpoint_id = (p_refresh ->> 'endpoint_id')::uuid and t.is_active
    and t.grant_type = 'user' and t.generation = (p_refresh ->> 'generation')::integer
  returning t.id into v_token_id;
  delete from connector.token_refreshes as r where r.oauth_token_id = v_token_id;
  return v_token_id is not null;
end;
$$;
comment on function public.connector_store_refresh(jsonb) is
  'Stores the sealed tokens of a refresh; false when others were stored meanwhile.';

-- Notes that the provider refused, or could not be asked. A refusal of a token that was replaced
-- meanwhile says nothing about its successor.
create function public.connector_fail_refresh(p_failure jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_token public.oauth_tokens;
begin
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
comment on function public.connector_fail_refresh(jsonb) is
  'Notes a refresh that failed: ended (for good), noted (to be tried again) or superseded.';

-- Grants to be refreshed lest they lapse, each handed out once an hour.
create function public.connector_due_refreshes(p_limit integer)
returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  with due as (
    select t.id from public.oauth_tokens as t
    where t.is_active and t.grant_type = 'user' and t.needs_reauthorization_at is null
      and t.refresh_by <= now()
    order by t.refresh_by
    limit p_limit
    for update skip locked
  ),
  taken as (
    update public.oauth_tokens as t set refresh_by = now() + interval '1 hour'
    from due where t.id = due.id
    returning t.endpoint_id
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'endpoint_id', e.id, 'endpoint_type', e.endpoint_type)), '[]')
  from taken
  join public.endpoints as e on e.id = taken.endpoint_id;
$$;
comment on function public.connector_due_refreshes(integer) is
  'Endpoints whose refresh token would lapse if nobody used it; each is named once an hour.';

revoke execute on function
  connector.end_grant(public.oauth_tokens, text, text),
  public.connector_begin_refresh(jsonb),
  public.connector_store_refresh(jsonb),
  public.connector_fail_refresh(jsonb),
  public.connector_due_refreshes(integer)
from public, anon, authenticated, service_role;
grant execute on function
  connector.end_grant(public.oauth_tokens, text, text),
  public.connector_begin_refresh(jsonb),
  public.connector_store_refresh(jsonb),
  public.connector_fail_refresh(jsonb),
  public.connector_due_refreshes(integer)
to service_role;
