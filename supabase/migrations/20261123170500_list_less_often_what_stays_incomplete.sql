-- Purpose:  a full listing that is owed again and again, since an item cannot be read or a folder is refused
--           for good, waits longer each time; the runs between follow the change feed.
-- Depends:  20261122110100_list_again_below_a_lost_top.sql,
--           20261123120100_read_again_what_vanished_with_a_folder.sql
-- Rollback: create the replaced functions as they were, drop the columns.

alter table connector.endpoint_states
  add column incomplete_listings integer not null default 0,
  add column next_listing_at timestamptz;
comment on column connector.endpoint_states.incomplete_listings is
  'Full listings in a row after which deletions were still owed.';
comment on column connector.endpoint_states.next_listing_at is
  'Not before this does a debt of deletions alone lead to a full listing.';

create or replace function connector.needs_full_listing(p_state connector.endpoint_states)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  select p_state.requested_mode is not distinct from 'full'
    or p_state.is_listing_requested
    or (p_state.are_deletions_approved and coalesce(p_state.next_listing_at <= now(), true))
    or not p_state.can_sync_incrementally
    or p_state.last_listing_completed_at is null
    or (p_state.owes_sweep and coalesce(p_state.next_listing_at <= now(), true) and not exists (
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

create or replace function connector.close_run(
  p_state connector.endpoint_states, out receipt jsonb, out skipped_message text
)
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_listing connector.listings;
  v_settled record;
  v_is_ground boolean;
begin
  receipt := '{}'::jsonb;
  select * into v_listing from connector.listings as g where g.endpoint_id = p_state.endpoint_id;
  if v_listing.open_tasks > 0
    or (v_listing.sweep <> 'nothing' and connector.is_listing_complete(v_listing))
  then
    raise exception using errcode = 'FC002',
      message = format('Cannot finish a run with work left: %s tasks are open, to be swept: %s',
        v_listing.open_tasks, v_listing.sweep);
  end if;
  perform connector.place_orphans(p_state.endpoint_id)
  where not p_state.scope_is_tree;
  select * into v_settled from connector.settle_pending(p_state.endpoint_id);
  perform connector.count_deleted(p_state, v_settled.deleted, v_settled.bytes, 0);

  -- The logs have been read to their ends.
  delete from connector.losses as l where l.endpoint_id = p_state.endpoint_id;

  if v_listing.id is not null then
    perform connector.note_folder_errors(v_listing);
    select v_listing.receipt || jsonb_build_object('subtrees_skipped', count(*)), min(k.message)
    into receipt, skipped_message
    from connector.skipped_subtrees as k where k.listing_id = v_listing.id;
    -- A search that Google itself calls incomplete is no ground to build on: list again.
    if v_listing.is_full then
      v_is_ground := coalesce((v_listing.receipt ->> 'incomplete_searches')::bigint, 0) = 0;
      update connector.endpoint_states as s
      set can_sync_incrementally = v_is_ground,
          last_listing_completed_at = case when v_is_ground then now() else s.last_listing_completed_at end,
          owes_sweep = v_listing.sweep <> 'nothing',
          incomplete_listings = case when v_listing.sweep = 'nothing' then 0
            else s.incomplete_listings + 1 end,
          -- What passes by itself has passed by the next run; after that, as with the ledger.
          next_listing_at = case when v_listing.sweep <> 'nothing' and s.incomplete_listings > 0
            then now() + make_interval(
              mins => least(15 * (2 ^ least(s.incomplete_listings - 1, 10))::integer, 1440)) end
      where s.endpoint_id = p_state.endpoint_id;
    end if;
    delete from connector.listings as g where g.id = v_listing.id;
  end if;
end;
$$;
