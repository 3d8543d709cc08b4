/**
 * What the engine relies on, for every registered provider, over the data in
 * `tests/testdata/<key>/contract.json`.
 */
import assert from "node:assert/strict";
import { z } from "zod";
import {
  type FailureCode,
  SyncError,
  toSyncError,
} from "../../supabase/functions/_shared/errors.ts";
import { PROVIDERS } from "../../supabase/functions/_shared/providers/registry.ts";
import type {
  ChangePage,
  FileRecord,
  FolderRecord,
  ListingStart,
  Page,
  Provider,
  ProviderContext,
  Task,
} from "../../supabase/functions/_shared/providers/types.ts";
import {
  answerFrom,
  contextOver,
  type ContractData,
  readContractData,
  stored,
} from "../support/provider_contract.ts";

/** More pages than any of the data have: a cursor that goes nowhere ends here. */
const MOST_PAGES = 200;

/** What a provider must be able to say, whatever its own words for it are. */
const NEEDED: readonly FailureCode[] = [
  "access_denied",
  "credentials_invalid",
  "grant_revoked",
  "rate_limited",
  "scope_not_found",
  "unavailable",
];

const Time = z.iso.datetime({ offset: true }).nullable();
const Id = z.string().min(1);

const FileShape = z.looseObject({
  external_file_id: Id,
  external_parent_id: Id.nullable(),
  file_name: z.string().min(1),
  file_link: z.url({ protocol: /^https?$/ }),
  file_size: z.string().regex(/^\d+$/).nullable(),
  file_type: z.string().regex(/^[^.A-Z]+$/).nullable(),
  mime_type: z.string().min(1).nullable(),
  external_created_at: Time,
  external_updated_at: Time,
  file_metadata: z.record(z.string(), z.json()),
});

const FolderShape = z.looseObject({
  external_folder_id: Id,
  external_parent_id: Id.nullable(),
  folder_name: z.string().min(1),
  is_root: z.boolean(),
});

interface Listed {
  readonly start: ListingStart;
  readonly files: Map<string, FileRecord>;
  readonly folders: Map<string, FolderRecord>;
  readonly pages: number;
}

/** Reads twice from the same place; both must show the same. */
async function readTwice<Read extends Page | ChangePage>(read: () => Promise<Read>): Promise<Read> {
  const page = await read();
  assert.equal(JSON.stringify(await read()), JSON.stringify(page), "a repeated page differs");
  page.files.forEach((file) => FileShape.parse(file));
  page.folders.forEach((folder) => FolderShape.parse(folder));
  for (const count of Object.values(page.receipt)) assert.ok(Number.isInteger(count));
  if (page.next.type === "done") return page;
  assert.deepEqual(stored(page.next.cursor), page.next.cursor, "a cursor does not survive JSON");
  return page;
}

/** Runs a listing to its end, each cursor having been in the database. */
async function list(
  provider: Provider<unknown>,
  context: ProviderContext<unknown>,
): Promise<Listed> {
  const start = await provider.startListing(context);
  assert.deepEqual(stored(start), start, "the start of a listing does not survive JSON");
  const tasks: Task[] = [];
  const seen = new Set<string>();
  const add = (
    { seeds, walk, walk_changed = [] }: Pick<Page, "seeds" | "walk" | "walk_changed">,
  ) => {
    const isNew = (key: string) => !seen.has(key) && seen.add(key) !== undefined;
    const made = (kind: string, folder_ids: readonly string[], cursor: Task["cursor"]) =>
      tasks.push({ id: tasks.length, kind, folder_ids, cursor, sequence: 0 });
    for (const id of [...walk, ...walk_changed]) if (isNew(`walk ${id}`)) made("walk", [id], null);
    for (const { kind, key, cursor } of seeds) if (isNew(`${kind} ${key}`)) made(kind, [], cursor);
  };
  add(start);
  const files = new Map<string, FileRecord>();
  const folders = new Map(start.roots.map((root) => [root.external_folder_id, root]));
  let pages = 0;
  for (let at = 0; at < tasks.length; at++) {
    let task = tasks[at];
    while (task !== undefined) {
      assert.ok(++pages <= MOST_PAGES, "the listing does not end");
      const current: Task = task;
      const page = await readTwice(() => provider.readPage(stored(current), context));
      assert.ok(page.files.length + page.folders.length <= context.pageSize, "a page is too long");
      assert.deepEqual(page.skipped, []);
      for (const file of page.files) files.set(file.external_file_id, file);
      for (const folder of page.folders) folders.set(folder.external_folder_id, folder);
      add(page);
      const { next } = page;
      assert.ok(next.type === "more" || next.type === "done", "a page does not end in a next");
      task = next.type === "done"
        ? undefined
        : { ...current, cursor: stored(next.cursor), sequence: current.sequence + 1 };
    }
  }
  return { start, files, folders, pages };
}

function pathsOf({ files, folders, start }: Listed): Record<string, string> {
  const roots = new Set(start.roots.map(({ external_folder_id }) => external_folder_id));
  const paths: Record<string, string> = {};
  for (const file of files.values()) {
    const names = [file.file_name];
    let parent = folders.get(file.external_parent_id ?? "");
    while (parent !== undefined && !roots.has(parent.external_folder_id)) {
      names.unshift(parent.folder_name);
      parent = folders.get(parent.external_parent_id ?? "");
    }
    paths[file.external_file_id] = `/${names.join("/")}`;
  }
  return paths;
}

