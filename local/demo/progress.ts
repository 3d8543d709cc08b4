import type { Sql } from "postgres";
import { z } from "zod";

/** Endpoints shown at once; a stack may hold thousands. */
const SHOWN = 20;

const EndpointProgressSchema = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable(),
  /** Files the table holds. */
  file_count: z.coerce.number(),
  total_bytes: z.coerce.number(),
  due_in_seconds: z.number().nullable(),
  run: z.object({
    status: z.string(),
    files_seen: z.number(),
    files_changed: z.number(),
    elapsed_seconds: z.number(),
    /** Seconds since it started, by the database's clock. */
    age_seconds: z.number(),
  }).nullable(),
});

/** How far one endpoint is. */
export type EndpointProgress = z.infer<typeof EndpointProgressSchema>;

/** Reads how far each endpoint is, oldest endpoint first. */
export async function readProgress(sql: Sql): Promise<readonly EndpointProgress[]> {
  const rows = await sql`
    select
      e.id, e.name, e.last_sync_status as status,
      e.last_error_code as error_code, e.last_error_message as error_message,
      s.file_count, s.total_bytes,
      extract(epoch from s.next_run_at - now())::float8 as due_in_seconds,
      (
        select jsonb_build_object(
          'status', r.status,
          'files_seen', r.files_seen,
          'files_changed', r.files_added + r.files_updated + r.files_deleted,
          'elapsed_seconds', extract(epoch from coalesce(r.finished_at, now()) - r.started_at),
          'age_seconds', extract(epoch from now() - r.started_at))
        from public.sync_logs as r
        where r.endpoint_id = e.id
        order by r.started_at desc
        limit 1
      ) as run
    from public.endpoints as e
    join connector.endpoint_states as s on s.endpoint_id = e.id
    where e.enabled
    order by e.created_at, e.id
    limit ${SHOWN}`;
  return z.array(EndpointProgressSchema).parse([...rows]);
}
