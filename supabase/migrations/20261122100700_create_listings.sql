-- Purpose:  listings, cut into tasks: the frontier of a walk lives here, not in a worker's memory.
--           And the change feeds that follow a listing.
-- Depends:  20261122100600_create_scheduling.sql
-- Rollback: drop table connector.listings cascade;  -- running listings begin again
create table connector.listings (
  id bigint generated always as identity primary key,
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  sweep text not null
    constraint listings_sweep_check check (sweep in ('everything', 'walked_folders', 'nothing')),
  is_full boolean not null,
  needs_confirmation boolean not null default false,
  may_delete_all boolean not null default false,
  deletion_reason text not null default 'removed'
    constraint listings_deletion_reason_check check (deletion_reason in ('removed', 'out_of_scope')),
  open_tasks bigint not null default 0
    constraint listings_open_tasks_check check (open_tasks >= 0),
  receipt jsonb not null default '{}',
  started_at timestamptz not null default now(),
  constraint listings_endpoint_id_key unique (endpoint_id)
);
comment on table connector.listings is
  'The open listing of an endpoint; it may take several runs, and is deleted when it ends.';
comment on column connector.listings.sweep is
  'Which files are gone if the listing, complete, has not shown them: everything in scope, those in folders that it walked, or none.';
comment on column connector.listings.is_full is
  'It looks at the whole scope; else only at folders that came into it, or that could not be read before.';
comment on column connector.listings.needs_confirmation is
  'The provider is asked about each item that was not shown before it counts as gone.';
comment on column connector.listings.may_delete_all is
  'The owner approved the deletions or changed the scope: the fuse is off.';

create table connector.tasks (
  id bigint generated always as identity primary key,
  listing_id bigint not null references connector.listings (id) on delete cascade,
  kind text not null,
  key text,
  folder_ids text[] not null default '{}',
  cursor jsonb,
  sequence integer not null default 0,
  is_done boolean not null default false
);
comment on table connector.tasks is
  'Units of listing work, each read page by page with its own cursor. Keyed tasks stay until the listing ends, so that a second seed is ignored.';
comment on column connector.tasks.sequence is
  'Pages committed; a commit names the number it follows, so that a repeated commit changes nothing.';
create unique index tasks_listing_id_kind_key_key
  on connector.tasks (listing_id, kind, key) where key is not null;
-- Serves the worker's question for open tasks; also the foreign key.
create index tasks_listing_id_id_idx on connector.tasks (listing_id, id) where not is_done;

create table connector.seen_files (
  listing_id bigint not null references connector.listings (id) on delete cascade,
  external_file_id text not null,
  primary key (listing_id, external_file_id)
);
comment on table connector.seen_files is
  'Files that stood in public.files before the listing and were shown by it. Kept apart, so that listing an unchanged drive writes no row of public.files.';

create table connector.absences (
  listing_id bigint not null references connector.listings (id) on delete cascade,
  external_id text not null,
  primary key (listing_id, external_id)
);
comment on table connector.absences is
  'Items that a listing did not show and of which the provider, asked, could not say that they are gone.';

create table connector.feeds (
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  feed_key text not null,
  cursor jsonb,
  sequence integer not null default 0,
  primary key (endpoint_id, feed_key)
);
comment on table connector.feeds is
  'Positions in the provider''s change logs. A full listing sets them to where the logs stood before it began, so that what changed meanwhile is replayed.';
comment on column connector.feeds.sequence is
  'Pages committed, as in connector.tasks.';

create table connector.pending_items (
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  external_id text not null,
  is_folder boolean not null,
  external_parent_id text,
  record jsonb not null,
  primary key (endpoint_id, external_id)
);
comment on table connector.pending_items is
  'Items of a tree scope that the change feed showed before, or without, their parent. At the end of the run what still has no known parent lies outside the scope.';
-- Serves the placing of what waits for a folder.
create index pending_items_endpoint_id_external_parent_id_idx
  on connector.pending_items (endpoint_id, external_parent_id);

