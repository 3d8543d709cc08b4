-- Purpose:  the objects of pg_cron 1.6, so that migrations run unchanged.
-- Depends:  local/worker, which runs the jobs written here.

create schema cron;
create sequence cron.jobid_seq;
create sequence cron.runid_seq;

create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default inet_server_port(),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
grant select on cron.job to public;

create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);
grant select, delete on cron.job_run_details to public;
grant select on sequence cron.jobid_seq, cron.runid_seq to public;

-- True when `field` is a list of numbers, names, ranges and steps within the bounds.
create function cron._is_field(field text, lowest integer, highest integer, names text[])
returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  v_part text;
  v_groups text[];
  v_from integer;
  v_to integer;
begin
  foreach v_part in array string_to_array(lower(field), ',') loop
    for position in 1 .. cardinality(names) loop
      v_part := regexp_replace(
        v_part, '\m' || names[position] || '\M', (position - 1 + lowest)::text, 'g'
      );
    end loop;
    v_groups := regexp_match(v_part, '^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?$');
    if v_groups is null or v_groups[4]::integer = 0 then
      return false;
    end if;
    -- A step needs a star or a range to walk over.
    if v_groups[4] is not null and v_groups[1] is null and v_groups[3] is null then
      return false;
    end if;
    v_from := coalesce(v_groups[2]::integer, lowest);
    v_to := coalesce(v_groups[3]::integer, v_from);
    if v_from < lowest or v_to > highest or v_from > v_to then
      return false;
    end if;
  end loop;
  return cardinality(string_to_array(field, ',')) > 0;
end;
$$;

create function cron._is_schedule(schedule text) returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  v_seconds text := substring(lower(btrim(schedule)) from '^(\d{1,2}) seconds?$');
  v_fields text[] := regexp_split_to_array(btrim(schedule), '\s+');
begin
  if v_seconds is not null then
    return v_seconds::integer between 1 and 59;
  end if;
  if lower(btrim(schedule)) in (
    '@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'
  ) then
    return true;
  end if;
  return cardinality(v_fields) = 5
    and cron._is_field(v_fields[1], 0, 59, '{}')
    and cron._is_field(v_fields[2], 0, 23, '{}')
    and (v_fields[3] = '$' or cron._is_field(v_fields[3], 1, 31, '{}'))
    and cron._is_field(
      v_fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'
    )
    and cron._is_field(v_fields[5], 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
end;
$$;

-- Within a definer function current_user is its owner: the role that called is the one set, or
-- the one that logged in.
create function cron._caller() returns text
language sql stable set search_path = ''
as $$
  select case current_setting('role') when 'none' then session_user::text
    else current_setting('role') end;
$$;

create function cron._check(schedule text, username text, database text) returns void
language plpgsql stable set search_path = ''
as $$
begin
  if schedule is not null and not cron._is_schedule(schedule) then
    raise exception 'invalid schedule: %', schedule
      using errcode = 'invalid_parameter_value',
        hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = username) then
    raise exception 'role "%" does not exist', username using errcode = 'undefined_object';
  end if;
  if not has_database_privilege(username, database, 'CONNECT') then
    raise exception 'User % does not have CONNECT privilege on %', username, database
      using errcode = 'insufficient_privilege';
  end if;
  if username <> cron._caller() and not exists (
    select from pg_catalog.pg_roles where rolname = cron._caller() and rolsuper
  ) then
    raise exception 'must be superuser to schedule a job for another role'
      using errcode = 'insufficient_privilege';
  end if;
end;
$$;

-- Definer, like the functions below: callers may not write cron.job themselves.
create function cron.schedule_in_database(
  job_name text,
  schedule text,
  command text,
  database text,
  username text default null,
  active boolean default true
) returns bigint
language plpgsql volatile security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  v_username text := coalesce(schedule_in_database.username, cron._caller());
  v_id bigint;
begin
  if job_name is null then
    raise exception 'job_name can not be NULL';
  end if;
  perform cron._check(schedule_in_database.schedule, v_username, schedule_in_database.database);
  insert into cron.job (jobname, schedule, command, database, username, active)
  values (
    job_name, schedule_in_database.schedule, schedule_in_database.command,
    schedule_in_database.database, v_username, schedule_in_database.active
  )
  on conflict on constraint jobname_username_uniq do update
  set schedule = excluded.schedule, command = excluded.command,
    database = excluded.database
  returning jobid into v_id;
  return v_id;
end;
$$;
revoke execute on function
  cron.schedule_in_database(text, text, text, text, text, boolean) from public;

create function cron.schedule(job_name text, schedule text, command text) returns bigint
language plpgsql volatile security definer set search_path = ''
as $$
begin
  return cron.schedule_in_database(job_name, schedule, command, current_database()::text);
end;
$$;

create function cron.schedule(schedule text, command text) returns bigint
language plpgsql volatile strict security definer set search_path = ''
as $$
declare
  v_id bigint;
begin
  perform cron._check(schedule, cron._caller(), current_database()::text);
  insert into cron.job (schedule, command, username)
  values (schedule.schedule, schedule.command, cron._caller())
  returning jobid into v_id;
  return v_id;
end;
$$;

create function cron.unschedule(job_id bigint) returns boolean
language plpgsql volatile strict security definer set search_path = ''
as $$
begin
  delete from cron.job
  where jobid = job_id and (
    username = cron._caller()
    or exists (select from pg_catalog.pg_roles where rolname = cron._caller() and rolsuper)
  );
  if not found then
    raise exception 'could not find valid entry for job %', job_id;
  end if;
  return true;
end;
$$;

create function cron.unschedule(job_name text) returns boolean
language plpgsql volatile strict security definer set search_path = ''
as $$
begin
  delete from cron.job where jobname = job_name and username = cron._caller();
  if not found then
    raise exception 'could not find valid entry for job ''%''', job_name;
  end if;
  return true;
end;
$$;

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  v_owner text;
begin
  select jobs.username into v_owner from cron.job as jobs where jobs.jobid = job_id;
  if v_owner is null then
    raise exception 'Job % does not exist or you don''t own it', job_id;
  end if;
  perform cron._check(
    null, v_owner, coalesce(alter_job.database, current_database()::text)
  );
  perform cron._check(
    alter_job.schedule, coalesce(alter_job.username, v_owner),
    coalesce(alter_job.database, current_database()::text)
  );
  update cron.job
  set schedule = coalesce(alter_job.schedule, job.schedule),
    command = coalesce(alter_job.command, job.command),
    database = coalesce(alter_job.database, job.database),
    username = coalesce(alter_job.username, job.username),
    active = coalesce(alter_job.active, job.active)
  where job.jobid = job_id;
end;
$$;
revoke execute on function
  cron.alter_job(bigint, text, text, text, text, boolean) from public;

select pg_catalog.pg_extension_config_dump('cron.job', '');
select pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');
select pg_catalog.pg_extension_config_dump('cron.job_run_details', '');
select pg_catalog.pg_extension_config_dump('cron.runid_seq', '');
