/**
 * The table of cases: what a person does to a drive between two syncs, and what must then stand in
 * the database, at the price of how many provider calls. Each case is played on every kind of scope
 * that has it.
 */
import assert from "node:assert/strict";
import { filesInScope, type ViewScope } from "../../../local/google/scope_view.ts";
import { type DriveSync, OWNER, stateOf, withDriveSync } from "../../support/drive_sync.ts";
import type { EndpointOverrides } from "../../support/database.ts";

/** The kinds of scope a case is played on. */
export const SCOPES = [
  "folder in My Drive",
  "folder in a shared drive",
  "lent folder of a shared drive",
  "whole shared drive",
  "own corpus",
] as const;

/** A kind of scope. */
export type Scope = typeof SCOPES[number];

/** Scopes whose top is a folder named in `endpoint_config`. */
export const FOLDER_SCOPES: readonly Scope[] = SCOPES.slice(0, 3);

/** Where a drive was set up, and what was put there. */
export interface Stage {
  readonly world: DriveSync;
  readonly model: DriveSync["drive"]["model"];
  readonly scope: Scope;
  /** The folder that holds the content: the scope's top, or (own corpus) a folder shared with the account. */
  readonly top: string;
  /** Where the scope has several tops: all of them. */
  readonly tops?: readonly string[];
  /** A folder of the same owner that is no part of the scope. */
  readonly outside: string;
  /** What {@linkcode Stage.top} is called in a path. */
  readonly prefix: string;
  readonly endpoint: string;
  /** `/top.txt`, `/Plans/a.pdf`, `/Plans/Old/b.pdf`; outside `Box/in.txt`, `Box/Deep/deep.txt`. */
  readonly ids: Readonly<
    Record<"topFile" | "plans" | "a" | "old" | "b" | "box" | "in" | "deep" | "deepFile", string>
  >;
  /** What the case's own arrangement made. */
  readonly made: string[];
}

/** One row of the table. */
export interface Case {
  readonly what: string;
  readonly scopes?: readonly Scope[];
  /** Done before the first sync, beside the tree that is always there. */
  readonly arrange?: (stage: Stage) => void;
  readonly change: (stage: Stage) => void | Promise<void>;
  /** Paths below the top that must stand there after the second sync. */
  readonly living: readonly string[] | ((stage: Stage) => readonly string[]);
  /** `name reason` of every tombstone. */
  readonly gone?: readonly string[] | ((stage: Stage) => readonly string[]);
  /** Provider calls of the sync that follows. */
  readonly calls: number | ((stage: Stage) => number);
  /** Rows of `files` that differ afterwards. */
  readonly writes: number;
  readonly status?: string;
  readonly config?: EndpointOverrides;
}

/** The paths that are there when nothing happens. */
export const BASE = ["/Plans/Old/b.pdf", "/Plans/a.pdf", "/top.txt"];

/** Why a file is said to be gone that a person moved out of the scope. */
export function leavingReason({ scope }: Stage): string {
  // To the account it makes no difference whether a thing was deleted or moved out of its sight.
  return scope === "lent folder of a shared drive" || scope === "own corpus"
    ? "removed"
    : "out_of_scope";
}

/** Plays a case on each of its scopes. */
export function playCases(cases: readonly Case[]): void {
  for (const each of cases) {
    for (const scope of each.scopes ?? SCOPES) {
      Deno.test(`${scope}: ${each.what}`, () =>
        withStage(scope, each.config ?? {}, (stage) => play(each, stage)));
    }
  }
}

