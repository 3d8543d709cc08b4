import { z } from "zod";
import { FAILURE_CODES, type SyncError } from "../errors.ts";
import type { Page, SkippedSubtree, Task, TaskSeed } from "./types.ts";
import { EMPTY_PAGE, parseCursor } from "./pages.ts";

/**
 * The report of a folder that could not be read. An answer that makes no sense counts as none: alone,
 * `response_invalid` is the code of a single item, which nobody could ask for again.
 */
export function skippedFolder(folderId: string, error: SyncError): SkippedSubtree {
  const { message, isUnreadable } = error;
  const code = isUnreadable ? "unavailable" : error.code;
  return { external_folder_id: folderId, code, message };
}

const unreadableCursor = z.object({
  external_folder_id: z.string(),
  code: z.enum(FAILURE_CODES),
  message: z.string(),
});

/**
 * A task that only reports a folder of the scope found unreadable at the start: the listing of the
 * others goes on, and is partial.
 */
export function unreadableSeed(skipped: SkippedSubtree): TaskSeed {
  const { external_folder_id, code, message } = skipped;
  const cursor = { external_folder_id, code, message };
  return { kind: "unreadable", key: external_folder_id, cursor };
}

/** The report of such a task; no call is made. */
export function readUnreadable(task: Task): Page {
  const skipped = [parseCursor(unreadableCursor, task.cursor)];
  return { ...EMPTY_PAGE, skipped, receipt: { folders_skipped: 1 }, next: { type: "done" } };
}
