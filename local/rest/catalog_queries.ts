/** Every query answers one row with one JSON text, `result`; only schema public is exposed. */

/** Tables and views with their columns and primary keys. A partition is reached through its parent. */
export const TABLES_QUERY = `
  select coalesce(json_agg(json_build_object(
    'name', tables.relname,
    'is_view', tables.relkind in ('v', 'm'),
    'columns', coalesce((
      select json_agg(json_build_object(
        'name', columns.attname,
        'type', format_type(columns.atttypid, columns.atttypmod),
        'is_json', columns.atttypid in ('json'::regtype, 'jsonb'::regtype),
        'fallback', case
          when columns.attgenerated <> '' then null
          when columns.attidentity = 'd' then format('nextval(%L)', pg_get_serial_sequence(
            format('%I.%I', namespaces.nspname, tables.relname), columns.attname))
          else coalesce(pg_get_expr(defaults.adbin, defaults.adrelid),
            pg_get_expr(types.typdefaultbin, 0))
        end) order by columns.attnum)
      from pg_attribute columns
      join pg_type types on types.oid = columns.atttypid
      left join pg_attrdef defaults
        on defaults.adrelid = columns.attrelid and defaults.adnum = columns.attnum
      where columns.attrelid = tables.oid and columns.attnum > 0 and not columns.attisdropped
    ), '[]'),
    'primary_key', coalesce((
      select json_agg(columns.attname order by keys.position)
      from pg_constraint constraints
      cross join unnest(constraints.conkey) with ordinality keys (attnum, position)
      join pg_attribute columns
        on columns.attrelid = constraints.conrelid and columns.attnum = keys.attnum
      where constraints.conrelid = tables.oid and constraints.contype = 'p'
    ), '[]')
  ))::text, '[]') as result
  from pg_class tables
  join pg_namespace namespaces on namespaces.oid = tables.relnamespace
  where namespaces.nspname = 'public'
    and tables.relkind in ('r', 'p', 'v', 'm', 'f') and not tables.relispartition`;

const KEY_NAMES = (table: string, key: string) =>
  `(
      select json_agg(columns.attname order by keys.position)
      from unnest(constraints.${key}) with ordinality keys (attnum, position)
      join pg_attribute columns
        on columns.attrelid = constraints.${table} and columns.attnum = keys.attnum)`;

/** Foreign keys between tables of the schema; unique when a constraint covers just their columns. */
export const RELATIONSHIPS_QUERY = `
  select coalesce(json_agg(json_build_object(
    'constraint', constraints.conname,
    'table', origins.relname,
    'columns', ${KEY_NAMES("conrelid", "conkey")},
    'target', targets.relname,
    'target_columns', ${KEY_NAMES("confrelid", "confkey")},
    'is_unique', exists (
      select from pg_constraint uniques
      where uniques.conrelid = constraints.conrelid and uniques.contype in ('p', 'u')
        and uniques.conkey @> constraints.conkey and uniques.conkey <@ constraints.conkey)
  ))::text, '[]') as result
  from pg_constraint constraints
  join pg_class origins on origins.oid = constraints.conrelid
  join pg_class targets on targets.oid = constraints.confrelid
  where constraints.contype = 'f' and constraints.conparentid = 0
    and origins.relnamespace = 'public'::regnamespace
    and targets.relnamespace = 'public'::regnamespace`;

const ARGUMENTS = `(
          select type, name, coalesce(mode, 'i') as mode, position
          from unnest(
            coalesce(routines.proallargtypes, routines.proargtypes::oid[]),
            coalesce(routines.proargnames, '{}'), coalesce(routines.proargmodes::text[], '{}')
          ) with ordinality listed (type, name, mode, position)) arguments`;

/**
 * Functions. PostgREST applies these settings of a function before calling it, since a time limit
 * set by the function itself comes too late for the statement that calls it:
 * https://docs.postgrest.org/en/stable/references/transactions.html#function-settings
 */
export const ROUTINES_QUERY = `
  select coalesce(json_agg(json_build_object(
    'name', routines.proname,
    'parameters', coalesce((
      select json_agg(json_build_object(
        'name', coalesce(inputs.name, ''),
        'type', format_type(inputs.type, null),
        'is_required', inputs.position <= routines.pronargs - routines.pronargdefaults,
        'is_variadic', inputs.mode = 'v') order by inputs.position)
      from (
        select arguments.name, arguments.type, arguments.mode,
          row_number() over (order by arguments.position) as position
        from ${ARGUMENTS} where arguments.mode in ('i', 'b', 'v')
      ) inputs
    ), '[]'),
    'returns', case
      when routines.prorettype = 'void'::regtype then 'void'
      when types.typtype = 'c' or has_outputs.value then 'composite'
      when routines.prorettype = 'record'::regtype then 'record'
      else 'scalar' end,
    'is_set', routines.proretset,
    'columns', coalesce(case
      when has_outputs.value then (
        select json_agg(json_build_object(
          'name', arguments.name,
          'type', format_type(arguments.type, null),
          'is_json', arguments.type in ('json'::regtype, 'jsonb'::regtype),
          'fallback', null) order by arguments.position)
        from ${ARGUMENTS} where arguments.mode in ('o', 'b', 't'))
      when types.typtype = 'c' then (
        select json_agg(json_build_object(
          'name', columns.attname,
          'type', format_type(columns.atttypid, columns.atttypmod),
          'is_json', columns.atttypid in ('json'::regtype, 'jsonb'::regtype),
          'fallback', null) order by columns.attnum)
        from pg_attribute columns
        where columns.attrelid = types.typrelid and columns.attnum > 0
          and not columns.attisdropped)
      end, '[]'),
    'is_volatile', routines.provolatile = 'v',
    'settings', coalesce((
      select json_agg(json_build_array(
        split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)))
      from unnest(routines.proconfig) setting
      where split_part(setting, '=', 1)
        in ('statement_timeout', 'default_transaction_isolation')
    ), '[]')
  ))::text, '[]') as result
  from pg_proc routines
  join pg_type types on types.oid = routines.prorettype
  cross join lateral (
    select coalesce(routines.proargmodes::text[] && '{o,b,t}', false) as value
  ) has_outputs
  where routines.pronamespace = 'public'::regnamespace and routines.prokind = 'f'`;

/**
 * Roles the login role `authenticator` may take on (any login role, where it does not exist), with
 * the settings of `authenticator` and then their own: PostgREST applies both to each request.
 */
export const ROLES_QUERY = `
  select coalesce(json_agg(json_build_object(
    'name', roles.rolname,
    'settings', coalesce((
      select json_agg(json_build_array(
        split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1))
        order by role_settings.setrole = roles.oid, role_settings.setdatabase <> 0)
      from pg_db_role_setting role_settings
      cross join unnest(role_settings.setconfig) setting
      where role_settings.setrole in (roles.oid, logins.oid)
        and role_settings.setdatabase in (
          0, (select oid from pg_database where datname = current_database()))
        and split_part(setting, '=', 1) in (select name from pg_settings where context = 'user')
    ), '[]')
  ))::text, '[]') as result
  from pg_roles roles
  join pg_roles logins on logins.rolname = coalesce(
    (select rolname from pg_roles where rolname = 'authenticator'), session_user)
  where pg_has_role(logins.oid, roles.oid, 'member') and not roles.rolname like 'pg\\_%'`;
