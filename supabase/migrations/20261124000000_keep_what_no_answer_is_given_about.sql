-- Purpose:  an absent item about which the provider gives no answer, while it gives others, is kept and
--           named: also where the scope has changed, and what is not shown is let go of.
-- Depends:  20261123120300_ask_about_absent_folders_before_the_fuse.sql
-- Rollback: create connector_note_absences() as it was.

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
  -- Where the provider gave no answer, it may come to show it.
  if v_state.is_scope_changed and v_state.is_config_changed
    and connector.is_listing_complete(v_listing)
  then
    v_gone_ids := v_gone_ids || array(
      select u.external_id from jsonb_to_recordset(v_unknown) as u (external_id text, code text)
      where u.code <> 'unavailable');
    v_unknown := (
      select coalesce(jsonb_agg(u.item), '[]') from jsonb_array_elements(v_unknown) as u (item)
      where u.item ->> 'code' = 'unavailable');
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
  v_gone_folders := array(
    select f.external_folder_id from connector.folders as f
    where f.endpoint_id = v_state.endpoint_id and f.external_folder_id = any (v_gone_ids)
      and not (v_listing.may_delete_all and connector.is_listing_complete(v_listing)));
  -- It waits for the fuse. After that, in a listing that is not complete, it counts as asked about, and
  -- what lies in it is next.
  insert into connector.absences (listing_id, external_id, is_gone)
  select v_listing.id, g.id, not v_listing.may_delete_all from unnest(v_gone_folders) as g (id)
  on conflict (listing_id, external_id) do nothing;
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
