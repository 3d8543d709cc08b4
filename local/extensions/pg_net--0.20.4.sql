-- Purpose:  the objects of pg_net 0.20, so that migrations and functions run unchanged.
-- Depends:  local/worker, which sends what is queued here.

create schema net;

create domain net.http_method as text
  check (value ilike 'get' or value ilike 'post' or value ilike 'delete');

-- Unlogged as in pg_net: a crash of the server empties both.
create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);

create index _http_response_created_idx on net._http_response (created);

-- The notification arrives at commit: what is rolled back is never sent.
create function net.wake() returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify('pg_net_wake', '');
end;
$$;

create function net.worker_restart() returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  perform net.wake();
  return true;
end;
$$;

create function net.check_worker_is_up() returns void
language plpgsql volatile set search_path = ''
as $$
begin
  if not exists (
    select from pg_catalog.pg_stat_activity where application_name like 'pg_net stand-in %'
  ) then
    raise exception 'the pg_net background worker is not up'
      using detail = 'The worker process of the embedded stack is not connected.';
  end if;
end;
$$;

create function net.wait_until_running() returns void
language plpgsql volatile set search_path = ''
as $$
begin
  while not exists (
    select from pg_catalog.pg_stat_activity where application_name like 'pg_net stand-in %'
  ) loop
    perform pg_catalog.pg_sleep(0.05);
    perform pg_catalog.pg_stat_clear_snapshot();
  end loop;
end;
$$;

-- Percent-encodes all but the unreserved characters of RFC 3986.
create function net._urlencode_string(string varchar) returns text
language sql immutable strict parallel safe set search_path = ''
as $$
  select coalesce(string_agg(
    case
      when bytes.value between 48 and 57 or bytes.value between 65 and 90
        or bytes.value between 97 and 122 or bytes.value in (45, 46, 95, 126)
      then chr(bytes.value)
      else '%' || upper(lpad(to_hex(bytes.value), 2, '0'))
    end, '' order by bytes.position), '')
  from (
    select positions.position, get_byte(convert_to(string, 'UTF8'), positions.position) as value
    from generate_series(0, octet_length(convert_to(string, 'UTF8')) - 1) as positions (position)
  ) as bytes;
$$;

create function net._encode_url_with_params_array(url text, params_array text[]) returns text
language sql immutable strict parallel safe set search_path = ''
as $$
  select case
    when cardinality(params_array) = 0 then url
    else url || case when strpos(url, '?') > 0 then '&' else '?' end
      || array_to_string(params_array, '&')
  end;
$$;

create function net._enqueue(
  method text, url text, params jsonb, headers jsonb, body bytea, timeout_milliseconds integer
) returns bigint
language plpgsql volatile set search_path = ''
as $$
declare
  v_id bigint;
  v_params text[];
begin
  select coalesce(array_agg(
    net._urlencode_string(pairs.key) || '=' || net._urlencode_string(pairs.value)
  ), '{}')
  into v_params
  from jsonb_each_text(params) as pairs;

  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    _enqueue.method, net._encode_url_with_params_array(_enqueue.url, v_params),
    _enqueue.headers, _enqueue.body, _enqueue.timeout_milliseconds
  )
  returning id into v_id;
  perform net.wake();
  return v_id;
end;
$$;

create function net.http_get(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds integer default 5000
) returns bigint
language plpgsql volatile strict set search_path = ''
as $$
begin
  return net._enqueue('GET', url, params, headers, null, timeout_milliseconds);
end;
$$;

create function net.http_post(
  url text,
  body jsonb default '{}'::jsonb,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{"Content-Type": "application/json"}'::jsonb,
  timeout_milliseconds integer default 5000
) returns bigint
language plpgsql volatile set search_path = ''
as $$
declare
  v_content_type text;
begin
  select pairs.value into v_content_type
  from jsonb_each_text(coalesce(headers, '{}'::jsonb)) as pairs
  where lower(pairs.key) = 'content-type'
  limit 1;

  if v_content_type is null then
    headers := headers || '{"Content-Type": "application/json"}'::jsonb;
  elsif v_content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  if body is null then
    raise exception 'body must not be null';
  end if;

  return net._enqueue(
    'POST', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  );
end;
$$;

create function net.http_delete(
  url text,
  params jsonb default '{}'::jsonb,
  headers jsonb default '{}'::jsonb,
  timeout_milliseconds integer default 5000,
  body jsonb default null
) returns bigint
language plpgsql volatile set search_path = ''
as $$
begin
  return net._enqueue(
    'DELETE', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  );
end;
$$;

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
create type net.http_response as (status_code integer, headers jsonb, body text);
create type net.http_response_result as (
  status net.request_status, message text, response net.http_response
);

create function net._http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql volatile strict set search_path = ''
as $$
declare
  v_row net._http_response;
  v_nothing net.http_response;
begin
  loop
    select responses.* into v_row
    from net._http_response as responses
    where responses.id = request_id;
    exit when found or async;
    perform pg_catalog.pg_sleep(0.05);
  end loop;

  if v_row.id is null then
    if exists (select from net.http_request_queue as queue where queue.id = request_id) then
      return row('PENDING', 'request is pending processing', v_nothing)::net.http_response_result;
    end if;
    return row('ERROR', 'request matching request_id not found', v_nothing)
      ::net.http_response_result;
  end if;
  if v_row.error_msg is not null then
    return row('ERROR', v_row.error_msg, v_nothing)::net.http_response_result;
  end if;
  return row(
    'SUCCESS', 'ok', row(v_row.status_code, v_row.headers, v_row.content)::net.http_response
  )::net.http_response_result;
end;
$$;

create function net.http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql volatile strict set search_path = ''
as $$
begin
  raise notice 'The net.http_collect_response function is deprecated.';
  return net._http_collect_response(request_id, async);
end;
$$;

-- As on the platform: whoever has a database role may queue, and may read what is queued.
grant usage on schema net to public;
grant all on all tables in schema net to public;
grant all on all sequences in schema net to public;
