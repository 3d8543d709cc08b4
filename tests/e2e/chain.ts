/** What the whole chain must show, on whatever stack it runs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type postgres from "postgres";
import { waitFor } from "../support/wait_for.ts";

/** Two ticks, and the time a sync takes. */
const TWO_TICKS_MS = 140_000;

interface FileRow {
  readonly file_path: string;
  readonly file_size: string;
}

const FIRST_FILES: readonly FileRow[] = [
  { file_path: "/plans/level 1/ground floor.pdf", file_size: "10" },
  { file_path: "/read me.txt", file_size: "5" },
];

/** Fills an empty folder with the files the checks expect. */
export async function fillServedFolder(folder: string): Promise<void> {
  await Deno.mkdir(join(folder, "plans", "level 1"), { recursive: true });
  await Deno.writeTextFile(join(folder, "read me.txt"), "hello");
  await Deno.writeTextFile(join(folder, "plans", "level 1", "ground floor.pdf"), "0123456789");
}

/** A demo endpoint: its type, and what its paths begin with. */
export interface Shown {
  readonly endpointType: string;
  readonly top: string;
}

/** The folder as an emulated Google Drive shows it. */
export const GOOGLE: Shown = { endpointType: "google_drive", top: "" };

/** The folder as an emulated Autodesk project shows it. */
export const AUTODESK: Shown = {
  endpointType: "autodesk_construction_cloud",
  top: "/Project Files",
};

async function readFiles(
  sql: postgres.Sql,
  { endpointType, top }: Shown,
): Promise<readonly FileRow[]> {
  const rows = await sql<FileRow[]>`
    select f.file_path, f.file_size::text
    from public.files as f join public.endpoints as e on e.id = f.endpoint_id
    where f.sync_status = 'completed' and e.endpoint_type = ${endpointType}
    order by f.file_path`;
  return rows.map(({ file_path, file_size }) => {
    assert.ok(file_path.startsWith(top), file_path);
    return { file_path: file_path.slice(top.length), file_size };
  });
}

/** The folder's files come to be in public.files, with their paths and sizes. */
export async function expectFirstFiles(sql: postgres.Sql, shown: Shown = GOOGLE): Promise<void> {
  const files = await waitFor("the first files", async () => {
    const rows = await readFiles(sql, shown);
    return rows.length >= FIRST_FILES.length ? rows : null;
  }, { deadlineMs: TWO_TICKS_MS, everyMs: 500 });
  assert.deepEqual([...files], FIRST_FILES);
}

/** It was pg_cron that ticked and pg_net that called: their own tables say so. */
export async function expectScheduler(sql: postgres.Sql): Promise<void> {
  const options = { deadlineMs: 20_000, everyMs: 200 };
  await waitFor("a run of the cron job", async () => {
    const rows = await sql`
      select from cron.job_run_details as d join cron.job as j using (jobid)
      where j.jobname = 'connector-tick' and d.status = 'succeeded'`;
    return rows.length > 0;
  }, options);
  await waitFor("the dispatcher's answer", async () => {
    const rows = await sql`select from net._http_response where status_code = 202`;
    return rows.length > 0;
  }, options);
}

/** Health is 200 and tells of a recent tick. */
export async function expectHealth(functionsUrl: string): Promise<void> {
  const answer = await fetch(`${functionsUrl}/health`);
  const health = await answer.json();
  assert.equal(answer.status, 200);
  assert.equal(health.status, "ok");
  const lastTick = Object.values(health.checks.scheduler).find((value) =>
    typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)
  );
  const ageMs = Date.now() - Date.parse(String(lastTick));
  assert.ok(ageMs < 90_000, `the last tick was ${ageMs} ms ago: ${JSON.stringify(health)}`);
}

/** A file that is new on disk is in public.files within two ticks, as every one shows it. */
export async function expectNewFile(
  sql: postgres.Sql,
  folder: string,
  shown: readonly Shown[] = [GOOGLE],
): Promise<void> {
  await Deno.writeTextFile(join(folder, "plans", "roof.dwg"), "roof plan");
  for (const each of shown) {
    const row = await waitFor(`the new file of ${each.endpointType}`, async () => {
      const files = await readFiles(sql, each);
      return files.find(({ file_path: path }) => path === "/plans/roof.dwg");
    }, { deadlineMs: TWO_TICKS_MS, everyMs: 500 });
    assert.equal(row.file_size, "9");
  }
}

/** A user sees the rows of their own endpoints, `count` of them, and another user none. */
export async function expectPrivacy(
  sql: postgres.Sql,
  owner: string,
  other: string,
  count: number,
): Promise<void> {
  const visible = async (user: string) => {
    const claims = JSON.stringify({ sub: user, role: "authenticated" });
    return await sql.begin(async (transaction) => {
      await transaction`select set_config('request.jwt.claims', ${claims}, true)`;
      await transaction`set local role authenticated`;
      return (await transaction`select from public.files`).length;
    });
  };
  assert.deepEqual([await visible(owner), await visible(other)], [count, 0]);
}
