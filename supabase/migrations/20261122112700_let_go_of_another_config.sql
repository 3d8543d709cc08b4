-- Purpose:  another endpoint_config lets go of what the former one held, also where the provider cannot
--           be asked about it any more: another project's files, and the root that stood for a project.
--           And nothing is deleted on uncertain ground: a file of which the provider, asked, could not say
--           what became of it makes the run partial, as a folder does; and while parts of the scope cannot
--           be read, a folder that is gone takes nothing along: what lay in it may have moved to where
--           nobody can look, so each file is asked about by itself.
-- Depends:  20261122112100_ask_about_absent_items_of_partial_listings.sql
-- Rollback: create public.connector_note_absences as it was, drop the trigger, its function, the column.
alter table connector.endpoint_states add column is_config_changed boolean not null default false;
comment on column connector.endpoint_states.is_config_changed is
  'While is_scope_changed: it was endpoint_config, the type or the project, not the file types alone.';

-- Definer: it keeps the machinery's own table, which an owner may not write. It comes before the
-- trigger that notes that the scope changed.
create function connector.note_config_change()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update connector.endpoint_states as s
  set is_config_changed = (s.is_config_changed and s.is_scope_changed)
    or (new.endpoint_type, new.project_id, new.endpoint_config)
      is distinct from (old.endpoint_type, old.project_id, old.endpoint_config)
  where s.endpoint_id = new.id;
  return new;
end;
$$;
revoke execute on function connector.note_config_change()
  from public, anon, authenticated, service_role;
create trigger note_config_change
  before update of endpoint_type, project_id, endpoint_config, file_types
  on public.endpoints
  for each row execute function connector.note_config_change();

create or replace function public.connector_note_absences(p_lease jsonb, p_verdicts jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
  set statement_timeout = '60s' set jit = 'off'
as $$
declare
  v_state connector.endpoint_states;
  v_listing connector.listings;
  v_folders record;
  v_files record;
  v_filtered record;
  v_gone record;
  v_folders_there record;
  v_files_there record;
  v_gone_ids text[] := array(select jsonb_array_elements_text(p_verdicts -> 'gone'));
  v_gone_folders text[] := '{}'::text[];
  v_unknown jsonb := p_verdicts -> 'unknown';
begin
  perform pg_catalog.pg_advisory_xact_lock(
    7002, hashtext((p_lease ->> 'endpoint_id')::uuid::text));
  v_state := connector.require_lease(p_lease);
  v_listing := connector.listing_to_sweep(v_state);
  if v_listing.id is null then
    return jsonb_build_object('deleted', 0);
  end if;
  -- What neither a complete listing of another scope nor the provider shows was of the scope before.
  if v_state.is_scope_changed and v_state.is_config_changed
    and connector.is_listing_complete(v_listing)
  then
    v_gone_ids := v_gone_ids || array(
      select u.external_id from jsonb_to_recordset(v_unknown) as u (external_id text));
    v_unknown := '[]';
  end if;
  select * into v_folders_there
  from connector.split_by_parent(v_state.endpoint_id, p_verdicts -> 'present_folders');
  select * into v_files_there
  from connector.split_by_parent(v_state.endpoint_id, p_verdicts -> 'present_files');
  select * into v_folders from connector.upsert_folders(
    v_state.endpoint_id, v_listing.id, v_folders_there.placed);
  perform connector.rewrite_paths(v_state.endpoint_id, v_folders.changed);
  select * into v_files from connector.upsert_files(
    v_state.endpoint_id, v_listing.id, v_files_there.placed);
  select * into v_filtered
  from connector.delete_filtered(v_state.endpoint_id, coalesce(p_verdicts -> 'filtered', '[]'));
  insert into connector.absences (listing_id, external_id)
  select v_listing.id, u.external_id
  from jsonb_to_recordset(v_unknown) as u (external_id text)
  union
  select v_listing.id, coalesce(r ->> 'external_file_id', r ->> 'external_folder_id')
  from jsonb_array_elements(v_files_there.unplaced || v_folders_there.unplaced) as r
  on conflict (listing_id, external_id) do nothing;
  insert into connector.skipped_subtrees (listing_id, external_folder_id, failure_code, message)
  select v_listing.id, u.external_id, u.code, u.message
  from jsonb_to_recordset(v_unknown) as u (external_id text, code text, message text)
  on conflict (listing_id, external_folder_id) do nothing;
  -- It counts as asked about, and what lies in it is next.
  if not connector.is_listing_complete(v_listing) then
    v_gone_folders := array(
      select f.external_folder_id from connector.folders as f
      where f.endpoint_id = v_state.endpoint_id and f.external_folder_id = any (v_gone_ids));
    insert into connector.absences (listing_id, external_id)
    select v_listing.id, g.id from unnest(v_gone_folders) as g (id)
    on conflict (listing_id, external_id) do nothing;
  end if;
  select * into v_gone from connector.remove_items(v_state.endpoint_id, (
    select coalesce(jsonb_agg(jsonb_build_object(
      'external_id', g.id, 'reason', v_listing.deletion_reason)), '[]')
    from unnest(v_gone_ids) as g (id) where g.id <> all (v_gone_folders)));
  perform connector.count_deleted(
    v_state, v_gone.deleted + v_filtered.deleted,
    v_gone.bytes + v_filtered.bytes - v_files.bytes,
    coalesce((p_verdicts ->> 'provider_calls')::bigint, 0));
  return jsonb_build_object('deleted', v_gone.deleted + v_filtered.deleted);
end;
$$;
