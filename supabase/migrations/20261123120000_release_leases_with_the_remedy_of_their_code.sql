-- Purpose:  a lease that is given back with a reason gets that reason's remedy, as a run that ends with
--           it does: what only a person can mend asks for the person, and is not tried again as if it
--           passed by itself.
-- Depends:  20261122101000_create_claiming.sql, 20261122113000_add_grants.sql
-- Rollback: create public.connector_release(jsonb, text, text) as it was, then
--           alter table connector.failure_codes drop column remedy;
set lock_timeout = '10s';

alter table connector.failure_codes
  add column remedy text not null default 'retry'
    constraint failure_codes_remedy_check
    check (remedy in ('retry', 'needs_attention', 'needs_reauthorization'));
comment on column connector.failure_codes.remedy is
  'What the engine does about it: the same as REMEDIES in _shared/errors.ts.';
update connector.failure_codes as c
set remedy = 'needs_attention'
where c.failure_code in (
  'access_denied', 'api_disabled', 'config_invalid', 'credentials_invalid', 'deletions_held',
  'schedule_invalid', 'scope_not_found', 'setting_invalid');
update connector.failure_codes as c
set remedy = 'needs_reauthorization'
where c.failure_code in ('grant_missing', 'grant_revoked');

create or replace function public.connector_release(p_leases jsonb, p_code text, p_message text)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_remedy text;
  v_endpoint_id uuid;
  v_count integer := 0;
begin
  select c.remedy into v_remedy from connector.failure_codes as c where c.failure_code = p_code;
  for v_endpoint_id in
    select s.endpoint_id
    from jsonb_to_recordset(p_leases) as l (endpoint_id uuid, lease_token uuid)
    join connector.endpoint_states as s
      on s.endpoint_id = l.endpoint_id and s.lease_token = l.lease_token
    order by s.endpoint_id
  loop
    perform connector.fail_run(
      v_endpoint_id, p_code, p_message, coalesce(v_remedy, 'retry'), null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function public.connector_release(jsonb, text, text) is
  'Gives back leases whose work could not be started, with the reason; they are tried again with the back-off of its remedy.';
