/** What happens to the endpoint of a sequence beside its syncs: edits, the calendar, a lost lease. */
import type { Sql } from "../../support/database.ts";
import type { History } from "./history.ts";
import type { Edit, EndpointStep } from "./sequence.ts";

/** The endpoint of a sequence. */
export interface EndpointInPlay {
  readonly stage: { readonly sql: Sql };
  readonly endpoint: string;
  readonly history: History;
  /** Every file that has a row. */
  readonly rows: Set<string>;
}

const EDITS: Readonly<Record<Edit["do"], true>> = {
  limit_files: true,
  choose_types: true,
  switch_off_and_on: true,
  approve_deletions: true,
  request_full: true,
};

const STEPS: Readonly<Record<EndpointStep["do"], true>> = {
  ...EDITS,
  audit_falls_due: true,
  time_passes: true,
  tombstones_lapse: true,
};

/** Whether this is something that the owner of the endpoint or an operator does. */
export function isEdit<Other extends { readonly do: string }>(event: Other | Edit): event is Edit {
  return Object.hasOwn(EDITS, event.do);
}

/** Whether this happens to an endpoint, and not at the provider. */
export function isEndpointStep<Other extends { readonly do: string }>(
  step: Other | EndpointStep,
): step is EndpointStep {
  return Object.hasOwn(STEPS, step.do);
}

/** Has one of them happen. */
export async function takeEndpointStep(game: EndpointInPlay, step: EndpointStep): Promise<void> {
  if (isEdit(step)) return await edit(game, step);
  const { stage: { sql }, endpoint, rows } = game;
  switch (step.do) {
    case "time_passes":
      return await letTimePass(game);
    case "audit_falls_due":
      await sql`
        update connector.endpoint_states set last_listing_completed_at = '2001-01-01'
        where endpoint_id = ${endpoint} and last_listing_completed_at is not null`;
      return;
    case "tombstones_lapse":
      await sql`
        update public.files set deleted_at = '2001-01-01'
        where endpoint_id = ${endpoint} and deleted_at is not null`;
      await sql`select connector.apply_retention()`;
      rows.clear();
  }
}

/** The owner of the endpoint or an operator does something. */
export async function edit(
  { stage: { sql }, endpoint, history }: EndpointInPlay,
  step: Edit,
): Promise<void> {
  switch (step.do) {
    case "limit_files":
      await sql`update public.endpoints set max_files_per_sync = ${step.files} where id = ${endpoint}`;
      return;
    case "choose_types": {
      const types = step.types === null ? null : sql.json([...step.types]);
      await sql`update public.endpoints set file_types = ${types} where id = ${endpoint}`;
      return history.chooseTypes(step.types);
    }
    case "switch_off_and_on":
      await sql`update public.endpoints set enabled = false where id = ${endpoint}`;
      await sql`update public.endpoints set enabled = true where id = ${endpoint}`;
      return;
    case "approve_deletions":
      await sql`
        select public.approve_deletions(s.endpoint_id) from connector.endpoint_states as s
        where s.endpoint_id = ${endpoint} and s.held_deletions is not null`;
      return;
    case "request_full":
      await sql`select public.request_sync(${endpoint}, 'full')`;
  }
}

/** What could not be read is tried again after a while. */
export async function letTimePass(
  { stage: { sql }, endpoint }: EndpointInPlay,
): Promise<void> {
  await sql`
    update connector.folder_errors set next_attempt_at = now() where endpoint_id = ${endpoint}`;
  await sql`
    update connector.endpoint_states set next_listing_at = now() where endpoint_id = ${endpoint}`;
}

/** The lease is past its time. */
export async function expireLease({ stage: { sql }, endpoint }: EndpointInPlay): Promise<void> {
  await sql`
    update connector.endpoint_states set lease_expires_at = now() - interval '1 second'
    where endpoint_id = ${endpoint} and lease_token is not null`;
}

/** The lease is past its time, and taken away from a worker that may be at work. */
export async function loseLease(game: EndpointInPlay): Promise<void> {
  await expireLease(game);
  await game.stage.sql`select connector.return_expired_leases()`;
}
