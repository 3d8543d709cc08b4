-- Two people for local development and for the demo; safe to apply twice, and harmless elsewhere:
-- they have no password, so nobody can sign in as them.
insert into auth.users (id, instance_id, aud, role, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
values
  ('11111111-1111-4111-8111-111111111111', '00000000-0000-0000-0000-000000000000',
   'authenticated', 'authenticated', 'ada@example.com', '{}', '{}', now(), now()),
  ('22222222-2222-4222-8222-222222222222', '00000000-0000-0000-0000-000000000000',
   'authenticated', 'authenticated', 'grace@example.com', '{}', '{}', now(), now())
on conflict (id) do nothing;
