/**
 * The table of cases: what a person does to a drive between two syncs, and what must then stand in
 * the database, at the price of how many provider calls. Each case is played on every kind of scope
 * that has it.
 */
import { filesInScope, type ViewScope } from "../../../local/google/scope_view.ts";
import {
  callsOf as callsBetween,
  type Case as AnyCase,
  type CaseRules,
  checkRows,
  type ExpectedRow,
  pathOf,
  playCase,
} from "../../support/case_table.ts";
import { type DriveSync, OWNER, withDriveSync } from "../../support/drive_sync.ts";
import type { EndpointOverrides } from "../../support/database.ts";

export { tableOf, versions } from "../../support/case_table.ts";

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
  /** Where `file_types` leave files out: which names they let in. */
  readonly isWanted?: (name: string) => boolean;
  /** `/top.txt`, `/Plans/a.pdf`, `/Plans/Old/b.pdf`; outside `Box/in.txt`, `Box/Deep/deep.txt`. */
  readonly ids: Readonly<
    Record<"topFile" | "plans" | "a" | "old" | "b" | "box" | "in" | "deep" | "deepFile", string>
  >;
  /** What the case's own arrangement made. */
  readonly made: string[];
}

/** One row of the table. */
export type Case = AnyCase<Stage, Scope>;

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
        withStage(scope, each.config ?? {}, (stage) => playCase(each, stage, RULES)));
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

const RULES: CaseRules<Stage> = {
  expected: expectedRows,
  counts: countsOf,
  quietCalls: () => LOG_CALLS,
};

function countsOf({ world: { drive: { control } } }: Stage): Readonly<Record<string, number>> {
  return control.counters().calls;
}

/** What a sync costs when nothing has changed, or when the change log alone tells what has. */
export const LOG_CALLS: Readonly<Record<string, number>> = { "changes.list": 1 };

/**
 * What a full listing costs that fits into a page each: a look at the top, where the log stands, a list
 * for each level of folders, and what the log has got since. A folder of the scope is looked at once
 * more after that, since it is no log's own; a corpus is listed flat, folders first.
 */
export function listingCalls(scope: Scope, levels = 3): Readonly<Record<string, number>> {
  const isWalked = FOLDER_SCOPES.includes(scope);
  return {
    "files.get": isWalked ? 2 : 1,
    "changes.getStartPageToken": 1,
    "files.list": isWalked ? levels : 2,
    ...LOG_CALLS,
  };
}

/** The calls that `work` made, without those for an access token. */
export function callsOf(stage: Stage, work: () => Promise<void>): Promise<Record<string, number>> {
  return callsBetween(() => countsOf(stage), work);
}

/** Checks every row against what the drive holds, and where they are named, what a reader sees. */
export function checkDrive(
  stage: Stage,
  living?: readonly string[],
  gone?: readonly string[],
): Promise<void> {
  return checkRows(stage, expectedRows(stage), living, gone);
}

/** What a perfect copy of the drive holds, worked out without the API. */
function expectedRows(
  { world, model, scope, top, tops = [top], isWanted = () => true }: Stage,
): readonly ExpectedRow[] {
  return filesInScope(model, world.account, viewOf(scope, tops))
    .filter(({ name }) => isWanted(name))
    .map(({ id, name, size, folderNames }) => ({
      id,
      name,
      path: pathOf([...folderNames, name]),
      size,
    }));
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
