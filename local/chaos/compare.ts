import type postgres from "postgres";
import { type Fault, faultOf } from "./faults.ts";
import type { TrueFile } from "./place.ts";
import type { WatchedEndpoint } from "./stage.ts";

interface Row extends TrueFile {
  readonly is_deleted: boolean;
}

/** Compares an endpoint's rows with what its provider holds; tells what is not as it must be. */
export async function compareWithTruth(
  sql: postgres.Sql,
  { id: endpoint, place }: WatchedEndpoint,
  seen: ReadonlySet<string>,
): Promise<{ readonly files: number; readonly faults: readonly Fault[] }> {
  const rows = await sql<Row[]>`
    select external_file_id as id, file_name as name, file_path as path, file_size::text as size,
      deleted_at is not null as is_deleted
    from public.files where endpoint_id = ${endpoint}`;
  const [state] = await sql<[{ name: string; file_count: string; total_bytes: string }]>`
    select e.name, s.file_count::text, s.total_bytes::text
    from connector.endpoint_states as s join public.endpoints as e on e.id = s.endpoint_id
    where s.endpoint_id = ${endpoint}`;
  const living = rows.filter((row) => !row.is_deleted);
  const ids = new Set(rows.map(({ id }) => id));
  const bytes = living.reduce((sum, { size }) => sum + BigInt(size ?? 0), 0n);
  const prefix = `${state.name} (${place.endpointType}): `;
  const lostRows = [...seen].filter((id) => !ids.has(id)).map((id) =>
    `${id} was there once and has no row`
  );
  const counters = [
    Number(state.file_count) === living.length
      ? []
      : [`file_count is ${state.file_count}, not ${living.length}`],
    state.total_bytes === String(bytes)
      ? []
      : [`total_bytes is ${state.total_bytes}, not ${bytes}`],
  ].flat();
  const faults = [
    ...differences(living, place.truth(), prefix),
    ...faultOf("files there twice", twice(rows), prefix),
    ...faultOf("files lost", lostRows, prefix),
    ...faultOf("counters that are off", counters, prefix),
  ];
  return { files: living.length, faults };
}

function twice(rows: readonly Row[]): string[] {
  const known = new Set<string>();
  return rows.filter(({ id }) => known.size === known.add(id).size).map(tell);
}

function differences(
  living: readonly TrueFile[],
  truth: readonly TrueFile[],
  prefix: string,
): readonly Fault[] {
  const shown = new Map(living.map((row) => [row.id, row]));
  const expected = new Map(truth.map((file) => [file.id, file]));
  const lost = truth.filter(({ id }) => !shown.has(id));
  const extra = living.filter(({ id }) => !expected.has(id));
  const changed = truth.filter((file) => {
    const row = shown.get(file.id);
    return row !== undefined && tell(row) !== tell(file);
  });
  return [
    ...faultOf("files lost", lost.map(tell), prefix),
    ...faultOf("files gone and still there", extra.map(tell), prefix),
    ...faultOf(
      "files not up to date",
      changed.map((file) => `${tell(file)} (shown as ${tell(shown.get(file.id) ?? file)})`),
      prefix,
    ),
  ];
}

function tell({ name, path, size }: TrueFile): string {
  return JSON.stringify([path, name, size]);
}
