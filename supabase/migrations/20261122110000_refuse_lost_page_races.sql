-- Purpose:  two pages committed at once may show the same file: who comes second is refused and comes
--           again, so that no count of files or bytes goes wrong.
-- Depends:  20261122100900_create_writes.sql
-- Rollback: create connector.upsert_files as it was, drop connector.lose_race().

-- Ends a transaction that lost a race; the worker makes it again.
create function connector.lose_race()
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  raise exception using errcode = 'serialization_failure',
    message = 'Cannot commit this page beside another one that shows the same file',
    hint = 'Commit it again';
end;
$$;

-- Writes what a page says of files, touching only rows that changed, in the order of their ids so
-- that two pages committed at once cannot lock each other out. With a listing, notes which of the
-- rows that stood there before were shown. Of several parents the first known one counts.
-- A file may be shown by two pages at once, when it moves or has several parents. Who comes second
-- finds that the row is not (by its id) or no longer (by its time) the one it was compared with.
create or replace function connector.upsert_files(
  p_endpoint_id uuid, p_listing_id bigint, p_files jsonb,
  out added integer, out updated integer, out unchanged integer, out added_rows integer, out bytes numeric
)
language sql volatile security invoker set search_path = ''
as $$
  with incoming as (
    select distinct on (r.external_file_id)
      r.external_file_id, place.external_parent_id, r.file_name, r.file_link, r.file_size,
      r.file_type, r.mime_type, r.external_created_at, r.external_updated_at, r.file_metadata,
      case when place.external_parent_id is null then '' else parent.path end
        || '/' || connector.escape_name(r.file_name) as file_path
    from jsonb_to_recordset(p_files) as r (
      external_file_id text, external_parent_id text, candidate_parent_ids jsonb, file_name text,
      file_link text, file_size bigint, file_type text, mime_type text,
      external_created_at timestamptz, external_updated_at timestamptz, file_metadata jsonb)
    cross join lateral (
      select case when r.candidate_parent_ids is null then r.external_parent_id
        else connector.first_known_parent(
          p_endpoint_id, r.candidate_parent_ids, r.external_parent_id) end as external_parent_id
    ) as place
    left join lateral (
      select k.path from connector.folders as k
      where k.endpoint_id = p_endpoint_id and k.external_folder_id = place.external_parent_id
      offset 0
    ) as parent on true
    order by r.external_file_id
  ),
  compared as (
    select i.*, f.id, f.updated_at, f.id is null as is_new, f.deleted_at is not null as was_deleted,
      case when f.deleted_at is null then f.file_size end as size_before,
      f.id is null or (
        f.external_parent_id, f.file_name, f.file_path, f.file_link, f.file_size, f.file_type,
        f.mime_type, f.external_created_at, f.external_updated_at, f.file_metadata, f.sync_status
      ) is distinct from (
        i.external_parent_id, i.file_name, i.file_path, i.file_link, i.file_size, i.file_type,
        i.mime_type, i.external_created_at, i.external_updated_at, i.file_metadata, 'completed'
      ) as is_changed
    from incoming as i
    left join lateral (
      select * from public.files as k
      where k.endpoint_id = p_endpoint_id and k.external_file_id = i.external_file_id
      offset 0
    ) as f on true
  ),
  written as (
    insert into public.files as f (
      id, endpoint_id, external_file_id, external_parent_id, file_name, file_path, file_link,
      file_size, file_type, mime_type, external_created_at, external_updated_at, file_metadata,
      updated_at)
    select coalesce(c.id, gen_random_uuid()), p_endpoint_id, c.external_file_id,
      c.external_parent_id, c.file_name, c.file_path, c.file_link, c.file_size, c.file_type,
      c.mime_type, c.external_created_at, c.external_updated_at, c.file_metadata,
      coalesce(c.updated_at, now())
    from compared as c
    where c.is_changed
    order by c.external_file_id
    on conflict (endpoint_id, external_file_id) do update
    set external_parent_id = excluded.external_parent_id,
        file_name = excluded.file_name,
        file_path = excluded.file_path,
        file_link = excluded.file_link,
        file_size = excluded.file_size,
        file_type = excluded.file_type,
        mime_type = excluded.mime_type,
        external_created_at = excluded.external_created_at,
        external_updated_at = excluded.external_updated_at,
        file_metadata = excluded.file_metadata,
        sync_status = 'completed',
        deleted_at = null,
        deletion_reason = null,
        updated_at = now()
    where f.id = excluded.id and f.updated_at = excluded.updated_at
    returning 1
  ),
  shown as (
    insert into connector.seen_files (listing_id, external_file_id)
    select p_listing_id, c.external_file_id
    from compared as c
    where p_listing_id is not null and not c.is_new
    order by c.external_file_id
    on conflict (listing_id, external_file_id) do nothing
  )
  select
    case when count(*) filter (where c.is_changed) = (select count(*) from written)
      then (count(*) filter (where c.is_new))::integer else connector.lose_race() end,
    (count(*) filter (where c.is_changed and not c.is_new))::integer,
    (count(*) filter (where not c.is_changed))::integer,
    (count(*) filter (where c.is_new or c.was_deleted))::integer,
    coalesce(sum(coalesce(c.file_size, 0) - coalesce(c.size_before, 0)), 0)
  from compared as c;
$$;

revoke execute on function connector.lose_race() from public, anon, authenticated, service_role;
grant execute on function connector.lose_race() to service_role;