create table connector.folder_errors (
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  external_folder_id text not null,
  failure_code text not null references connector.failure_codes (failure_code),
  message text not null,
  failures integer not null default 1,
  next_attempt_at timestamptz not null,
  primary key (endpoint_id, external_folder_id)
);
comment on table connector.folder_errors is
  'Folders that cannot be read. While one is here the endpoint''s runs are partial; each is tried again by itself.';
-- Serves the foreign key.
create index folder_errors_failure_code_idx on connector.folder_errors (failure_code);

create table connector.skipped_subtrees (
  listing_id bigint not null references connector.listings (id) on delete cascade,
  external_folder_id text not null,
  failure_code text not null references connector.failure_codes (failure_code),
  message text not null,
  primary key (listing_id, external_folder_id)
);
comment on table connector.skipped_subtrees is
  'Folders a listing could not read. While one is here the run is partial and deletes nothing.';
-- Serves the foreign key.
create index skipped_subtrees_failure_code_idx on connector.skipped_subtrees (failure_code);

alter table connector.listings enable row level security;
alter table connector.tasks enable row level security;
alter table connector.skipped_subtrees enable row level security;
alter table connector.seen_files enable row level security;
alter table connector.absences enable row level security;
alter table connector.feeds enable row level security;
alter table connector.pending_items enable row level security;
alter table connector.folder_errors enable row level security;
revoke all on table
  connector.listings, connector.tasks, connector.skipped_subtrees, connector.seen_files,
  connector.absences, connector.feeds, connector.pending_items, connector.folder_errors
  from public, anon, authenticated, service_role;
grant select, insert, update, delete on table
  connector.listings, connector.tasks, connector.skipped_subtrees, connector.seen_files,
  connector.absences, connector.feeds, connector.pending_items, connector.folder_errors
  to service_role;
create policy "the service role keeps the seen files"
  on connector.seen_files for all to service_role using (true) with check (true);
create policy "the service role keeps the absences"
  on connector.absences for all to service_role using (true) with check (true);
create policy "the service role keeps the feeds"
  on connector.feeds for all to service_role using (true) with check (true);
create policy "the service role keeps the pending items"
  on connector.pending_items for all to service_role using (true) with check (true);
create policy "the service role keeps the folder errors"
  on connector.folder_errors for all to service_role using (true) with check (true);
create policy "the service role keeps the listings"
  on connector.listings for all to service_role using (true) with check (true);
create policy "the service role keeps the tasks"
  on connector.tasks for all to service_role using (true) with check (true);
create policy "the service role keeps the skipped subtrees"
  on connector.skipped_subtrees for all to service_role using (true) with check (true);

-- Definer: an owner's edit of the scope ends what was being listed, in tables the owner may not write.
create function connector.apply_scope_change()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.user_id is distinct from old.user_id then
    update connector.endpoint_states set user_id = new.user_id
    where endpoint_states.endpoint_id = new.id;
  end if;
  if (new.endpoint_type, new.project_id, new.endpoint_config, new.file_types)
    is not distinct from
    (old.endpoint_type, old.project_id, old.endpoint_config, old.file_types)
  then
    return null;
  end if;
  perform connector.supersede_run(
    new.id, 'The endpoint''s scope was changed while it was syncing; a full sync follows.');
  delete from connector.listings where listings.endpoint_id = new.id;
  delete from connector.feeds where feeds.endpoint_id = new.id;
  delete from connector.pending_items where pending_items.endpoint_id = new.id;
  delete from connector.folder_errors where folder_errors.endpoint_id = new.id;
  update connector.endpoint_states as s
  set endpoint_type = new.endpoint_type,
      can_sync_incrementally = false,
      is_scope_changed = true,
      are_deletions_approved = false,
      held_deletions = null,
      provider_memory = null,
      last_listing_completed_at = null,
      consecutive_failures = 0,
      next_run_at = case when new.enabled then now() else s.next_run_at end
  where s.endpoint_id = new.id;
  -- An access token of the application's own was made for the old configuration (whom to act as).
  update public.oauth_tokens as t set is_active = false
  where t.endpoint_id = new.id and t.is_active and t.refresh_token is null;
  update public.endpoints
  set last_sync_status = 'pending', last_error_code = null, last_error_message = null
  where endpoints.id = new.id;
  return null;
