-- Purpose:  what a row of public.endpoints may say: cron expressions, time zones, file type patterns.
-- Depends:  20261122100000_create_connector_schema.sql
-- Rollback: drop the functions below.

-- Replaces month and weekday names in one cron field by their numbers.
create function connector.number_cron_names(p_field text, p_names text[], p_first integer)
returns text
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  v_field text := upper(p_field);
begin
  for v_index in 1 .. coalesce(array_length(p_names, 1), 0) loop
    v_field := regexp_replace(
      v_field, '(^|[,-])' || p_names[v_index] || '(?=$|[,/-])',
      '\1' || (v_index - 1 + p_first)::text, 'g');
  end loop;
  return v_field;
end;
$$;
comment on function connector.number_cron_names(text, text[], integer) is
  'One cron field with JAN or MON style names replaced by numbers.';

-- Null when the field is valid, else what is wrong with it. Grammar: * | n | a-b, each with /step
-- (a step needs * or a range, as in vixie cron), and lists of those.
create function connector.cron_field_problem(
  p_label text, p_field text, p_lowest integer, p_highest integer
)
returns text
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  v_part text;
  v_match text[];
  v_from integer;
  v_to integer;
begin
  foreach v_part in array string_to_array(p_field, ',') loop
    v_match := regexp_match(v_part, '^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,3}))?$');
    if v_match is null then
      return format('%s %L is not *, a number, a range a-b or a list of those, with an optional /step',
        p_label, v_part);
    end if;
    v_from := coalesce(v_match[2]::integer, p_lowest);
    v_to := coalesce(v_match[3]::integer, case when v_match[1] is null then v_from else p_highest end);
    if v_from < p_lowest or v_to > p_highest or v_from > v_to then
      return format('%s %L must lie between %s and %s, lower number first',
        p_label, v_part, p_lowest, p_highest);
    end if;
    if v_match[4] is not null
      and ((v_match[1] is null and v_match[3] is null) or v_match[4]::integer not between 1 and p_highest)
    then
      return format('%s %L: a step needs * or a range before it and lies between 1 and %s',
        p_label, v_part, p_highest);
    end if;
  end loop;
  return null;
end;
$$;
comment on function connector.cron_field_problem(text, text, integer, integer) is
  'Null when one numeric cron field is valid, else what is wrong with it.';

-- Null when the expression is valid, else what is wrong with it. Everything accepted here is also
-- accepted by the cron library that computes the next run (a test compares the two).
create function connector.cron_problem(p_expression text)
returns text
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  v_fields text[] := regexp_split_to_array(btrim(p_expression, ' '), ' +');
begin
  if array_length(v_fields, 1) is distinct from 5 then
    return 'it must have five fields: minute, hour, day of month, month, day of week';
  end if;
  return coalesce(
    connector.cron_field_problem('minute', v_fields[1], 0, 59),
    connector.cron_field_problem('hour', v_fields[2], 0, 23),
    connector.cron_field_problem('day of month', v_fields[3], 1, 31),
    connector.cron_field_problem(
      'month',
      connector.number_cron_names(v_fields[4],
        array['JAN','FEB','MAR','APR','MAY','JUN','JUL','AUG','SEP','OCT','NOV','DEC'], 1),
      1, 12),
    connector.cron_field_problem(
      'day of week',
      connector.number_cron_names(v_fields[5], array['SUN','MON','TUE','WED','THU','FRI','SAT'], 0),
      0, 7)
  );
end;
$$;
comment on function connector.cron_problem(text) is
  'Null when the cron expression is valid, else what is wrong with it.';

-- IANA names only: Postgres also takes abbreviations and POSIX rules ("CEST", "Foo+3"), which the
-- cron library does not know.
create function connector.is_timezone(p_name text)
returns boolean
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if p_name !~ '^(UTC|GMT|[A-Z][A-Za-z]+(/[A-Z][A-Za-z_-]+){1,2}|Etc/GMT[+-]([1-9]|1[0-4]))$' then
    return false;
  end if;
  perform pg_catalog.now() at time zone p_name;
  return true;
exception when invalid_parameter_value then
  return false;
end;
$$;
comment on function connector.is_timezone(text) is 'True for an IANA time zone name that this server knows.';

-- Null when every pattern is valid, else what is wrong with the list.
create function connector.file_types_problem(p_file_types jsonb)
returns text
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  v_pattern jsonb;
begin
  if jsonb_typeof(p_file_types) <> 'array' then
    return 'it must be an array of strings';
  end if;
  if jsonb_array_length(p_file_types) = 0 then
    return 'the list is empty; use ["*"] for every file';
  end if;
  for v_pattern in select jsonb_array_elements(p_file_types) loop
    if jsonb_typeof(v_pattern) <> 'string' then
      return format('%s is not a string', left(v_pattern::text, 60));
    end if;
    if (v_pattern #>> '{}') !~ '^(\*|\.?[^\s./*][^\s/*]*|[^\s/*]+/(\*|[^\s/*]+))$' then
      return format('%s is not *, an extension or a MIME type', left(v_pattern::text, 60));
    end if;
  end loop;
  return null;
end;
$$;
comment on function connector.file_types_problem(jsonb) is
  'Null when a file_types list is valid, else what is wrong with it.';

revoke execute on function
  connector.number_cron_names(text, text[], integer),
  connector.cron_field_problem(text, text, integer, integer),
  connector.cron_problem(text),
  connector.is_timezone(text),
  connector.file_types_problem(jsonb)
from public, anon, authenticated, service_role;
