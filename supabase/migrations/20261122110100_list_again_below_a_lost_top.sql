-- Purpose:  a top of the scope that could not be read is tried again by listing the whole scope, also
--           when it was known before.
-- Depends:  20261122101100_create_slices.sql
-- Rollback: create connector.needs_full_listing as it was.

-- Whether a new run must list the whole scope: asked for, never done, due for an audit, or because a
-- top of the scope could not be read and should be tried again, or because the last one could not
-- read folders that now can be read.
create or replace function connector.needs_full_listing(p_state connector.endpoint_states)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select p_state.requested_mode is not distinct from 'full'
    or p_state.is_listing_requested
    or p_state.are_deletions_approved
    or not p_state.can_sync_incrementally
    or p_state.last_listing_completed_at is null
    or (p_state.owes_sweep and not exists (
      select from connector.folder_errors as e where e.endpoint_id = p_state.endpoint_id))
    or p_state.last_listing_completed_at < now() - make_interval(days => t.audit_interval_days)
    or exists (
      select from connector.listings as g where g.endpoint_id = p_state.endpoint_id and g.is_full)
    or exists (
      select from connector.folder_errors as e
      where e.endpoint_id = p_state.endpoint_id and e.next_attempt_at <= now()
        and not exists (
          select from connector.folders as f
          where f.endpoint_id = e.endpoint_id and f.external_folder_id = e.external_folder_id
            and not f.is_root))
  from connector.endpoint_types as t where t.endpoint_type = p_state.endpoint_type;
$$;