async function codeOf(work: () => unknown): Promise<FailureCode | null> {
  try {
    await work();
    return null;
  } catch (thrown) {
    if (!(thrown instanceof SyncError)) throw thrown;
    assert.ok(thrown.message.length > 20, `"${thrown.message}" says too little`);
    return thrown.code;
  }
}

async function listData(provider: Provider<unknown>, data: ContractData): Promise<Listed> {
  const { apiUrl } = provider.parseSettings((name) => data.settings[name]);
  return await list(
    provider,
    contextOver(provider, data, answerFrom(apiUrl, data.listing.answers)),
  );
}

/** Asks for a page that is refused, with the engine's own translation where the provider has none. */
async function failureCode(
  provider: Provider<unknown>,
  data: ContractData,
  { path, status, body }: ContractData["failures"][number],
): Promise<FailureCode | null> {
  const respond = () => Response.json(body ?? {}, { status });
  const context = contextOver(provider, data, respond);
  return await codeOf(() => context.getJson(new URL(`${context.apiUrl}${path}`)));
}

for (const provider of PROVIDERS) {
  const { key } = provider;

  Deno.test(`${key}: a listing ends, repeats itself, and shows every file at its path`, async () => {
    const data = readContractData(key);
    const listed = await listData(provider, data);
    assert.deepEqual(pathsOf(listed), data.listing.files);
    assert.ok(listed.pages > 1, "the data have one page only: nothing is gone on with");
    assert.equal(listed.start.feeds.length > 0, provider.incremental === "feed");
    assert.ok(listed.start.confirms_absence !== true || provider.confirmGone !== undefined);
  });

  Deno.test(`${key}: what changed is told to the end of each log, and told again the same`, async () => {
    const data = readContractData(key);
    const { apiUrl } = provider.parseSettings((name) => data.settings[name]);
    const context = contextOver(provider, data, answerFrom(apiUrl, data.changes?.answers ?? []));
    if (provider.incremental === "walk") {
      const feed = { key: "any", cursor: null, sequence: 0 };
      assert.equal(await codeOf(() => provider.readChanges(feed, context)), "cursor_expired");
      return;
    }
    assert.ok(data.changes !== undefined, "a provider with change logs needs data of one");
    const { start } = await listData(provider, data);
    const files: string[] = [];
    const removed: Record<string, string> = {};
    let pages = 0;
    for (const { key, cursor } of start.feeds) {
      let feed = { key, cursor: stored(cursor), sequence: 0 };
      for (let isOver = false; !isOver;) {
        assert.ok(++pages <= MOST_PAGES, "the log does not end");
        const from = feed;
        const page = await readTwice(() => provider.readChanges(from, context));
        files.push(...page.files.map(({ external_file_id }) => external_file_id));
        for (const { external_id, reason } of page.removed) removed[external_id] = reason;
        isOver = page.next.type === "drained";
        feed = { key, cursor: stored(page.next.cursor), sequence: feed.sequence + 1 };
      }
    }
    assert.deepEqual({ files, removed }, {
      files: data.changes.files,
      removed: data.changes.removed,
    });
  });

  Deno.test(`${key}: a configuration is accepted, or refused with a sentence about the field`, async () => {
    const { configs } = readContractData(key);
    for (const config of configs.accepted) provider.parseConfig(config);
    for (const config of [null, 7, "x", []]) {
      assert.equal(await codeOf(() => provider.parseConfig(config)), "config_invalid");
    }
    for (const { config, says } of configs.refused) {
      assert.throws(() => provider.parseConfig(config), (thrown) => {
        const { code, message } = toSyncError(thrown);
        assert.deepEqual([code, message.includes(says)], ["config_invalid", true], message);
        return true;
      });
    }
  });

  Deno.test(`${key}: without settings a token is refused, naming the setting`, async () => {
    const data = readContractData(key);
    const settings = provider.parseSettings((name) => data.settings[name]);
    assert.match(settings.apiUrl, /^https?:\/\/[^/]+.*[^/]$/);
    const config = provider.parseConfig(data.listing.config);
    const signal = new AbortController().signal;
    const fetch = () => Promise.reject(new TypeError("nobody is to be asked"));
    await assert.rejects(async () => {
      const none = provider.parseSettings(() => undefined);
      await provider.issueToken({ config, settings: none, fetch, now: () => new Date(), signal });
    }, { code: "setting_invalid", message: /CONNECTOR_/ });
  });

  Deno.test(`${key}: each refusal has its code, and every code that is needed is reached`, async () => {
    const data = readContractData(key);
    const reached = new Set<FailureCode>();
    for (const failure of data.failures) {
      const code = await failureCode(provider, data, failure);
      assert.equal(code, failure.code, `${failure.status} ${JSON.stringify(failure.body)}`);
      reached.add(failure.code);
    }
    for (const { status, body, request, code } of data.grants) {
      const headers = new Headers();
      const error = provider.classifyGrant({ status, headers, body, request, now: new Date() });
      assert.equal(error.code, code, `${request} ${status} ${JSON.stringify(body)}`);
      reached.add(code);
    }
    const expires: readonly FailureCode[] = provider.incremental === "feed"
      ? ["cursor_expired"]
      : [];
    assert.deepEqual([...NEEDED, ...expires].filter((code) => !reached.has(code)), []);
  });
}
