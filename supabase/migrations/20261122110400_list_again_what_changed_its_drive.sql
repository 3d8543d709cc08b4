-- Purpose:  a folder that moves from a place without a state into one with a state, as from My Drive
--           into a shared drive, is one of which the change feed does not tell all.
-- Depends:  20261122101200_create_commits.sql
-- Rollback: create connector.refuse_stale_folders as it was.

-- A folder that shows another state than it had was out of sight, was replaced, or lies in another
-- drive: of what happened below it the feeds know nothing. A state that is a mere text may come to a
-- folder that had none and was in sight all the time.
create or replace function connector.refuse_stale_folders(p_endpoint_id uuid, p_folders jsonb)
returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if exists (
    select
    from jsonb_array_elements(p_folders) as r
    join connector.folders as f
      on f.endpoint_id = p_endpoint_id and f.external_folder_id = r ->> 'external_folder_id'
    where not f.is_gone
      and (f.shown_state is not null or jsonb_typeof(r -> 'provider_state') = 'object')
      and f.shown_state is distinct from r -> 'provider_state')
  then
    raise exception using errcode = 'FC005',
      message = 'Cannot follow the change feed: it does not tell what happened below a folder',
      hint = 'List everything again';
  end if;
end;
$$;
