-- Purpose:  a folder that a full listing has not met is not read by its id when a change log shows a folder
--           above it: it may have gone before the logs' positions were taken, and could then never be read.
--           If it is there, the reading of the folder above meets it.
-- Depends:  20261122110500_read_again_what_was_out_of_sight.sql
-- Rollback: create connector.doubtful_folders(uuid, bigint, boolean, text[]) as it was.

-- Of the folders that a feed shows, and those below them, the ones that the open listing may have
-- read while they were out of sight: they then looked empty, and the feed tells of nothing but the
-- folder that came back. A full listing may have missed what lies in any that it met; a walk, what lies
-- in those that it read. What has yet to be read is no matter of doubt.
create or replace function connector.doubtful_folders(
  p_endpoint_id uuid, p_listing_id bigint, p_is_noted boolean, p_shown_ids text[]
)
returns text[]
language sql stable security invoker set search_path = ''
as $$
  select coalesce(array_agg(f.external_folder_id), '{}')
  from unnest(connector.folders_below(p_endpoint_id, p_shown_ids)) as b (id)
  join connector.folders as f
    on f.endpoint_id = p_endpoint_id and f.external_folder_id = b.id
  where not f.is_gone
    and (f.enqueued_listing_id = p_listing_id or p_is_noted and f.seen_listing_id = p_listing_id)
    and b.id not in (
      select w.id
      from connector.tasks as t cross join lateral unnest(t.folder_ids) as w (id)
      where t.listing_id = p_listing_id and not t.is_done and t.sequence = 0);
$$;
