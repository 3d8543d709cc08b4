-- Purpose:  a folder that goes takes its files along also where it is not known itself: it came, between the
--           listing of the folders and that of the files, and went before the log told of it.
-- Depends:  20261122100900_create_writes.sql
-- Rollback: create connector.remove_items(uuid, jsonb) as it was.

-- Items that the change feed says are gone, each with its reason. A folder takes its subtree with it:
-- the feeds promise no entries for what lies below; but a file of several parents stays in the others.
-- A gone root keeps its row, so that it is known again when it comes back.
create or replace function connector.remove_items(
  p_endpoint_id uuid, p_removed jsonb, out deleted integer, out bytes numeric
)
language sql volatile security invoker set search_path = ''
as $$
  select connector.rehome_files(p_endpoint_id, connector.folders_below(p_endpoint_id, array(
    select r.external_id from jsonb_to_recordset(p_removed) as r (external_id text))));

  with recursive incoming as (
    select distinct on (r.external_id) r.external_id, r.reason
    from jsonb_to_recordset(p_removed) as r (external_id text, reason text)
    order by r.external_id
  ),
  subtree as (
    -- A folder may have been listed before it came, and its files after that: it is not known then.
    select incoming.external_id as external_folder_id, incoming.reason
    from incoming
    union
    select c.external_folder_id, s.reason
    from subtree as s
    join connector.folders as c
      on c.endpoint_id = p_endpoint_id
      and c.external_parent_id = s.external_folder_id
      and (not c.is_root or c.is_stand_in)
  ),
  no_longer_pending as (
    delete from connector.pending_items as p
    where p.endpoint_id = p_endpoint_id
      and p.external_id in (select incoming.external_id from incoming)
  ),
  errors_gone as (
    delete from connector.folder_errors as e
    where e.endpoint_id = p_endpoint_id
      and (e.external_folder_id in (select subtree.external_folder_id from subtree)
        or e.external_folder_id in (select incoming.external_id from incoming))
  ),
  -- A listing that could not read a folder because it was going misses nothing.
  skipped_gone as (
    delete from connector.skipped_subtrees as k
    using connector.listings as g
    where g.endpoint_id = p_endpoint_id and k.listing_id = g.id
      and (k.external_folder_id in (select subtree.external_folder_id from subtree)
        or k.external_folder_id in (select incoming.external_id from incoming))
  ),
  folders_gone as (
    delete from connector.folders as f
    where f.endpoint_id = p_endpoint_id
      and f.external_folder_id in (select subtree.external_folder_id from subtree)
      and (not f.is_root or f.is_stand_in)
  ),
  roots_gone as (
    update connector.folders as f
    set is_gone = true, provider_state = null
    where f.endpoint_id = p_endpoint_id
      and f.external_folder_id in (select incoming.external_id from incoming)
      and f.is_root and not f.is_stand_in and not f.is_gone
  ),
  -- Two joins rather than one with or: each has an index of its own.
  found as (
    select f.id, incoming.reason
    from incoming
    cross join lateral (
      select k.id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = incoming.external_id
        and k.deleted_at is null
      offset 0
    ) as f
    union all
    select f.id, subtree.reason
    from subtree
    cross join lateral (
      select k.id from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_parent_id = subtree.external_folder_id
        and k.deleted_at is null
      offset 0
    ) as f
  ),
  reasons as (
    select found.id, min(found.reason) as reason from found group by found.id
  ),
  files_gone as (
    update public.files as f
    set sync_status = 'deleted', deleted_at = now(), deletion_reason = reasons.reason, updated_at = now()
    from reasons
    where f.id = reasons.id
    returning f.file_size
  )
  select count(*)::integer, coalesce(sum(files_gone.file_size), 0) from files_gone;
$$;
