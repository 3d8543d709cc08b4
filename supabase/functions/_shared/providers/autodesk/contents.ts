/** Reading folders, one by one and page by page. */
import { isUnanswered, SyncError } from "../../errors.ts";
import type { Page, ProviderContext, Task } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { type Entries, readEntries } from "./entries.ts";
import { toFileRecord } from "./file_record.ts";
import { toFolderRecord, toWalk } from "./folder_record.ts";
import { EMPTY_PAGE, parseCursor, receipt } from "../pages.ts";
import { askPage, type ListPage, type Position, position } from "./paging.ts";
import { withoutSystemFolders } from "./system_folders.ts";
import { chooseHub, explainRefusal, isProjectThere, isRefusal } from "./project.ts";
import { skippedFolder } from "../unreadable.ts";
import { contentsUrl, topFoldersUrl } from "./urls.ts";

type Context = ProviderContext<AutodeskConfig>;

/** One page of the content of a folder, or of the project's top. */
export async function readWalkPage(task: Task, context: Context): Promise<Page> {
  const [folderId, ...others] = task.folder_ids;
  if (folderId === undefined || others.length > 0) {
    const message =
      "Cannot go on with this listing as a task of it must be one folder; it begins again";
    throw new SyncError("cursor_expired", message);
  }
  return folderId === context.config.projectId
    ? await readTop(task, context)
    : await readFolder(folderId, task, context);
}

/** The top folders, which hang below a root that stands for the project. */
async function readTop(task: Task, context: Context): Promise<Page> {
  const { config } = context;
  const at = parseCursor(position, task.cursor);
  const answer = await askTop(at, context);
  const isEmpty = at === null && answer.nextPosition === null && answer.list.data.length === 0;
  if (isEmpty) throw noTopFolders(config);
  const list = withoutSystemFolders(answer.list, config);
  return toPage(config.projectId, { ...answer, list }, context);
}

async function askTop(at: Position, context: Context): Promise<ListPage> {
  const hubId = await chooseHub(context);
  try {
    return await askPage(topFoldersUrl(context.apiUrl, hubId, context.config), at, context);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw await explainRefusal(error, hubId, context);
  }
}

/** Every project of Docs has top folders: an empty list is a missing permission. */
function noTopFolders({ projectId, userId }: AutodeskConfig): SyncError {
  const who = userId === null ? "the application" : `the user "${userId}" of x_user_id`;
  return new SyncError(
    "access_denied",
    `Cannot read project "${projectId}" as Autodesk shows ${who} no folder of it: a project admin ` +
      "must give permission for the folders",
  );
}

async function readFolder(folderId: string, task: Task, context: Context): Promise<Page> {
  const { apiUrl, config, pageSize } = context;
  const first = contentsUrl(apiUrl, folderId, config, pageSize);
  try {
    const at = parseCursor(position, task.cursor);
    const answer = await askPage(first, at, context, "folder");
    return toPage(folderId, answer, context);
  } catch (error) {
    const isTheirs = isRefusal(error) || isUnanswered(error) && await isProjectThere(context);
    if (!isTheirs) throw error;
    return {
      ...EMPTY_PAGE,
      skipped: [skippedFolder(folderId, error)],
      receipt: { folders_skipped: 1 },
      next: { type: "done" },
    };
  }
}

function toPage(folderId: string, { list, nextPosition }: ListPage, context: Context): Page {
  const entries = readEntries(list, folderId);
  const folders = entries.folders.map((folder) => toFolderRecord(folder, folderId, context));
  const files = entries.files.map((file) => toFileRecord(file, folderId, context.config));
  return {
    files: files.map(({ file }) => file),
    folders,
    ...toWalk(folders, context),
    seeds: [],
    removed: entries.deletedFiles.map((external_id) => ({ external_id, reason: "removed" })),
    skipped: entries.unreadable,
    receipt: receipt({
      pages: 1,
      items: list.data.length,
      folders_read: nextPosition === null ? 1 : 0,
      values_unreadable: files.reduce((sum, { unreadableValues }) => sum + unreadableValues, 0),
      ...countOddities(entries),
    }),
    next: nextPosition === null ? { type: "done" } : { type: "more", cursor: nextPosition },
  };
}

function countOddities(
  { files, deletedFiles, hiddenFolders, unreadable }: Entries,
): Readonly<Record<string, number>> {
  return {
    items_hidden: deletedFiles.length + hiddenFolders,
    items_unreadable: unreadable.length,
    items_without_version: files.filter(({ tip }) => tip === null).length,
  };
}
