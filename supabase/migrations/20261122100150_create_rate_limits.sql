-- Purpose:  one governor for all workers: buckets of a provider's quota, and its word to wait.
-- Depends:  20261122100000_create_connector_schema.sql
-- Rollback: drop table connector.rate_limits cascade;
create table connector.rate_limits (
  bucket text primary key,
  units double precision not null,
  units_per_minute double precision not null
    constraint rate_limits_units_per_minute_check check (units_per_minute > 0),
  refilled_at timestamptz not null default now(),
  blocked_until timestamptz
);
comment on table connector.rate_limits is
  'Token buckets by provider, account and class of call. A quarter of a minute''s quota may be used at once, the rest flows in evenly, so that no minute holds more than the quota.';
comment on column connector.rate_limits.blocked_until is
  'The provider asked for patience until then: nobody calls.';
-- Serves retention.
create index rate_limits_refilled_at_idx on connector.rate_limits (refilled_at);

alter table connector.rate_limits enable row level security;
revoke all on table connector.rate_limits from public, anon, authenticated, service_role;
grant select, insert, update, delete on table connector.rate_limits to service_role;
create policy "the service role keeps the rate limits"
  on connector.rate_limits for all to service_role using (true) with check (true);

-- Takes up to p_units at once; what a worker does not use lapses.
create function public.connector_take_calls(
  p_bucket text, p_units_per_minute double precision, p_units double precision
)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_burst double precision := p_units_per_minute / 4;
  v_flow double precision := p_units_per_minute * 0.75 / 60;
  v_limit connector.rate_limits;
  v_granted double precision;
begin
  insert into connector.rate_limits as l (bucket, units, units_per_minute)
  values (p_bucket, v_burst, p_units_per_minute)
  on conflict (bucket) do update
  set units = least(v_burst,
        l.units + v_flow * extract(epoch from greatest(clock_timestamp() - l.refilled_at, interval '0'))),
      units_per_minute = excluded.units_per_minute,
      refilled_at = clock_timestamp()
  returning * into v_limit;
  if v_limit.blocked_until > clock_timestamp() then
    return jsonb_build_object('granted', 0,
      'wait_seconds', extract(epoch from v_limit.blocked_until - clock_timestamp()));
  end if;
  v_granted := least(p_units, v_limit.units);
  update connector.rate_limits as l
  set units = l.units - v_granted where l.bucket = p_bucket;
  return jsonb_build_object('granted', v_granted,
    'wait_seconds', case when v_granted > 0 then 0 else least(p_units, v_burst) / v_flow end);
end;
$$;
comment on function public.connector_take_calls(text, double precision, double precision) is
  'Takes units from a shared quota; grants less than asked for, or none with the wait, when it is low.';

create function public.connector_block_calls(p_bucket text, p_seconds double precision)
returns void
language sql volatile security invoker set search_path = ''
as $$
  update connector.rate_limits as l
  set blocked_until = greatest(l.blocked_until, clock_timestamp() + make_interval(secs => p_seconds)),
      units = 0
  where l.bucket = p_bucket;
$$;
comment on function public.connector_block_calls(text, double precision) is
  'Makes all workers wait, as the provider asked.';

revoke execute on function
  public.connector_take_calls(text, double precision, double precision),
  public.connector_block_calls(text, double precision)
from public, anon, authenticated, service_role;
grant execute on function
  public.connector_take_calls(text, double precision, double precision),
  public.connector_block_calls(text, double precision)
to service_role;
