-- Purpose:  the last task of a listing, asked for with each page, and a listing's deletion are lookups:
--           the indexes there hold open tasks, or keyed ones, and neither serves. Without one that holds
--           all, each page and each end of a listing read the tasks of every other endpoint.
--           And the list of recent errors is a lookup among the errors, however many runs went well.
-- Depends:  20261122100700_create_listings.sql, 20261122100500_create_sync_logs.sql
-- Rollback: drop index connector.tasks_listing_id_last_idx, public.sync_logs_errors_finished_at_idx;
set lock_timeout = '10s';

-- Serves the question for a listing's last task; also the foreign key.
create index tasks_listing_id_last_idx on connector.tasks (listing_id, id);

-- Serves the list of recent errors in sync_status().
create index sync_logs_errors_finished_at_idx on public.sync_logs (finished_at desc)
  where error_code is not null;
