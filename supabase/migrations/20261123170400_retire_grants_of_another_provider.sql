-- Purpose:  an endpoint that becomes one of another provider does not take its grant along, which would
--           be sent to that provider.
-- Depends:  20261122113300_use_grants.sql
-- Rollback: create connector.apply_scope_change as it was.

-- Definer: an owner's edit reaches the machinery's tables, which the owner may not write.
create or replace function connector.apply_scope_change()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.user_id is distinct from old.user_id then
    update connector.endpoint_states set user_id = new.user_id
    where endpoint_states.endpoint_id = new.id;
  end if;
  -- A grant is the person's who gave it, not the endpoint's, and is for one provider alone.
  if (new.user_id, new.endpoint_type) is distinct from (old.user_id, old.endpoint_type) then
    perform connector.retire_token(new.id);
    delete from connector.consents where consents.endpoint_id = new.id;
  end if;
  if (new.endpoint_type, new.project_id, new.endpoint_config, new.file_types)
    is not distinct from
    (old.endpoint_type, old.project_id, old.endpoint_config, old.file_types)
  then
    return null;
  end if;
  perform connector.supersede_run(
    new.id, 'The endpoint''s scope was changed while it was syncing; a full sync follows.');
  delete from connector.listings where listings.endpoint_id = new.id;
  delete from connector.feeds where feeds.endpoint_id = new.id;
  delete from connector.pending_items where pending_items.endpoint_id = new.id;
  delete from connector.folder_errors where folder_errors.endpoint_id = new.id;
  update connector.endpoint_states as s
  set endpoint_type = new.endpoint_type,
      can_sync_incrementally = false,
      is_scope_changed = true,
      are_deletions_approved = false,
      held_deletions = null,
      provider_memory = null,
      last_listing_completed_at = null,
      consecutive_failures = 0,
      next_run_at = case when new.enabled then now() else s.next_run_at end
  where s.endpoint_id = new.id;
  -- An access token of the application's own was made for the old configuration (whom to act as).
  update public.oauth_tokens as t set is_active = false
  where t.endpoint_id = new.id and t.is_active and t.grant_type = 'application';
  update public.endpoints
  set last_sync_status = 'pending', last_error_code = null, last_error_message = null
  where endpoints.id = new.id;
  return null;
end;
$$;
