-- Purpose:  what owners read of their endpoints is looked up by index, however many others there are: an
--           `in (select …)` in a policy is a filter, for which every row of everybody is read.
-- Depends:  20261122100300_create_files.sql, 20261122100400_create_oauth_tokens.sql,
--           20261122100500_create_sync_logs.sql
-- Rollback: alter the policies to what they were.

alter policy "owners read the files of their endpoints" on public.files
  using (endpoint_id = any (array(
    select endpoints.id from public.endpoints where endpoints.user_id = (select auth.uid())
  )));
alter policy "owners read the state of their tokens" on public.oauth_tokens
  using (endpoint_id = any (array(
    select endpoints.id from public.endpoints where endpoints.user_id = (select auth.uid())
  )));
alter policy "owners read the runs of their endpoints" on public.sync_logs
  using (endpoint_id = any (array(
    select endpoints.id from public.endpoints where endpoints.user_id = (select auth.uid())
  )));
