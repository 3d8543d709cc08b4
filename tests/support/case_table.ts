/**
 * A table of cases: what a person does at a provider between two syncs, and what must then stand in
 * the database, at the price of how many provider calls. Which provider it is played on is told by
 * the stage.
 */
import assert from "node:assert/strict";
import type { EndpointOverrides, Sql } from "./database.ts";
import { escapeName } from "./odd_names.ts";
import { stateOf } from "./synced.ts";

/** Where a case is played: an endpoint, and what was put there for it to find. */
export interface CaseStage {
  readonly world: { readonly sql: Sql; sync(): Promise<void> };
  readonly endpoint: string;
  /** What stands before a path below the stage's top folder. */
  readonly prefix: string;
}

/** One row of the table. */
export interface Case<Stage, Scope extends string> {
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

/** A file as a perfect copy would hold it. */
export interface ExpectedRow {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly size: string | null;
}

/** What differs from one provider to the next. */
export interface CaseRules<Stage> {
  /** What a perfect copy holds, by id, worked out without the provider's API. */
  readonly expected: (stage: Stage) => readonly ExpectedRow[];
  /** The counts of calls by name since the emulator began. */
  readonly counts: (stage: Stage) => Readonly<Record<string, number>>;
  /** What a sync costs when nothing has changed. */
  readonly quietCalls: (stage: Stage) => Readonly<Record<string, number>>;
}

/** Plays one case: a first sync, the change, a second one; and then nothing is left to be told. */
export async function playCase<Stage extends CaseStage>(
  each: Case<Stage, string>,
  stage: Stage,
  rules: CaseRules<Stage>,
): Promise<void> {
  const { world } = stage;
  each.arrange?.(stage);
  await world.sync();
  await checkRows(stage, rules.expected(stage));
  const before = await versions(stage);
  await each.change(stage);
  const calls = await callsOf(() => rules.counts(stage), () => world.sync());
  await checkRows(
    stage,
    rules.expected(stage),
    valueOf(each.living, stage),
    valueOf(each.gone ?? [], stage),
  );
  assert.equal((await stateOf(world.sql, stage.endpoint)).status, each.status ?? "completed");
  assert.equal(sum(calls), valueOf(each.calls, stage), `provider calls: ${JSON.stringify(calls)}`);
  const after = await versions(stage);
  const written = [...after].filter(([id, version]) => before.get(id) !== version).length;
  assert.equal(written, each.writes, "rows written");
  if (each.status === undefined) await checkRest(stage, rules, after);
}

function valueOf<Stage, Value>(value: Value | ((stage: Stage) => Value), stage: Stage): Value {
  return value instanceof Function ? value(stage) : value;
}

/** Once all is told, a sync costs what quiet ones cost, and a full listing has nothing to add. */
async function checkRest<Stage extends CaseStage>(
  stage: Stage,
  { counts, quietCalls }: CaseRules<Stage>,
  before: ReadonlyMap<string, string>,
): Promise<void> {
  const { world, endpoint } = stage;
  assert.deepEqual(await callsOf(() => counts(stage), () => world.sync()), quietCalls(stage));
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
  counts: () => Readonly<Record<string, number>>,
  work: () => Promise<void>,
): Promise<Record<string, number>> {
  const before = { ...counts() };
  await work();
  return Object.fromEntries(
    Object.entries(counts()).map(([name, n]) => [name, n - (before[name] ?? 0)] as const)
      .filter(([name, n]) => n > 0 && name !== "token"),
  );
}

/** The version of each row of `files`, by the provider's id. */
export async function versions(
  { world: { sql }, endpoint }: CaseStage,
): Promise<Map<string, string>> {
  const rows = await sql<{ id: string; version: string }[]>`
    select external_file_id as id, xmin::text || ctid::text as version
    from public.files where endpoint_id = ${endpoint} order by external_file_id`;
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/** Living paths below the top and tombstones, both sorted: what a reader of the table sees. */
export async function tableOf(stage: CaseStage): Promise<{ living: string[]; gone: string[] }> {
  const rows = await rowsOf(stage);
  return {
    living: livingOf(rows).map(({ path }) => path.slice(stage.prefix.length)).toSorted(),
    gone: rows.filter(({ sync_status }) => sync_status === "deleted")
      .map(({ name, deletion_reason }) => `${name} ${deletion_reason}`).toSorted(),
  };
}

/**
 * Checks every row: the living ones are what the provider holds (id, name, path, size), the others
 * are the named tombstones, and the endpoint's totals are those of its rows.
 */
export async function checkRows(
  stage: CaseStage,
  expected: readonly ExpectedRow[],
  living?: readonly string[],
  gone: readonly string[] = [],
): Promise<void> {
  const there = livingOf(await rowsOf(stage));
  assert.deepEqual(there.map(({ id, name, path, size }) => ({ id, name, path, size })), expected);
  const table = await tableOf(stage);
  if (living !== undefined) assert.deepEqual(table.living, living.toSorted());
  assert.deepEqual(table.gone, gone.toSorted());
  await checkTotals(stage);
}

/** A path as the database derives it, made once more: a test must not ask what it tests. */
export function pathOf(names: readonly string[]): string {
  return names.map((name) => "/" + escapeName(name)).join("");
}

interface Row extends ExpectedRow {
  readonly sync_status: string;
  readonly deletion_reason: string | null;
}

function livingOf(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ sync_status }) => sync_status === "completed");
}

async function rowsOf({ world: { sql }, endpoint }: CaseStage): Promise<readonly Row[]> {
  return await sql<Row[]>`
    select external_file_id as id, file_name as name, file_path as path, file_size::text as size,
      sync_status, deletion_reason
    from public.files where endpoint_id = ${endpoint} order by external_file_id collate "C"`;
}

async function checkTotals({ world: { sql }, endpoint }: CaseStage): Promise<void> {
  const [totals] = await sql`
    select s.file_count::int as kept_count, s.total_bytes::text as kept_bytes,
      (count(f.id))::int as files, coalesce(sum(f.file_size), 0)::text as bytes
    from connector.endpoint_states as s
    left join public.files as f on f.endpoint_id = s.endpoint_id and f.deleted_at is null
    where s.endpoint_id = ${endpoint} group by s.endpoint_id`;
  assert.equal(totals?.kept_count, totals?.files, "the endpoint's count of files");
  assert.equal(totals?.kept_bytes, totals?.bytes, "the endpoint's sum of bytes");
}
