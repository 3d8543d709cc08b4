import assert from "node:assert/strict";
import fc from "fast-check";
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
  withDatabase,
} from "../support/database.ts";

/** Commits pages one after another to one never-ending task. */
class Listing {
  #sequence = 0;
  readonly #sql: Sql;
  readonly lease: Lease;
  readonly #taskId: number;

  private constructor(sql: Sql, lease: Lease, taskId: number) {
    this.#sql = sql;
    this.lease = lease;
    this.#taskId = taskId;
  }

  static async begin(sql: Sql): Promise<Listing> {
    await addEndpoint(sql, { max_files_per_sync: null });
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    return new Listing(sql, lease, task.id);
  }

  async page(
    page: { files?: ReturnType<typeof fileRecord>[]; folders?: ReturnType<typeof folderRecord>[] },
  ) {
    await commitPage(this.#sql, this.lease, {
      task_id: this.#taskId,
      sequence: this.#sequence++,
      next: { type: "more", cursor: this.#sequence },
      ...page,
    });
  }

  async end() {
    await commitPage(this.#sql, this.lease, { task_id: this.#taskId, sequence: this.#sequence });
    return await finishSlice(this.#sql, this.lease, { type: "done" });
  }

  async paths(): Promise<{ [id: string]: string | null }> {
    const rows = await this.#sql<{ external_file_id: string; file_path: string | null }[]>`
      select external_file_id, file_path from public.files order by 1`;
    return Object.fromEntries(rows.map((row) => [row.external_file_id, row.file_path]));
  }
}

function file(id: string, parent: string | null, name = id) {
  return fileRecord(id, { external_parent_id: parent, file_name: name });
}

Deno.test("a path is the names below the root, joined by slashes", () =>
  withDatabase(async (sql) => {
    const listing = await Listing.begin(sql);
    await listing.page({
      folders: [folderRecord("A", "R", "plans"), folderRecord("B", "A", "2026")],
      files: [file("top", "R", "a.pdf"), file("deep", "B", "b.pdf"), file("loose", null, "c.pdf")],
    });
    assert.deepEqual(await listing.paths(), {
      deep: "/plans/2026/b.pdf",
      loose: "/c.pdf",
      top: "/a.pdf",
    });
  }));

Deno.test("a file seen before its folder gets its path when the folder arrives", () =>
  withDatabase(async (sql) => {
    const listing = await Listing.begin(sql);
    await listing.page({ files: [file("f", "B")], folders: [folderRecord("B", "A", "b")] });
    assert.deepEqual(await listing.paths(), { f: null });
    await listing.page({ folders: [folderRecord("A", "R", "a")] });
    assert.deepEqual(await listing.paths(), { f: "/a/b/f" });
  }));

Deno.test("a renamed folder rewrites the paths of everything below it, and nothing else", () =>
  withDatabase(async (sql) => {
    const listing = await Listing.begin(sql);
    await listing.page({
      folders: [folderRecord("A", "R"), folderRecord("B", "A"), folderRecord("C", "R")],
      files: [file("in A", "A"), file("in B", "B"), file("in C", "C")],
    });
    const untouched =
      await sql`select ctid, xmin from public.files where external_file_id = 'in C'`;
    await listing.page({ folders: [folderRecord("A", "R", "renamed")] });
    assert.deepEqual(await listing.paths(), {
      "in A": "/renamed/in A",
      "in B": "/renamed/B/in B",
      "in C": "/C/in C",
    });
    assert.deepEqual(
      await sql`select ctid, xmin from public.files where external_file_id = 'in C'`,
      untouched,
    );
  }));

Deno.test("folders exchanged within one page get the right paths, whatever their order", () =>
  withDatabase(async (sql) => {
    const listing = await Listing.begin(sql);
    await listing.page({
      folders: [folderRecord("A", "R"), folderRecord("B", "A")],
      files: [file("fa", "A"), file("fb", "B")],
    });
    await listing.page({ folders: [folderRecord("A", "B"), folderRecord("B", "R")] });
    assert.deepEqual(await listing.paths(), { fa: "/B/A/fa", fb: "/B/fb" });
  }));

Deno.test("folders in a circle have no path and do not hang the commit", () =>
  withDatabase(async (sql) => {
    const listing = await Listing.begin(sql);
    await listing.page({
      folders: [folderRecord("A", "B"), folderRecord("B", "A"), folderRecord("S", "S")],
      files: [file("f", "A"), file("s", "S")],
    });
    assert.deepEqual(await listing.paths(), { f: null, s: null });
    await listing.page({ folders: [folderRecord("A", "R")] });
    assert.deepEqual(await listing.paths(), { f: "/A/f", s: null });
  }));

Deno.test("what hangs below a folder that never appears stands at the top when the listing ends", () =>
  withDatabase(async (sql) => {
    const listing = await Listing.begin(sql);
    await listing.page({
      folders: [folderRecord("A", "unseen", "a")],
      files: [file("f", "unseen"), file("g", "A"), file("h", "unseen too")],
    });
    await listing.end();
    assert.deepEqual(await listing.paths(), { f: "/f", g: "/a/g", h: "/h" });
  }));

Deno.test("the real folder takes the place of its stand-in", () =>
  withDatabase(async (sql) => {
    const first = await Listing.begin(sql);
    await first.page({ files: [file("f", "late")] });
    await first.end();
    await sql`update connector.endpoint_states set next_run_at = now()`;
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease);
    assert.ok(task);
    await commitPage(sql, lease, {
      task_id: task.id,
      folders: [folderRecord("late", "R", "late one")],
    });
    assert.deepEqual(await first.paths(), { f: "/late one/f" });
  }));

Deno.test("a scope inside another scope keeps its own top", () =>
  withDatabase(async (sql) => {
    await addEndpoint(sql);
    const lease = await beginSlice(sql);
    const root = (id: string) => ({ ...folderRecord(id, null), is_root: true });
    const [task] = await startListing(sql, lease, { roots: [root("R"), root("inner")] });
    assert.ok(task);
    await commitPage(sql, lease, {
      task_id: task.id,
      folders: [folderRecord("inner", "R")],
      files: [file("f", "inner")],
    });
    const [row] = await sql`select file_path from public.files`;
    assert.equal(row?.file_path, "/f");
  }));

Deno.test("a path can be split into the names it was made of", () =>
  withDatabase(async (sql) => {
    const name = fc.oneof(
      fc.string({ minLength: 1, unit: fc.constantFrom("/", "\\", "a", "\n", "😀", " ", ".") }),
      fc.string({ minLength: 1 }).map((text) => text.replaceAll("\0", "")).filter((text) =>
        text !== ""
      ),
    );
    const samples = fc.sample(fc.array(name, { minLength: 1, maxLength: 5 }), {
      numRuns: 300,
      seed: 5,
    });
    const rows = await sql<{ path: string }[]>`
      select (select string_agg('/' || connector.escape_name(n.name #>> '{}'), '' order by n.place)
              from jsonb_array_elements(s.names) with ordinality as n (name, place)) as path
      from jsonb_array_elements(${sql.json(samples)}) with ordinality as s (names, place)
      order by s.place`;
    rows.forEach((row, index) => assert.deepEqual(splitPath(row.path), samples[index]));
  }));

/** Splits a `file_path` as its documentation says. */
function splitPath(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (let at = 1; at < path.length; at++) {
    const character = path.charAt(at);
    if (character === "\\") name += path.charAt(++at);
    else if (character === "/") (names.push(name), name = "");
    else name += character;
  }
  return [...names, name];
}

Deno.test("after any sequence of folder changes, every path is what the tree says", () =>
  withDatabase(async (sql) => {
    const ids = ["A", "B", "C", "D", "E", "F"];
    const change = fc.record({
      id: fc.constantFrom(...ids),
      parent: fc.constantFrom("R", "nowhere", ...ids),
      name: fc.constantFrom("x", "y/z", "w\\"),
    });
    const pages = fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 6 });
    for (const sequence of fc.sample(pages, { numRuns: 40, seed: 20261122 })) {
      await sql`truncate public.endpoints cascade`;
      const listing = await Listing.begin(sql);
      const tree = new Map<string, { parent: string; name: string }>();
      await listing.page({ files: ids.map((id) => file(`in ${id}`, id)) });
      for (const changes of sequence) {
        const page = new Map(changes.map((each) => [each.id, each]));
        for (const { id, parent, name } of page.values()) tree.set(id, { parent, name });
        await listing.page({
          folders: [...page.values()].map(({ id, parent, name }) => folderRecord(id, parent, name)),
        });
      }
      const expected = Object.fromEntries(
        ids.map((id) => [`in ${id}`, pathOf(tree, id)] as const)
          .map(([id, folder]) => [id, folder === null ? null : `${folder}/${id}`]),
      );
      assert.deepEqual(await listing.paths(), expected, JSON.stringify(sequence));
    }
  }));

/** The path of a folder in the model, or null when it is in a circle or below something unknown. */
function pathOf(tree: Map<string, { parent: string; name: string }>, id: string): string | null {
  let path = "";
  const passed = new Set<string>();
  for (let at = id; at !== "R";) {
    const folder = tree.get(at);
    if (folder === undefined || passed.has(at)) return null;
    passed.add(at);
    path = `/${folder.name.replaceAll("\\", "\\\\").replaceAll("/", "\\/")}${path}`;
    at = folder.parent;
  }
  return path;
}

/** Lets paths be rewritten in batches of one file, one batch a slice, wherever more than one is to be. */
async function inSmallBatches(sql: Sql, test: () => Promise<void>): Promise<void> {
  const replace = (limits: string) =>
    sql.unsafe(`
      create or replace function connector.path_limits(
        out at_once integer, out batch integer, out seconds integer)
      language sql immutable parallel safe security invoker set search_path = ''
      as $$ select ${limits}; $$`);
  const [row] = await sql<{ at_once: number; batch: number; seconds: number }[]>`
    select * from connector.path_limits()`;
  await replace("1, 1, 0");
  try {
    await test();
  } finally {
    await replace(`${row?.at_once}, ${row?.batch}, ${row?.seconds}`);
  }
}

Deno.test("very many paths below a renamed folder are rewritten in batches, before the run ends", () =>
  withDatabase((sql) =>
    inSmallBatches(sql, async () => {
      const listing = await Listing.begin(sql);
      await listing.page({
        folders: [folderRecord("A", "R"), folderRecord("B", "A"), folderRecord("C", "R")],
        files: [file("a1", "A"), file("a2", "A"), file("b1", "B"), file("c1", "C")],
      });
      await listing.page({ folders: [folderRecord("A", "R", "renamed")] });
      // What a page shows of such a folder is right at once.
      await listing.page({ files: [file("a3", "A"), file("b1", "B", "other")] });
      const before = { a1: "/A/a1", a2: "/A/a2", a3: "/renamed/a3", b1: "/renamed/B/other" };
      assert.deepEqual(await listing.paths(), { ...before, c1: "/C/c1" });

      let ended = await listing.end();
      let slices = 1;
      for (; ended.status === "running"; slices++) {
        assert.ok(slices < 10, "the run never ends");
        ended = await finishSlice(sql, await beginSlice(sql), { type: "done" });
      }
      assert.equal(ended.status, "completed");
      assert.ok(slices > 1, "the batches were not shared out among slices");
      assert.deepEqual(await listing.paths(), {
        ...before,
        a1: "/renamed/a1",
        a2: "/renamed/a2",
        c1: "/C/c1",
      });
      const [left] = await sql`select count(*)::int as folders from connector.stale_paths`;
      assert.equal(left?.folders, 0);
    })
  ));

Deno.test("paths below a top of 12,000 folders are rewritten in seconds, whatever statistics say", () =>
  withDatabase(async (sql) => {
    // As of a table that was empty when it was last looked at.
    await sql`vacuum analyze connector.folders`;
    const endpointId = await addEndpoint(sql);
    const rewritten = await sql.begin(async (transaction) => {
      await transaction`
        insert into connector.folders
          (endpoint_id, external_folder_id, external_parent_id, folder_name, is_root, path)
        select ${endpointId}::uuid, 'R', null, 'root', true, ''
        union all select ${endpointId}::uuid, 'top', 'R', 'new', false, '/old'
        union all select ${endpointId}::uuid, 'F' || n,
          case when n % 20 = 0 then 'top' else 'F' || n - n % 20 end, 'f' || n, false,
          case when n % 20 = 0 then '/old/f' || n else '/old/f' || n - n % 20 || '/f' || n end
        from generate_series(0, 11999) as n`;
      await transaction`
        insert into public.files
          (endpoint_id, external_file_id, external_parent_id, file_name, file_path, file_link)
        select ${endpointId}::uuid, 'a' || n, 'F' || n, 'a.pdf', '/old', 'https://files.test/a'
        from generate_series(0, 11999) as n`;
      // What takes time with the square of this takes more than a minute.
      await transaction`set local statement_timeout = '15s'`;
      const [row] = await transaction<{ files: number }[]>`
        select connector.rewrite_paths(${endpointId}, array['top'])::int as files`;
      return row?.files;
    });
    assert.equal(rewritten, 12_000);
    const [counted] = await sql<{ folders: number; files: number }[]>`
      select
        (select count(*)::int from connector.folders where path like '/new/f%') as folders,
        (select count(*)::int from public.files where file_path ~ '^/new/f[0-9]+(/f[0-9]+)?/a.pdf$')
          as files`;
    assert.deepEqual({ ...counted }, { folders: 12_000, files: 12_000 });
  }));
