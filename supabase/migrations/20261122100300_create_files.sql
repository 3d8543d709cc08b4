-- Purpose:  public.files: one row per file of an endpoint; and connector.folders, from which its
--           paths are derived.
-- Depends:  20261122100200_create_endpoints.sql
-- Rollback: drop table public.files, connector.folders;  -- a full sync brings the rows back
create table public.files (
  id uuid primary key default gen_random_uuid(),
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  external_file_id text not null,
  file_name text not null,
  file_path text,
  file_link text not null,
  file_size bigint
    constraint files_file_size_check check (file_size >= 0),
  file_type text,
  mime_type text,
  external_created_at timestamptz,
  external_updated_at timestamptz,
  sync_status text default 'completed'
    constraint files_sync_status_check check (sync_status in ('completed', 'deleted')),
  file_metadata jsonb default '{}',
  external_parent_id text,
  deleted_at timestamptz,
  deletion_reason text
    constraint files_deletion_reason_check
    check (deletion_reason in ('trashed', 'removed', 'out_of_scope', 'filtered')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint files_endpoint_id_external_file_id_key unique (endpoint_id, external_file_id),
  constraint files_deletion_check check (
    (sync_status = 'deleted') = (deleted_at is not null)
    and (sync_status = 'deleted') = (deletion_reason is not null))
);
comment on table public.files is
  'The metadata of every file of an endpoint, as its provider shows it. A deleted file keeps its row.';
comment on column public.files.external_file_id is
  'The provider''s id: the file''s identity. Names and paths may repeat.';
comment on column public.files.file_path is
  '/ and the names below the scope''s root, joined by /. In a name, \ is written \\ and / is written \/. Null until its folder is known.';
comment on column public.files.file_size is
  'Bytes; null where the provider gives none (native documents, shortcuts).';

-- Serves path rewriting below a folder, and the listing of one folder's files.
create index files_endpoint_id_external_parent_id_idx
  on public.files (endpoint_id, external_parent_id);
-- Serves the removal of folders: files that have other parents besides stay in those.
create index files_with_several_parents_idx
  on public.files (endpoint_id, external_parent_id) where file_metadata ? 'parents';
-- Serves the end of a listing, which places files whose folder never appeared.
create index files_without_path_idx
  on public.files (endpoint_id, external_parent_id) where file_path is null;
-- Serves the retention of tombstones.
create index files_deleted_at_idx on public.files (deleted_at) where deleted_at is not null;

alter table public.files enable row level security;
revoke all on table public.files from public, anon, authenticated, service_role;
grant select on table public.files to authenticated;
grant select, insert, update, delete on table public.files to service_role;
create policy "owners read the files of their endpoints"
  on public.files for select to authenticated
  using (endpoint_id in (
    select endpoints.id from public.endpoints where endpoints.user_id = (select auth.uid())
  ));

create table connector.folders (
  endpoint_id uuid not null references public.endpoints (id) on delete cascade,
  external_folder_id text not null,
  external_parent_id text,
  folder_name text not null,
  is_root boolean not null default false,
  is_stand_in boolean not null default false,
  is_gone boolean not null default false,
  path text,
  enqueued_listing_id bigint,
  walked_listing_id bigint,
  seen_listing_id bigint,
  provider_state jsonb,
  shown_state jsonb,
  walking_state jsonb,
  primary key (endpoint_id, external_folder_id),
  constraint folders_is_stand_in_check check (is_root or not is_stand_in)
);
comment on table connector.folders is
  'The folders of an endpoint, from which files.file_path is derived.';
comment on column connector.folders.is_root is
  'The top of a scope: its path is empty.';
comment on column connector.folders.is_stand_in is
  'A root in place of a folder that the account cannot see, until that folder appears.';
comment on column connector.folders.is_gone is
  'A root that was trashed or is no longer shared; it is walked again when it comes back.';
comment on column connector.folders.provider_state is
  'What the provider showed of this folder before its last complete reading: unchanged, it need not be read again.';
comment on column connector.folders.shown_state is
  'What the provider shows of it now.';
comment on column connector.folders.walking_state is
  'What it showed when the reading that is under way was decided on.';
comment on column connector.folders.walked_listing_id is
  'The last listing that read this folder''s children to the end.';
comment on column connector.folders.seen_listing_id is
  'The last listing that met this folder.';
comment on column connector.folders.path is
  'Escaped path without a trailing slash; empty for a root; null while an ancestor is unknown.';
comment on column connector.folders.enqueued_listing_id is
  'The listing that has this folder among its tasks, so that each folder is walked once.';

-- Serves path rewriting, which goes from a folder to its children.
create index folders_endpoint_id_external_parent_id_idx
  on connector.folders (endpoint_id, external_parent_id);

alter table connector.folders enable row level security;
revoke all on table connector.folders from public, anon, authenticated, service_role;
grant select, insert, update, delete on table connector.folders to service_role;
create policy "the service role keeps the folders"
  on connector.folders for all to service_role using (true) with check (true);
