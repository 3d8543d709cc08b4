/** Ids and names are data, whatever stands in them: in queries, addresses, SQL and JSON. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseQuery, type Query } from "../../local/google/query_parser.ts";
import { parseConfig } from "../../supabase/functions/_shared/providers/autodesk/config.ts";
import { readEntries } from "../../supabase/functions/_shared/providers/autodesk/entries.ts";
import {
  contentsUrl,
  folderUrl,
  itemUrl,
  projectUrl,
} from "../../supabase/functions/_shared/providers/autodesk/urls.ts";
import {
  changesUrl,
  childrenOf,
  listUrl,
  rootUrl,
  startPageTokenUrl,
} from "../../supabase/functions/_shared/providers/google_drive/query.ts";
import { filesOf, withAutodeskSync } from "../support/autodesk_sync.ts";
import { OWNER, stateOf, withDriveSync } from "../support/drive_sync.ts";
import {
  addEndpoint,
  beginSlice,
  commitChanges,
  commitPage,
  fileRecord,
  finishSlice,
  folderRecord,
  startListing,
  withDatabase,
} from "../support/database.ts";
import { HOSTILE, hostileText } from "../support/hostile_text.ts";

const API = "https://api.test";
const SEED = { numRuns: 1_000, seed: 20261122 };

/** The values that a search asks for as parents; throws where it asks for anything else. */
function parentsOf(query: Query): string[] {
  if (query.type === "or") return [...parentsOf(query.left), ...parentsOf(query.right)];
  assert.ok(query.type === "term" && query.term === "parents" && query.operator === "in");
  return [String(query.value)];
}

Deno.test("an id stays one value of Drive's search language", () => {
  fc.assert(
    fc.property(fc.array(hostileText, { minLength: 1, maxLength: 5 }), (ids) => {
      const query = parseQuery(childrenOf(ids));
      assert.ok(query.type === "and");
      assert.deepEqual(query.right, {
        type: "term",
        term: "trashed",
        operator: "=",
        value: false,
      });
      assert.deepEqual(parentsOf(query.left), ids);
    }),
    SEED,
  );
});

Deno.test("an id or a page token stays one parameter of Drive's addresses", () => {
  fc.assert(
    fc.property(hostileText, hostileText, (driveId, pageToken) => {
      const page = { pageSize: 10, pageToken };
      const corpus = { type: "drive", driveId } as const;
      const urls = [
        listUrl(API, { query: childrenOf([driveId]), corpus, ...page }),
        changesUrl(API, { driveId, includesAllDrives: false, ...page }),
        startPageTokenUrl(API, driveId),
      ];
      for (const { href } of urls) {
        const { origin, pathname, searchParams, hash } = new URL(href);
        assert.deepEqual([origin, hash, searchParams.getAll("driveId")], [API, "", [driveId]]);
        assert.match(pathname, /^\/drive\/v3\/(files|changes|changes\/startPageToken)$/);
        const known = [null, pageToken];
        assert.ok(known.includes(searchParams.get("pageToken")));
        assert.equal(new Set(searchParams.keys()).size, [...searchParams].length);
      }
    }),
    SEED,
  );
});

Deno.test("an id stays one part of a path, of Drive's addresses and of Autodesk's", () => {
  const config = parseConfig({ project_id: "b.x" });
  const project = ["data", "v1", "projects", "b.x"];
  fc.assert(
    fc.property(hostileText.filter((id) => id !== "." && id !== ".."), (id) => {
      const cases: readonly (readonly [URL, readonly string[]])[] = [
        [rootUrl(API, id), ["drive", "v3", "files", id]],
        [folderUrl(API, id, config), [...project, "folders", id]],
        [itemUrl(API, id, config), [...project, "items", id]],
        [contentsUrl(API, id, config, 10), [...project, "folders", id, "contents"]],
        [projectUrl(API, id, config), ["project", "v1", "hubs", id, "projects", "b.x"]],
      ];
      for (const [{ href }, parts] of cases) {
        const { origin, pathname, hash } = new URL(href);
        assert.deepEqual([origin, hash], [API, ""]);
        assert.deepEqual(pathname.split("/").slice(1).map(decodeURIComponent), parts);
      }
    }),
    SEED,
  );
});

Deno.test("an entry whose id would lead to another address is reported and not read", () => {
  for (const id of [".", ".."]) {
    const folder = { type: "folders", id, attributes: { name: "Plans" } };
    const entries = readEntries({ data: [folder], included: [], next: null }, "container");
    assert.deepEqual(entries.folders, []);
    assert.equal(entries.unreadable[0]?.external_folder_id, "container");
  }
});

