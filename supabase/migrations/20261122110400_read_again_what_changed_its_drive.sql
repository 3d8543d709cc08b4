-- Purpose:  a folder that moves into another drive is walked again, with all below it: what lies there is
--           described otherwise now, and the change feed does not say so.
-- Depends:  20261122100800_create_paths.sql, 20261122101200_create_commits.sql
-- Rollback: create connector.upsert_folders and connector.refuse_stale_folders as they were, drop
--           connector.is_elsewhere().

-- Whether what the provider shows of a folder names a place, such as a drive, and another one than
-- before. Any other state is a condition of the folder.
create function connector.is_elsewhere(p_before jsonb, p_now jsonb)
returns boolean
language sql immutable security invoker set search_path = ''
as $$
  select p_before is distinct from p_now
    and (p_before -> 'place' is not null or p_now -> 'place' is not null);
$$;

-- Writes what a page says of folders. `changed`: those that are new, renamed or moved; `fresh`:
-- those that were not in the scope before, or in another place. A page never takes rootness from the
-- top of a scope (a scope may lie inside another); the real folder takes the place of its stand-in.
create or replace function connector.upsert_folders(
  p_endpoint_id uuid, p_listing_id bigint, p_folders jsonb, out changed text[], out fresh text[]
)
language sql volatile security invoker set search_path = ''
as $$
  with incoming as (
    select distinct on (r.external_folder_id)
      r.external_folder_id, r.external_parent_id, r.folder_name,
      r.is_root or coalesce(known.is_root and not known.is_stand_in, false) as is_root,
      known.external_folder_id is null or known.is_gone or known.is_stand_in
        or connector.is_elsewhere(known.shown_state, r.provider_state) as is_fresh,
      known.external_folder_id is null
        or (known.external_parent_id, known.folder_name, known.is_root, known.is_stand_in, known.is_gone)
        is distinct from (r.external_parent_id, r.folder_name,
          r.is_root or (known.is_root and not known.is_stand_in), false, false) as is_changed,
      known.seen_listing_id, r.provider_state,
      known.shown_state is distinct from r.provider_state as is_shown_changed
    from (
      select p.external_folder_id, p.folder_name, p.is_root, p.provider_state,
        case when p.candidate_parent_ids is null then p.external_parent_id
          else connector.first_known_parent(
            p_endpoint_id, p.candidate_parent_ids, p.external_parent_id) end as external_parent_id
      from jsonb_to_recordset(p_folders) as p (
        external_folder_id text, external_parent_id text, candidate_parent_ids jsonb,
        folder_name text, is_root boolean, provider_state jsonb)
    ) as r
    left join connector.folders as known
      on known.endpoint_id = p_endpoint_id and known.external_folder_id = r.external_folder_id
    order by r.external_folder_id, r.is_root desc
  ),
  written as (
    insert into connector.folders as f
      (endpoint_id, external_folder_id, external_parent_id, folder_name, is_root, seen_listing_id,
       shown_state)
    select p_endpoint_id, i.external_folder_id, i.external_parent_id, i.folder_name, i.is_root,
      coalesce(p_listing_id, i.seen_listing_id), i.provider_state
    from incoming as i
    where i.is_changed or i.is_shown_changed
      or i.seen_listing_id is distinct from coalesce(p_listing_id, i.seen_listing_id)
    on conflict (endpoint_id, external_folder_id) do update
    set external_parent_id = excluded.external_parent_id,
        folder_name = excluded.folder_name,
        is_root = excluded.is_root,
        is_stand_in = false,
        is_gone = false,
        seen_listing_id = excluded.seen_listing_id,
        shown_state = excluded.shown_state
  )
  select
    coalesce(array_agg(i.external_folder_id) filter (where i.is_changed), '{}'),
    coalesce(array_agg(i.external_folder_id) filter (where i.is_fresh), '{}')
  from incoming as i;
$$;

-- A folder that shows another state than it had was out of sight, or was replaced: of what happened
-- below it meanwhile the feeds know nothing. One that lies elsewhere is walked again.
create or replace function connector.refuse_stale_folders(p_endpoint_id uuid, p_folders jsonb)
returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if exists (
    select
    from jsonb_array_elements(p_folders) as r
    join connector.folders as f
      on f.endpoint_id = p_endpoint_id and f.external_folder_id = r ->> 'external_folder_id'
    where not f.is_gone and f.shown_state is not null
      and f.shown_state is distinct from r -> 'provider_state'
      and not connector.is_elsewhere(f.shown_state, r -> 'provider_state'))
  then
    raise exception using errcode = 'FC005',
      message = 'Cannot follow the change feed: it does not tell what happened below a folder',
      hint = 'List everything again';
  end if;
end;
$$;

revoke execute on function connector.is_elsewhere(jsonb, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function connector.is_elsewhere(jsonb, jsonb) to service_role;
