-- Purpose:  an owner changes the scope of an endpoint in no time, however much of it was listed: the listing
--           is detached, and the schedule deletes it in batches.
-- Depends:  20261122100700_create_listings.sql, 20261122114000_bound_all_history.sql,
--           20261123140200_index_every_task_by_its_listing.sql,
--           20261123170400_retire_grants_of_another_provider.sql
-- Rollback: create connector.apply_scope_change as it was;
--           select cron.schedule('connector-retention', '*/5 * * * *', 'select connector.apply_retention()');
--           drop function connector.delete_detached_listings(integer);
--           delete from connector.listings where endpoint_id is null;
--           alter table connector.listings alter column endpoint_id set not null;
set lock_timeout = '10s';

alter table connector.listings alter column endpoint_id drop not null;
comment on column connector.listings.endpoint_id is
  'Null: thrown away, with what belongs to it, and deleted by the schedule. Nobody finds it any more, since each listing is looked up by its endpoint.';

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
  -- Millions of marks may hang on it, too many for this statement: the schedule takes them away.
  update connector.listings set endpoint_id = null where listings.endpoint_id = new.id;
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

-- Deletes at most p_batch rows of the oldest detached listing, and the listing with the last of them.
-- Nobody waits for these rows: a detached listing is written to no more, as its run is superseded.
create function connector.delete_detached_listings(p_batch integer default 50000)
returns bigint
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_listing_id bigint := (
    select min(g.id) from connector.listings as g where g.endpoint_id is null);
  v_table text;
  v_rows bigint;
  v_deleted bigint := 0;
begin
  if v_listing_id is null then
    return 0;
  end if;
  foreach v_table in array array['seen_files', 'tasks', 'absences', 'skipped_subtrees'] loop
    execute format(
      'delete from connector.%I as d where d.ctid = any (array('
      || 'select r.ctid from connector.%I as r where r.listing_id = $1 limit $2))', v_table, v_table)
    using v_listing_id, p_batch - v_deleted;
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted + v_rows;
  end loop;
  if v_deleted < p_batch then
    delete from connector.listings where listings.id = v_listing_id;
    v_deleted := v_deleted + 1;
  end if;
  return v_deleted;
end;
$$;
comment on function connector.delete_detached_listings(integer) is
  'Deletes listings that a change of the scope threw away, at most so many rows a call; returns how many.';
revoke execute on function connector.delete_detached_listings(integer)
  from public, anon, authenticated, service_role;

-- In place of the job of this name.
select cron.schedule('connector-retention', '*/5 * * * *', 'select connector.apply_retention(), connector.delete_detached_listings()');
