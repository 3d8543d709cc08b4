/**
 * The table of cases of an Autodesk project. Each case is played on every kind of scope that has it.
 * Between a change and the sync that follows, a minute of Autodesk's clock passes.
 */
import { filesInScope } from "../../../local/autodesk/scope_view.ts";
import { type AutodeskSync, CLIENT_ID, withAutodeskSync } from "../../support/autodesk_sync.ts";
import {
  callsOf as callsBetween,
  type Case as AnyCase,
  type CaseRules,
  checkRows,
  type ExpectedRow,
  pathOf,
  playCase,
} from "../../support/case_table.ts";
import type { EndpointOverrides } from "../../support/database.ts";

export { tableOf, versions } from "../../support/case_table.ts";

/** The kinds of scope a case is played on. */
export const SCOPES = ["whole project", "given folder", "folders, one in the other"] as const;

/** A kind of scope. */
export type Scope = typeof SCOPES[number];

/** Scopes in which all paths hang below one top. */
export const ONE_TOP: readonly Scope[] = SCOPES.slice(0, 2);

/** One of them, for what the kind of scope makes no difference to. */
export const GIVEN: readonly Scope[] = SCOPES.slice(1, 2);

/** The scope of two folders, of which the inner one is a top of its own. */
export const NESTED: readonly Scope[] = SCOPES.slice(2);

/** A project, what was put there, and the endpoint that reads it. */
export interface Stage {
  readonly world: AutodeskSync;
  readonly model: AutodeskSync["model"];
  readonly scope: Scope;
  /** The folder that holds the content: Project Files, or the folder that the scope names first. */
  readonly top: string;
  /** The folders that the scope names. */
  readonly folderIds: readonly string[] | undefined;
  /** A folder of the same project that is no part of the scope. */
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
export type Case = AnyCase<Stage, Scope>;

/** The paths that are there when nothing happens, below one top. */
export const BASE = ["/Plans/Old/b.pdf", "/Plans/a.pdf", "/top.txt"];

/** The same where the folder `Old` is a top as well. */
export const NESTED_BASE = ["/Plans/a.pdf", "/b.pdf", "/top.txt"];

const RULES: CaseRules<Stage> = {
  expected: expectedRows,
  counts: countsOf,
  quietCalls,
};

/** Plays cases on each of their scopes; unless told otherwise, on those with one top. */
export function playCases(cases: readonly Case[], scopes: readonly Scope[] = ONE_TOP): void {
  for (const each of cases) {
    for (const scope of each.scopes ?? scopes) {
      Deno.test(`${scope}: ${each.what}`, () =>
        withStage(scope, each.config ?? {}, (stage) => playCase(each, stage, RULES)));
    }
  }
}

/** Sets up a project with the usual tree and an endpoint that has not synced yet. */
export async function withStage(
  scope: Scope,
  overrides: EndpointOverrides,
  test: (stage: Stage) => Promise<void>,
): Promise<void> {
  await withAutodeskSync(async (world) => {
    const { model, place: { projectId } } = world;
    const { top, outside, prefix } = placeOf(world, scope);
    const box = model.createFolder({ name: "Box", parent: outside }).id;
    const deep = model.createFolder({ name: "Deep", parent: box }).id;
    const plans = model.createFolder({ name: "Plans", parent: top }).id;
    const old = model.createFolder({ name: "Old", parent: plans }).id;
    const ids = {
      box,
      deep,
      plans,
      old,
      in: model.createItem({ name: "in.txt", parent: box }).id,
      deepFile: model.createItem({ name: "deep.txt", parent: deep }).id,
      topFile: model.createItem({ name: "top.txt", parent: top }).id,
      a: model.createItem({ name: "a.pdf", parent: plans }).id,
      b: model.createItem({ name: "b.pdf", parent: old }).id,
    };
    const named = { "whole project": undefined, "given folder": [top] } as const;
    const folderIds = scope === "folders, one in the other" ? [top, old] : named[scope];
    const config = { project_id: projectId, ...(folderIds && { folder_ids: folderIds }) };
    const endpoint = await world.add(config, overrides);
    await test({
      world: passingTime(world),
      model,
      scope,
      top,
      folderIds,
      outside,
      prefix,
      endpoint,
      ids,
      made: [],
    });
  });
}

/** The engine, with a minute that passes before each sync: rollups count whole seconds. */
function passingTime(world: AutodeskSync): AutodeskSync {
  return {
    ...world,
    async sync(...terms) {
      world.wait();
      await world.sync(...terms);
    },
  };
}

function placeOf({ model, place }: AutodeskSync, scope: Scope) {
  const { folderId: files, rootFolderId: root } = place;
  if (scope === "whole project") {
    // What other products keep beside Project Files is no part of the project's files.
    const outside = model.createFolder({ name: "Photos", parent: root, isSystem: true }).id;
    return { top: files, outside, prefix: "/Project Files" };
  }
  return {
    top: model.createFolder({ name: "Scope", parent: files }).id,
    outside: model.createFolder({ name: "Outside", parent: files }).id,
    prefix: "",
  };
}

function countsOf({ world: { aps: { control } } }: Stage): Readonly<Record<string, number>> {
  return control.counters().calls;
}

/** What a sync costs when nothing has changed: one call, and one for each folder that is named. */
export function quietCalls({ folderIds }: Stage): Readonly<Record<string, number>> {
  return folderIds === undefined
    ? { "projects.topFolders": 1 }
    : { "folders.get": folderIds.length };
}

/** The calls that `work` made, without those for an access token. */
export function callsOf(stage: Stage, work: () => Promise<void>): Promise<Record<string, number>> {
  return callsBetween(() => countsOf(stage), work);
}

/** Checks every row against what the project holds, and where they are named, what a reader sees. */
export function checkProject(
  stage: Stage,
  living?: readonly string[],
  gone?: readonly string[],
): Promise<void> {
  return checkRows(stage, expectedRows(stage), living, gone);
}

/** What a perfect copy of the project holds, worked out without the API. */
function expectedRows({ world: { model, place }, folderIds }: Stage): readonly ExpectedRow[] {
  const { projectId } = place;
  const scope = { projectId, folderIds, clientId: CLIENT_ID, isProjectFilesOnly: true };
  return filesInScope(model, scope).filter(({ isDeleted }) => !isDeleted).map((
    { id, name, size, folderNames },
  ) => ({ id, name, path: pathOf([...folderNames, name]), size: sizeOf(size) }));
}

/** A number of JSON is exact up to 2^53; of a larger one it is not known what was meant. */
function sizeOf(size: number | null): string | null {
  return size === null || !Number.isSafeInteger(size) ? null : String(size);
}

/** A sync that lists everything, whatever the rollups say. */
export async function syncFully({ world, endpoint }: Stage): Promise<void> {
  await world.sql`select public.request_sync(${endpoint}, 'full')`;
  await world.sync();
}
