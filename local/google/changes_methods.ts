import type { ApiCall } from "./api_call.ts";
import { driveNotFound, requiredParameter } from "./api_error.ts";
import { type ChangeEntry, driveLogName, userLogName } from "./change_logs.ts";
import type { DriveState } from "./drive_state.ts";
import type { Item } from "./drive_types.ts";
import { applyMask, parseMask, submaskOf } from "./fields_mask.ts";
import { driveResource, fileProjector, isoTime, type Viewer } from "./file_resource.ts";
import { allDrivesRequired } from "./file_search.ts";
import { includesAllDrives, supportsAllDrives } from "./files_methods.ts";
import { includesDriveSpace, Parameters } from "./parameters.ts";
import { CHANGE_LIST_SHAPE, DEFAULT_MASKS, START_TOKEN_SHAPE } from "./resource_shapes.ts";
import { seesAllFiles } from "./scopes.ts";
import { canSee, isBelow, isShared } from "./visibility.ts";

const START_PARAMETERS = ["driveId", "supportsAllDrives", "supportsTeamDrives", "teamDriveId"];
const LIST_PARAMETERS = [
  ...START_PARAMETERS,
  "includeCorpusRemovals",
  "includeItemsFromAllDrives",
  "includeLabels",
  "includePermissionsForView",
  "includeRemoved",
  "includeTeamDriveItems",
  "pageSize",
  "pageToken",
  "restrictToMyDrive",
  "spaces",
];

/** `changes.getStartPageToken` */
export function getStartPageToken(call: ApiCall): unknown {
  const parameters = new Parameters(call.query, START_PARAMETERS);
  const mask = parseMask(parameters.text("fields") ?? DEFAULT_MASKS.startToken, START_TOKEN_SHAPE);
  const driveId = readDriveId(parameters, call);
  if (driveId !== undefined && !supportsAllDrives(parameters)) throw driveNotFound(driveId);
  const name = logName(driveId, call.viewer);
  const position = call.context.model.logs.log(name).lastSequence + 1;
  const startPageToken = call.context.changeTokens.issue(bindingOf(name, call.viewer), {
    position,
  });
  return applyMask({ kind: "drive#startPageToken", startPageToken }, mask);
}

/** `changes.list` */
export function listChanges(call: ApiCall): unknown {
  const { context, viewer } = call;
  const parameters = new Parameters(call.query, LIST_PARAMETERS);
  const pageSize = parameters.integer("pageSize", { min: 1, max: 1000, standard: 100 });
  const mask = parseMask(parameters.text("fields") ?? DEFAULT_MASKS.changeList, CHANGE_LIST_SHAPE);
  const token = parameters.text("pageToken");
  if (token === undefined) throw requiredParameter("pageToken");
  const reader = readerOf(parameters, call);
  const name = logName(reader.driveId, viewer);
  const binding = bindingOf(name, viewer);
  const { position } = context.changeTokens.open(token, binding);
  const page = readLog(call, reader, name, position, pageSize);
  const issued = context.changeTokens.issue(binding, { position: page.next });
  const frame = applyMask({
    kind: "drive#changeList",
    ...(page.isLast ? { newStartPageToken: issued } : { nextPageToken: issued }),
  }, mask);
  const changesMask = submaskOf(mask, "changes");
  const project = fileProjector(submaskOf(changesMask, "file"), viewer);
  const changes = page.changes.map(({ item, drive, ...rest }) => {
    const change = applyMask({ ...rest, drive, teamDrive: drive }, changesMask);
    const isFileWanted = changesMask === null || changesMask.has("file");
    return item !== undefined && isFileWanted
      ? Object.assign({}, change, { file: project(item) })
      : change;
  });
  return Object.assign({}, frame, mask === null || mask.has("changes") ? { changes } : {});
}

/** How the caller wants a log to be read. */
interface LogReader {
  readonly driveId: string | undefined;
  readonly includesAllDrives: boolean;
  readonly includesRemoved: boolean;
  readonly includesCorpusRemovals: boolean;
  readonly isRestrictedToMyDrive: boolean;
  readonly isVisible: boolean;
}

interface Change {
  readonly kind: "drive#change";
  readonly changeType: "file" | "drive";
  readonly type: "file" | "drive";
  readonly time: string;
  readonly removed: boolean;
  readonly fileId?: string;
  readonly driveId?: string;
  readonly teamDriveId?: string;
  readonly item?: Item | undefined;
  readonly drive?: Record<string, unknown> | undefined;
}

