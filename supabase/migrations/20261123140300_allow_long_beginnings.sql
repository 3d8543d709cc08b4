-- Purpose:  a listing that begins in place of an older one deletes what that one noted, of a million files
--           a million rows, and a run that begins tries all folders again that could not be read: more
--           than the eight seconds which the Data API allows by itself. It takes the longer limit from the
--           function it calls.
-- Depends:  20261122113300_use_grants.sql, 20261122101100_create_slices.sql
-- Rollback: alter function public.connector_begin_slice(jsonb) reset statement_timeout, reset jit;
--           alter function public.connector_start_listing(jsonb, jsonb) reset statement_timeout, reset jit;
alter function public.connector_begin_slice(jsonb)
  set statement_timeout = '60s' set jit = 'off';
alter function public.connector_start_listing(jsonb, jsonb)
  set statement_timeout = '60s' set jit = 'off';
