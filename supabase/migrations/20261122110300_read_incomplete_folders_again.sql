-- Purpose:  a folder that came into the scope and that the provider did not search completely is read
--           again by itself, as one that could not be read at all.
-- Depends:  20261122101400_create_finishing.sql
-- Rollback: create connector.note_folder_errors as it was.

-- Keeps the ledger of folders that cannot be read: those skipped now are tried again later and later,
-- those read now are forgotten. A single item that could not be understood is no folder to be tried
-- again; the next full listing shows it. After an incomplete full listing everything is listed again.
create or replace function connector.note_folder_errors(p_listing connector.listings)
returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  delete from connector.folder_errors as e
  where e.endpoint_id = p_listing.endpoint_id
    and (p_listing.is_full or exists (
      select from connector.folders as f
      where f.endpoint_id = e.endpoint_id and f.external_folder_id = e.external_folder_id
        and f.enqueued_listing_id = p_listing.id))
    and not exists (
      select from connector.skipped_subtrees as k
      where k.listing_id = p_listing.id and k.external_folder_id = e.external_folder_id);
  insert into connector.folder_errors as e
    (endpoint_id, external_folder_id, failure_code, message, next_attempt_at)
  select p_listing.endpoint_id, k.external_folder_id, k.failure_code, k.message,
    now() + interval '15 minutes'
  from connector.skipped_subtrees as k
  where k.listing_id = p_listing.id
    and k.failure_code <> 'response_invalid'
    and (k.failure_code <> 'listing_incomplete' or not p_listing.is_full)
  on conflict (endpoint_id, external_folder_id) do update
  set failure_code = excluded.failure_code,
      message = excluded.message,
      failures = e.failures + 1,
      next_attempt_at = now() + make_interval(mins => least(15 * (2 ^ least(e.failures, 10))::integer, 1440));
end;
$$;
