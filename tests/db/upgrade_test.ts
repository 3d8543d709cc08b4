import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { repositoryRoot } from "../../local/paths.ts";
import {
  addEndpoint,
  beginSlice,
  commitPage,
  fileRecord,
  finishSlice,
  folderRecord,
  type Lease,
  type Sql,
  startListing,
  sweep,
} from "../support/database.ts";
import { connected, withDatabase } from "../local/database/with_database.ts";

const MIGRATIONS = join(repositoryRoot(), "supabase/migrations");

/** From here on an endpoint can be synced; what came before was never published on its own. */
const FIRST_WHOLE_STATE = "20261122101600_create_status.sql";

/** What was under way when the next migration came. */
interface Unfinished {
  readonly lease: Lease;
  readonly taskId: number;
}

async function migrationFiles(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(MIGRATIONS)) {
    if (name.endsWith(".sql")) names.push(name);
  }
  return names.sort();
}

const FIRST_PAGE = {
  folders: [folderRecord("F", "R", "folder")],
  files: [fileRecord("a"), fileRecord("b", { external_parent_id: "F" })],
};
const LAST_FILE = fileRecord("c", { external_parent_id: "F" });

/** Syncs a new endpoint, in full or up to its first page. */
async function syncSome(sql: Sql, name: string, isWhole: boolean): Promise<Unfinished> {
  await addEndpoint(sql, { name, max_files_per_sync: null });
  const lease = await beginSlice(sql);
  const [task] = await startListing(sql, lease);
  assert.ok(task);
  const next = { type: "more", cursor: { token: "page 2" } };
  await commitPage(sql, lease, { task_id: task.id, ...FIRST_PAGE, next });
  const unfinished = { lease, taskId: task.id };
  if (isWhole) await finishListing(sql, unfinished);
  return unfinished;
}

async function finishListing(sql: Sql, { lease, taskId }: Unfinished): Promise<void> {
  await commitPage(sql, lease, { task_id: taskId, sequence: 1, files: [LAST_FILE] });
  await sweep(sql, lease);
  assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "completed");
}

/** Paths of the files of each endpoint, by its name. */
async function pathsByEndpoint(sql: Sql): Promise<Record<string, string[]>> {
  const rows = await sql<{ name: string; paths: string[] }[]>`
    select e.name, array_agg(f.file_path order by f.file_path) as paths
    from public.files as f join public.endpoints as e on e.id = f.endpoint_id
    where f.deleted_at is null group by e.name`;
  return Object.fromEntries(rows.map(({ name, paths }) => [name, paths]));
}

Deno.test("migrations apply over what every earlier state of the database holds, and all of it goes on", async () => {
  await withDatabase(async ({ database, sql: migrator }) => {
    await connected(database.superuserUrl, async (sql) => {
      const unfinished: Unfinished[] = [];
      const states: string[] = [];
      await sql`insert into auth.users (id, email)
        values ('11111111-1111-4111-8111-111111111111', 'ada@example.com')`;
      for (const name of await migrationFiles()) {
        await migrator.unsafe(await Deno.readTextFile(join(MIGRATIONS, name)));
        if (name < FIRST_WHOLE_STATE) continue;
        states.push(name);
        await syncSome(sql, `whole at ${name}`, true);
        unfinished.push(await syncSome(sql, `under way at ${name}`, false));
      }
      for (const each of unfinished) await finishListing(sql, each);
      const expected = ["/a.pdf", "/folder/b.pdf", "/folder/c.pdf"];
      const paths = await pathsByEndpoint(sql);
      assert.equal(Object.keys(paths).length, 2 * states.length);
      for (const [name, found] of Object.entries(paths)) assert.deepEqual(found, expected, name);
      await checkUnchanged(sql, states.length * 2);
    });
  });
});

/** Lists every endpoint again: what the earlier states wrote is what the last one would write. */
async function checkUnchanged(sql: Sql, endpoints: number): Promise<void> {
  await sql`select public.request_sync(id, 'full') from public.endpoints`;
  for (let n = 0; n < endpoints; n++) {
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    const files = [...FIRST_PAGE.files, LAST_FILE];
    const committed = await commitPage(sql, lease, { task_id: task.id, ...FIRST_PAGE, files });
    assert.deepEqual([committed.added, committed.updated, committed.unchanged], [0, 0, 3]);
    await sweep(sql, lease);
    assert.equal((await finishSlice(sql, lease, { type: "done" })).status, "completed");
  }
}

Deno.test("a migration that was published is never edited", async () => {
  const published: Record<string, string> = JSON.parse(
    await Deno.readTextFile(new URL("published_migrations.json", import.meta.url)),
  );
  for (const [name, expected] of Object.entries(published)) {
    const digest = createHash("sha256").update(await Deno.readFile(join(MIGRATIONS, name)));
    assert.equal(
      digest.digest("hex"),
      expected,
      `${name} is in use: databases that have it would never see the edit. Add a migration instead`,
    );
  }
});