end;
$$;
revoke execute on function connector.apply_scope_change()
  from public, anon, authenticated, service_role;
create trigger apply_scope_change
  after update of endpoint_type, project_id, endpoint_config, file_types, user_id
  on public.endpoints
  for each row execute function connector.apply_scope_change();

-- Tasks of a listing as the worker knows them, oldest first.
create function connector.open_tasks(p_listing_id bigint, p_after_id bigint, p_limit integer)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select coalesce(jsonb_agg(to_jsonb(t) order by t.id), '[]'::jsonb)
  from (
    select tasks.id, tasks.kind, tasks.folder_ids, tasks.cursor, tasks.sequence
    from connector.tasks
    where tasks.listing_id = p_listing_id and not tasks.is_done and tasks.id > p_after_id
    order by tasks.id
    limit p_limit
  ) as t;
$$;

-- Creates the tasks for folders to walk, for folders to walk if they changed since they were last read
-- to the end, and for seeds; returns how many. A folder is walked once a listing, and a seed's kind
-- and key are taken once, however often a page is repeated.
create function connector.add_tasks(
  p_endpoint_id uuid, p_listing_id bigint, p_walk jsonb, p_walk_changed jsonb,
  p_folders_per_task integer, p_seeds jsonb
)
returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_walks integer := 0;
  v_seeds integer := 0;
begin
  if jsonb_array_length(coalesce(p_walk, '[]') || coalesce(p_walk_changed, '[]')) > 0 then
    with asked as (
      select w.id, true as is_certain from jsonb_array_elements_text(p_walk) as w (id)
      union all
      select w.id, false from jsonb_array_elements_text(p_walk_changed) as w (id)
    ),
    fresh as (
      update connector.folders as f
      set enqueued_listing_id = p_listing_id, walking_state = f.shown_state
      where f.endpoint_id = p_endpoint_id
        and f.enqueued_listing_id is distinct from p_listing_id
        and exists (
          select from asked
          where asked.id = f.external_folder_id
            and (asked.is_certain or f.provider_state is distinct from f.shown_state))
      returning f.external_folder_id
    ),
    numbered as (
      select fresh.external_folder_id,
             (row_number() over (order by fresh.external_folder_id) - 1) / p_folders_per_task as group_no
      from fresh
    )
    insert into connector.tasks (listing_id, kind, folder_ids)
    select p_listing_id, 'walk', array_agg(numbered.external_folder_id)
    from numbered group by numbered.group_no order by numbered.group_no;
    get diagnostics v_walks = row_count;
  end if;
  if jsonb_array_length(coalesce(p_seeds, '[]')) > 0 then
    insert into connector.tasks (listing_id, kind, key, cursor)
    select p_listing_id, s.kind, s.key, nullif(s.cursor, 'null'::jsonb)
    from jsonb_to_recordset(p_seeds) as s (kind text, key text, cursor jsonb)
    on conflict (listing_id, kind, key) where key is not null do nothing;
    get diagnostics v_seeds = row_count;
  end if;
  return v_walks + v_seeds;
end;
$$;

revoke execute on function
  connector.open_tasks(bigint, bigint, integer),
  connector.add_tasks(uuid, bigint, jsonb, jsonb, integer, jsonb)
from public, anon, authenticated;
grant execute on function
  connector.open_tasks(bigint, bigint, integer),
  connector.add_tasks(uuid, bigint, jsonb, jsonb, integer, jsonb)
to service_role;