const escape = (name: string) => name.replaceAll("\\", "\\\\").replaceAll("/", "\\/");

Deno.test("ids and names of files and folders are data to every function of the database", () =>
  withDatabase(async (sql) => {
    const texts = [...new Set([...HOSTILE, ...fc.sample(hostileText, SEED).slice(0, 300)])]
      .filter((text) => !text.includes("\0"));
    await addEndpoint(sql, { max_files_per_sync: null });
    const lease = await beginSlice(sql);
    const [task] = await startListing(sql, lease, { is_tree: true });
    assert.ok(task);
    // Of two folders that a pattern could take for one another, each has a file of the same id and name.
    const committed = await commitPage(sql, lease, {
      task_id: task.id,
      folders: texts.map((text) => folderRecord(`folder ${text}`, "R", text)),
      files: texts.map((text) =>
        fileRecord(text, { external_parent_id: `folder ${text}`, file_name: text })
      ),
    });
    assert.equal(committed.added, texts.length);
    await finishSlice(sql, lease, { type: "done" });
    const living = async () => {
      const rows = await sql`
        select external_file_id as id, file_name as name, file_path as path from public.files
        where deleted_at is null`;
      return new Map(rows.map((row) => [row.id, [row.name, row.path]]));
    };
    const expected = (kept: readonly string[], top: (text: string) => string) =>
      new Map(kept.map((text) => [text, [text, `/${escape(top(text))}/${escape(text)}`]]));
    assert.deepEqual(await living(), expected(texts, (text) => text));

    // Every second folder goes, every other one gets another name: no one else is touched.
    await sql`update connector.endpoint_states set next_run_at = now()`;
    const next = await beginSlice(sql);
    const gone = texts.filter((_text, index) => index % 2 === 0);
    const kept = texts.filter((_text, index) => index % 2 === 1);
    const renamed = (text: string) => `${text}%_\\`;
    const changed = await commitChanges(sql, next, {
      folders: kept.map((text) => folderRecord(`folder ${text}`, "R", renamed(text))),
      removed: gone.map((text) => ({ external_id: `folder ${text}`, reason: "trashed" })),
    });
    assert.equal(changed.deleted, gone.length);
    assert.deepEqual(await living(), expected(kept, renamed));
  }));

/** Names that a provider would give out, in one order. */
const NAMES = [...new Set(HOSTILE)].filter((name) => name.trim() !== "").sort();
/** What the tables can hold of them. */
const stored = (name: string) => name.replaceAll("\0", "\uFFFD");

Deno.test("hostile names and ids of a Drive come through the engine as they are, and stay", () =>
  withDriveSync(async ({ sql, drive: { model }, account, add, sync }) => {
    const top = model.createFolder({ name: "Top", parent: model.account(OWNER).root.id });
    model.share(top.id, account);
    const ids = NAMES.filter((name) => !/[\0\s]/.test(name));
    for (const [index, name] of NAMES.entries()) {
      const { id } = model.createFolder({ name, parent: top.id, id: ids[index] });
      model.createFile({ name, parent: id });
    }
    const endpoint = await add({ folder_id: top.id });
    const paths = NAMES.map((name) => `/${escape(stored(name))}/${escape(stored(name))}`).sort();
    for (const expected of [{ added: NAMES.length }, { added: 0 }]) {
      await sync();
      const state = await stateOf(sql, endpoint);
      assert.deepEqual([state.message, state.files_added], [null, expected.added]);
      const files = await filesOf(sql, endpoint);
      assert.deepEqual(files.map(({ file_path }) => file_path).sort(), paths);
    }
  }));

Deno.test("hostile names and ids of a project come through the engine as they are, and stay", () =>
  withAutodeskSync(async ({ sql, model, place, add, sync, wait }) => {
    for (const name of NAMES) {
      const isId = /^[^\0\s]+$/.test(name);
      const legacy = { name, isLegacyName: true };
      const { id } = model.createFolder({
        ...legacy,
        parent: place.folderId,
        id: isId ? `urn:adsk.folder:${name}` : undefined,
      });
      model.createItem({ ...legacy, parent: id, id: isId ? `urn:adsk.item:${name}` : undefined });
    }
    wait();
    const endpoint = await add();
    const paths = NAMES.map((name) =>
      `/Project Files/${escape(stored(name))}/${escape(stored(name))}`
    );
    for (const expected of [{ added: NAMES.length }, { added: 0 }]) {
      await sync();
      const state = await stateOf(sql, endpoint);
      assert.deepEqual([state.message, state.files_added], [null, expected.added]);
      const files = await filesOf(sql, endpoint);
      assert.deepEqual(files.map(({ file_path }) => file_path).sort(), paths.sort());
      wait();
    }
  }));