interface LogPage {
  readonly changes: readonly Change[];
  readonly next: number;
  readonly isLast: boolean;
}

function readerOf(parameters: Parameters, call: ApiCall): LogReader {
  const isIncluded = includesAllDrives(parameters);
  const driveId = readDriveId(parameters, call);
  if ((driveId !== undefined && !isIncluded) || (isIncluded && !supportsAllDrives(parameters))) {
    throw allDrivesRequired();
  }
  return {
    driveId,
    includesAllDrives: isIncluded,
    includesRemoved: parameters.flag("includeRemoved", true),
    includesCorpusRemovals: parameters.flag("includeCorpusRemovals"),
    isRestrictedToMyDrive: parameters.flag("restrictToMyDrive"),
    isVisible: includesDriveSpace(parameters) && seesAllFiles(call.grant.scopes),
  };
}

function readLog(
  { context, viewer, fault }: ApiCall,
  reader: LogReader,
  name: string,
  position: number,
  pageSize: number,
): LogPage {
  const log = context.model.logs.log(name);
  if (fault?.type === "empty_page") return { changes: [], next: position, isLast: false };
  const changes: Change[] = [];
  const sequences: number[] = [];
  let isLast = true;
  for (const { sequence, value } of log.from(position)) {
    if (changes.length === pageSize) {
      isLast = false;
      break;
    }
    const change = reader.isVisible ? describe(value, reader, context.model, viewer) : null;
    if (change === null || (change.removed && !reader.includesRemoved)) continue;
    changes.push(change);
    sequences.push(sequence);
  }
  const end = isLast ? log.lastSequence + 1 : (sequences.at(-1) ?? position) + 1;
  if (fault?.type !== "duplicates" || sequences.length < 2) return { changes, next: end, isLast };
  const repeated = Math.min(fault.count, sequences.length - 1);
  return { changes, next: sequences[sequences.length - repeated] ?? end, isLast: false };
}

// An entry says that something happened; what the caller is told is the state as it is now.
function describe(
  entry: ChangeEntry,
  reader: LogReader,
  model: DriveState,
  viewer: Viewer,
): Change | null {
  const time = isoTime(entry.atMs);
  if (entry.type === "drive") {
    if (!reader.includesAllDrives) return null;
    const drive = model.drives.get(entry.id);
    const isMember = drive?.members.has(viewer.account.email) ?? false;
    const ids = { driveId: entry.id, teamDriveId: entry.id };
    const base = {
      kind: "drive#change",
      changeType: "drive",
      type: "drive",
      time,
      ...ids,
    } as const;
    if (drive === undefined || !isMember) return { ...base, removed: true };
    return { ...base, removed: false, drive: driveResource(drive) };
  }
  const base = {
    kind: "drive#change",
    changeType: "file",
    type: "file",
    time,
    fileId: entry.id,
  } as const;
  const item = model.items.get(entry.id);
  if (item === undefined || !canSee(item, viewer.account, model.drives)) {
    return { ...base, removed: true };
  }
  if (!isInCorpus(item, reader, viewer)) {
    // Still readable, but no longer part of this log's corpus: moved to or from a shared drive.
    return { ...base, removed: true, ...(reader.includesCorpusRemovals ? { item } : {}) };
  }
  if (reader.isRestrictedToMyDrive && !isBelow(item, viewer.account.root)) return null;
  return { ...base, removed: false, item };
}

function isInCorpus(item: Item, reader: LogReader, { account }: Viewer): boolean {
  if (reader.driveId !== undefined) return item.driveId === reader.driveId;
  if (item.driveId === null) return true;
  return reader.includesAllDrives && isShared(item, account.email);
}

function readDriveId(parameters: Parameters, call: ApiCall): string | undefined {
  const driveId = parameters.text("driveId") ?? parameters.text("teamDriveId");
  if (driveId === undefined) return undefined;
  const { account, drives } = call.viewer;
  if (!drives.get(driveId)?.members.has(account.email)) throw driveNotFound(driveId);
  return driveId;
}

function logName(driveId: string | undefined, viewer: Viewer): string {
  return driveId === undefined ? userLogName(viewer.account.email) : driveLogName(driveId);
}

function bindingOf(name: string, viewer: Viewer): string {
  return `changes:${name}:${viewer.account.email}`;
}
