-- Purpose:  applications follow endpoints, files and runs live, by Realtime, which applies the policies of
--           the tables to each subscriber. Where there is no Realtime there is no publication.
-- Depends:  20261122100500_create_sync_logs.sql
-- Rollback: alter publication supabase_realtime drop table public.endpoints, public.files, public.sync_logs;
do $$
declare
  v_table text;
begin
  -- A publication of all tables takes no single ones; and a table may have been added by hand.
  if not exists (
    select from pg_catalog.pg_publication as p
    where p.pubname = 'supabase_realtime' and not p.puballtables
  ) then
    return;
  end if;
  foreach v_table in array array['endpoints', 'files', 'sync_logs'] loop
    if not exists (
      select from pg_catalog.pg_publication_tables as t
      where t.pubname = 'supabase_realtime' and t.schemaname = 'public' and t.tablename = v_table
    ) then
      execute format('alter publication supabase_realtime add table public.%I', v_table);
    end if;
  end loop;
end;
$$;
