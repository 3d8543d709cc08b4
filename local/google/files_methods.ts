import { fileNotFound } from "./api_error.ts";
import type { ApiCall } from "./api_call.ts";
import { applyMask, type Mask, parseMask, submaskOf } from "./fields_mask.ts";
import { fileProjector } from "./file_resource.ts";
import type { JsonText } from "./json_text.ts";
import { CORPORA, type Search, searchKey, type SearchResult } from "./file_search.ts";
import { includesDriveSpace, Parameters } from "./parameters.ts";
import { DEFAULT_MASKS, FILE_LIST_SHAPE, FILE_SHAPE } from "./resource_shapes.ts";
import { seesAllFiles } from "./scopes.ts";
import { canSee } from "./visibility.ts";

const LIST_PARAMETERS = [
  "corpora",
  "driveId",
  "includeItemsFromAllDrives",
  "includeLabels",
  "includePermissionsForView",
  "includeTeamDriveItems",
  "orderBy",
  "pageSize",
  "pageToken",
  "q",
  "spaces",
  "supportsAllDrives",
  "supportsTeamDrives",
  "teamDriveId",
];
const GET_PARAMETERS = [
  "acknowledgeAbuse",
  "includeLabels",
  "includePermissionsForView",
  "supportsAllDrives",
  "supportsTeamDrives",
];

interface Page {
  readonly start: number;
  readonly end: number;
  /** Where the next page begins; equal to the number of items at the end of the list. */
  readonly next: number;
}

/** `files.list` */
export function listFiles(call: ApiCall): unknown {
  const { context, fault, viewer, grant } = call;
  const parameters = new Parameters(call.query, LIST_PARAMETERS);
  const pageSize = parameters.integer("pageSize", { min: 1, max: 1000, standard: 100 });
  const fields = parameters.text("fields") ?? DEFAULT_MASKS.fileList;
  const mask = parseMask(fields, FILE_LIST_SHAPE);
  const search = readSearch(parameters, call);
  const isVisible = includesDriveSpace(parameters) && seesAllFiles(grant.scopes);
  const plan = context.search.plan(search);
  const binding = `files.list:${searchKey(search)}`;
  const token = parameters.text("pageToken");
  const at = token === undefined ? null : context.pageTokens.open(token, binding);
  const isGroupFault = fault?.type === "grouped_parents";
  const isPartial = at?.isPartial || (isGroupFault && fault.mode === "partial");
  const result = context.search.run(search, plan, isPartial);
  const isEmpty = !isVisible || (isGroupFault && fault.mode === "empty");
  const start = at === null ? 0 : result.indexAfter(at.position);
  const total = result.items.length;
  const page = isEmpty
    ? { start, end: start, next: total }
    : choosePage(start, pageSize, total, fault);
  const project = fileProjector(submaskOf(mask, "files"), viewer);
  const view = JSON.stringify([viewer.account.email, fields]);
  return listBody(page, result, mask, {
    incompleteSearch: fault?.type === "incomplete_search",
    encode: (items) => context.texts.list(view, items, project),
    issue: (position) => context.pageTokens.issue(binding, { position, isPartial }),
  });
}

/** `files.get` */
export function getFile(call: ApiCall): unknown {
  const parameters = new Parameters(call.query, GET_PARAMETERS);
  const mask = parseMask(parameters.text("fields") ?? DEFAULT_MASKS.file, FILE_SHAPE);
  const { account, drives } = call.viewer;
  const id = call.pathId === "root" ? account.root.id : call.pathId;
  const item = call.context.model.items.get(id);
  const isReadable = item !== undefined && seesAllFiles(call.grant.scopes) &&
    canSee(item, account, drives) &&
    (item.driveId === null || supportsAllDrives(parameters));
  if (!isReadable) throw fileNotFound(call.pathId);
  return fileProjector(mask, call.viewer)(item);
}

/** Whether the caller says it can handle shared drives. */
export function supportsAllDrives(parameters: Parameters): boolean {
  return parameters.flag("supportsAllDrives") || parameters.flag("supportsTeamDrives");
}

/** Whether the caller asks for items of shared drives. */
export function includesAllDrives(parameters: Parameters): boolean {
  return parameters.flag("includeItemsFromAllDrives") || parameters.flag("includeTeamDriveItems");
}

function readSearch(parameters: Parameters, call: ApiCall): Search {
  return {
    account: call.viewer.account,
    q: parameters.text("q"),
    corpora: parameters.word("corpora", CORPORA, "user"),
    driveId: parameters.text("driveId") ?? parameters.text("teamDriveId"),
    orderBy: parameters.text("orderBy"),
    includesAllDrives: includesAllDrives(parameters),
    supportsAllDrives: supportsAllDrives(parameters),
  };
}

function choosePage(start: number, size: number, total: number, fault: ApiCall["fault"]): Page {
  const end = Math.min(start + size, total);
  switch (fault?.type) {
    case "empty_page":
      return { start, end: start, next: start };
    case "duplicates":
      // At least one entry of each page is new, so that a listing always comes to its end.
      return { start, end, next: Math.max(end - fault.count, Math.min(start + 1, end)) };
    case "incomplete_search":
      return { start, end: start + Math.floor((end - start) / 2), next: end };
    default:
      return { start, end, next: end };
  }
}

function listBody(
  page: Page,
  result: SearchResult,
  mask: Mask,
  parts: {
    readonly incompleteSearch: boolean;
    readonly encode: (items: SearchResult["items"]) => JsonText;
    readonly issue: (position: number) => string;
  },
): unknown {
  const frame: Record<string, unknown> = {
    kind: "drive#fileList",
    incompleteSearch: parts.incompleteSearch,
  };
  if (page.next < result.items.length) {
    // The token names the last item given, not an index: what is added later does not shift it.
    const position = page.next === 0 ? result.beforeFirst : result.positionOf(page.next - 1);
    frame["nextPageToken"] = parts.issue(position);
  }
  const body: Record<string, unknown> = {};
  Object.assign(body, applyMask(frame, mask));
  if (mask === null || mask.has("files")) {
    body["files"] = parts.encode(result.items.slice(page.start, page.end));
  }
  return body;
}