/** Sets up a drive with the usual tree and an endpoint that has not synced yet. */
export async function withStage(
  scope: Scope,
  overrides: EndpointOverrides,
  test: (stage: Stage) => Promise<void>,
): Promise<void> {
  await withDriveSync(async (world) => {
    const { model } = world.drive;
    const place = placeOf(world, scope);
    const box = model.createFolder({ name: "Box", parent: place.outside }).id;
    const deep = model.createFolder({ name: "Deep", parent: box }).id;
    const plans = model.createFolder({ name: "Plans", parent: place.top }).id;
    const old = model.createFolder({ name: "Old", parent: plans }).id;
    const ids = {
      box,
      deep,
      plans,
      old,
      in: model.createFile({ name: "in.txt", parent: box }).id,
      deepFile: model.createFile({ name: "deep.txt", parent: deep }).id,
      topFile: model.createFile({ name: "top.txt", parent: place.top }).id,
      a: model.createFile({ name: "a.pdf", parent: plans }).id,
      b: model.createFile({ name: "b.pdf", parent: old }).id,
    };
    const { config, ...rest } = place;
    const endpoint = await world.add(config, overrides);
    await test({ world, model, scope, ...rest, endpoint, ids, made: [] });
  });
}

function placeOf({ drive: { model }, account }: DriveSync, scope: Scope) {
  const root = model.account(OWNER).root.id;
  if (scope === "folder in My Drive" || scope === "own corpus") {
    const top = model.createFolder({ name: "Scope", parent: root }).id;
    const outside = model.createFolder({ name: "Outside", parent: root }).id;
    model.share(top, account);
    if (scope === "own corpus") return { top, outside, prefix: "/Scope", config: {} };
    model.share(outside, account);
    return { top, outside, prefix: "", config: { folder_id: top } };
  }
  const isLent = scope === "lent folder of a shared drive";
  const members = isLent ? [OWNER] : [OWNER, account];
  const drive = model.createDrive({ name: "Team", members });
  if (scope === "whole shared drive") {
    const outside = model.createDrive({ name: "Other team", members }).id;
    return { top: drive.id, outside, prefix: "", config: { drive_id: drive.id } };
  }
  const top = model.createFolder({ name: "Scope", parent: drive.id }).id;
  const outside = model.createFolder({ name: "Outside", parent: drive.id }).id;
  if (isLent) model.share(top, account);
  return { top, outside, prefix: "", config: { folder_id: top } };
}

/** The engine with pages of `maxPageSize` items, so that a small drive takes many. */
export function pagesOf(maxPageSize: number, { world: { deps } }: Stage): Stage["world"]["deps"] {
  const limits = { ...deps.provider.limits, maxPageSize, foldersPerTask: 1 };
  return { ...deps, provider: { ...deps.provider, limits } };
}

/** Living paths below the top and tombstones, both sorted: what a reader of the table sees. */
export async function tableOf(stage: Stage): Promise<{ living: string[]; gone: string[] }> {
  const rows = await rowsOf(stage);
  const living = rows.filter(({ sync_status }) => sync_status === "completed");
  const gone = rows.filter(({ sync_status }) => sync_status === "deleted");
  return {
    living: living.map(({ path }) => path.slice(stage.prefix.length)).toSorted(),
    gone: gone.map(({ name, deletion_reason }) => `${name} ${deletion_reason}`).toSorted(),
  };
}

async function play(each: Case, stage: Stage): Promise<void> {
  const { world } = stage;
  each.arrange?.(stage);
  await world.sync();
  await checkDrive(stage);
  const before = await versions(stage);
  await each.change(stage);
  const calls = await callsOf(stage, () => world.sync());
  const valueOf = <Value>(value: Value | ((stage: Stage) => Value)): Value =>
    value instanceof Function ? value(stage) : value;
  await checkDrive(stage, valueOf(each.living), valueOf(each.gone ?? []));
  assert.equal((await stateOf(world.sql, stage.endpoint)).status, each.status ?? "completed");
  assert.equal(sum(calls), valueOf(each.calls), `provider calls: ${JSON.stringify(calls)}`);
  const after = await versions(stage);
  const written = [...after].filter(([id, version]) => before.get(id) !== version).length;
  assert.equal(written, each.writes, "rows written");
  if (each.status === undefined) await checkRest(stage, after);
}

/** Once all is told, a sync costs one call, and a full listing has nothing to add. */
async function checkRest(stage: Stage, before: ReadonlyMap<string, string>): Promise<void> {
  const { world, endpoint } = stage;
  assert.deepEqual(await callsOf(stage, () => world.sync()), { "changes.list": 1 });
  await world.sql`select public.request_sync(${endpoint}, 'full')`;
  await world.sync();
  assert.equal((await stateOf(world.sql, endpoint)).status, "completed");
  assert.deepEqual(await versions(stage), before, "a full listing must not change a row");
}

