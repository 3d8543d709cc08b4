-- Purpose:  the objects of Supabase Vault, so that migrations and `db push` run unchanged.
-- Depends:  pgcrypto in schema extensions; vault.key in the data directory, 64 hex digits.

-- The root key stays outside the database, so that no dump holds it.
create function vault._root_key() returns bytea
language sql stable set search_path = ''
as $$
  select pg_catalog.decode(pg_catalog.btrim(pg_catalog.pg_read_file('vault.key'), e' \n'), 'hex');
$$;
revoke execute on function vault._root_key() from public;

-- One key per secret: a cipher text copied to another row cannot be read there.
create function vault._row_key(additional bytea, nonce bytea) returns text
language sql stable set search_path = ''
as $$
  select pg_catalog.encode(
    extensions.hmac(additional || coalesce(nonce, ''), vault._root_key(), 'sha256'), 'hex'
  );
$$;
revoke execute on function vault._row_key(bytea, bytea) from public;

-- Definer: whoever may decrypt still may not read the root key.
create function vault._crypto_aead_det_encrypt(
  message bytea, additional bytea, key_id bigint,
  context bytea default 'pgsodium', nonce bytea default null
) returns bytea
language sql volatile security definer set search_path = ''
as $$
  select extensions.pgp_sym_encrypt_bytea(
    message, vault._row_key(additional, nonce), 'cipher-algo=aes256, s2k-mode=1'
  );
$$;
revoke execute on function
  vault._crypto_aead_det_encrypt(bytea, bytea, bigint, bytea, bytea) from public;

-- Definer: see above.
create function vault._crypto_aead_det_decrypt(
  message bytea, additional bytea, key_id bigint,
  context bytea default 'pgsodium', nonce bytea default null
) returns bytea
language sql stable security definer set search_path = ''
as $$
  select extensions.pgp_sym_decrypt_bytea(message, vault._row_key(additional, nonce));
$$;
revoke execute on function
  vault._crypto_aead_det_decrypt(bytea, bytea, bigint, bytea, bytea) from public;

create function vault._crypto_aead_det_noncegen() returns bytea
language sql volatile set search_path = ''
as $$
  select extensions.gen_random_bytes(16);
$$;
revoke execute on function vault._crypto_aead_det_noncegen() from public;

create table vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea default vault._crypto_aead_det_noncegen(),
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
comment on table vault.secrets is
  'Table with encrypted `secret` column for storing sensitive information on disk.';
create unique index secrets_name_idx on vault.secrets (name) where name is not null;

create view vault.decrypted_secrets as
select
  secrets.id,
  secrets.name,
  secrets.description,
  secrets.secret,
  convert_from(
    vault._crypto_aead_det_decrypt(
      decode(secrets.secret, 'base64'), convert_to(secrets.id::text, 'utf8'), 0,
      'pgsodium'::bytea, secrets.nonce
    ), 'utf8'
  ) as decrypted_secret,
  secrets.key_id,
  secrets.nonce,
  secrets.created_at,
  secrets.updated_at
from vault.secrets;

-- Definer: callers have no right to insert into vault.secrets themselves.
create function vault.create_secret(
  new_secret text,
  new_name text default null,
  new_description text default '',
  new_key_id uuid default null
) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id uuid := gen_random_uuid();
  v_nonce bytea := vault._crypto_aead_det_noncegen();
begin
  insert into vault.secrets (id, name, description, secret, nonce)
  values (v_id, new_name, new_description, encode(
    vault._crypto_aead_det_encrypt(
      convert_to(new_secret, 'utf8'), convert_to(v_id::text, 'utf8'), 0, 'pgsodium', v_nonce
    ), 'base64'
  ), v_nonce);
  return v_id;
end;
$$;
revoke execute on function vault.create_secret(text, text, text, uuid) from public;

-- Definer: see above.
create function vault.update_secret(
  secret_id uuid,
  new_secret text default null,
  new_name text default null,
  new_description text default null,
  new_key_id uuid default null
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update vault.secrets
  set secret = case
      when new_secret is null then secrets.secret
      else encode(
        vault._crypto_aead_det_encrypt(
          convert_to(new_secret, 'utf8'), convert_to(secrets.id::text, 'utf8'), 0, 'pgsodium',
          secrets.nonce
        ), 'base64'
      )
    end,
    name = coalesce(new_name, secrets.name),
    description = coalesce(new_description, secrets.description),
    updated_at = now()
  where secrets.id = secret_id;
end;
$$;
revoke execute on function vault.update_secret(uuid, text, text, text, uuid) from public;

select pg_catalog.pg_extension_config_dump('vault.secrets', '');
