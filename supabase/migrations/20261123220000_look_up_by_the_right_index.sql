-- Purpose:  a file, a folder or a pending item is looked up by its own index whatever statistics say: where they say that an
--           endpoint has one row, an index that begins with the endpoint passes for as good, and reads all
--           rows of the endpoint instead, for every row of a page.
-- Depends:  20261122100300_create_files.sql, 20261122100700_create_listings.sql
-- Rollback: create index files_endpoint_id_external_parent_id_idx
--             on public.files (endpoint_id, external_parent_id);
--           create index folders_endpoint_id_external_parent_id_idx
--             on connector.folders (endpoint_id, external_parent_id);
--           create index pending_items_endpoint_id_external_parent_id_idx
--             on connector.pending_items (endpoint_id, external_parent_id);
--           drop index public.files_external_parent_id_endpoint_id_idx,
--             connector.folders_external_parent_id_endpoint_id_idx,
--             connector.pending_items_external_parent_id_endpoint_id_idx;
set lock_timeout = '10s';

-- Serves path rewriting below a folder, and the listing of one folder's files.
create index files_external_parent_id_endpoint_id_idx
  on public.files (external_parent_id, endpoint_id);
drop index public.files_endpoint_id_external_parent_id_idx;

-- Serves path rewriting, which goes from a folder to its children.
create index folders_external_parent_id_endpoint_id_idx
  on connector.folders (external_parent_id, endpoint_id);
drop index connector.folders_endpoint_id_external_parent_id_idx;

-- Serves the placing of what waits for a folder.
create index pending_items_external_parent_id_endpoint_id_idx
  on connector.pending_items (external_parent_id, endpoint_id);
drop index connector.pending_items_endpoint_id_external_parent_id_idx;