function sum(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((total, n) => total + n, 0);
}

/** The calls that `work` made, without those for an access token. */
export async function callsOf(
  { world: { drive: { control } } }: Stage,
  work: () => Promise<void>,
): Promise<Record<string, number>> {
  const before = control.counters().calls;
  await work();
  const after = Object.entries(control.counters().calls);
  return Object.fromEntries(
    after.map(([name, n]) => [name, n - (before[name] ?? 0)] as const)
      .filter(([name, n]) => n > 0 && name !== "token"),
  );
}

/** The version of each row of `files`, by the provider's id. */
export async function versions({ world: { sql }, endpoint }: Stage): Promise<Map<string, string>> {
  const rows = await sql<{ id: string; version: string }[]>`
    select external_file_id as id, xmin::text || ctid::text as version
    from public.files where endpoint_id = ${endpoint} order by external_file_id`;
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/**
 * Checks every row: the living ones are what the drive holds (id, name, path, size), the others are
 * the named tombstones, and the endpoint's totals are those of its rows.
 */
export async function checkDrive(
  stage: Stage,
  living?: readonly string[],
  gone: readonly string[] = [],
): Promise<void> {
  const rows = await rowsOf(stage);
  const there = rows.filter(({ sync_status }) => sync_status === "completed");
  assert.deepEqual(
    there.map(({ id, name, path, size }) => ({ id, name, path, size })),
    expectedRows(stage),
  );
  if (living !== undefined) {
    const paths = there.map(({ path }) => path.slice(stage.prefix.length)).toSorted();
    assert.deepEqual(paths, living.toSorted());
  }
  const tombs = rows.filter(({ sync_status }) => sync_status === "deleted");
  assert.deepEqual(
    tombs.map(({ name, deletion_reason }) => `${name} ${deletion_reason}`).toSorted(),
    gone.toSorted(),
  );
  await checkTotals(stage);
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly size: string | null;
  readonly sync_status: string;
  readonly deletion_reason: string | null;
}

async function rowsOf({ world: { sql }, endpoint }: Stage): Promise<readonly Row[]> {
  const rows = await sql<Row[]>`
    select external_file_id as id, file_name as name, file_path as path, file_size::text as size,
      sync_status, deletion_reason
    from public.files where endpoint_id = ${endpoint} order by external_file_id collate "C"`;
  return [...rows];
}

async function checkTotals({ world: { sql }, endpoint }: Stage): Promise<void> {
  const [totals] = await sql`
    select s.file_count::int as kept_count, s.total_bytes::text as kept_bytes,
      (count(f.id))::int as files, coalesce(sum(f.file_size), 0)::text as bytes
    from connector.endpoint_states as s
    left join public.files as f on f.endpoint_id = s.endpoint_id and f.deleted_at is null
    where s.endpoint_id = ${endpoint} group by s.endpoint_id`;
  assert.equal(totals?.kept_count, totals?.files, "the endpoint's count of files");
  assert.equal(totals?.kept_bytes, totals?.bytes, "the endpoint's sum of bytes");
}

/** What a perfect copy of the drive holds, worked out without the API. */
function expectedRows({ world, model, scope, top, tops = [top] }: Stage) {
  const escape = (name: string) => name.replaceAll("\\", "\\\\").replaceAll("/", "\\/");
  return filesInScope(model, world.account, viewOf(scope, tops)).map((
    { id, name, size, folderNames },
  ) => ({ id, name, path: ["", ...folderNames, name].map(escape).join("/"), size }));
}

function viewOf(scope: Scope, tops: readonly string[]): ViewScope {
  switch (scope) {
    case "own corpus":
      return { type: "account" };
    case "whole shared drive":
      return { type: "drive", driveId: tops[0] ?? "" };
    default:
      return { type: "folders", folderIds: tops };
  }
}
