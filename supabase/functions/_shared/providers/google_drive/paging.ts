import { z } from "zod";
import { SyncError } from "../../errors.ts";
import type { CallPurpose, Page, ProviderContext } from "../types.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { type ListRequest, listUrl } from "./query.ts";
import { type FileList, fileList, parseAnswer } from "./schemas.ts";

/** How often one task may begin again because Drive no longer knows its page token. */
const MOST_RESTARTS = 3;

/** How often in a row a page may lead back to itself, as an empty one may, before it is a circle. */
export const MOST_REPEATS = 5;

/** The part of every task's cursor that says how far the reading of one query has come. */
export const position = z.object({
  page_token: z.string().min(1).nullable().default(null),
  restarts: z.number().int().nonnegative().default(0),
  repeats: z.number().int().nonnegative().default(0),
});

/** How far the reading of one query has come. */
export type Position = z.infer<typeof position>;

/** Drive's answer to one page request. */
export type Answer =
  | { readonly type: "page"; readonly list: FileList; readonly nextPosition: Position | null }
  /** The page token is dead: read the query from its beginning, which changes nothing twice. */
  | { readonly type: "restart"; readonly nextPosition: Position };

/** Asks for one page of a query; `purpose` as for `ProviderContext.getJson`. */
export async function askPage(
  request: Omit<ListRequest, "pageSize" | "pageToken">,
  at: Position,
  context: ProviderContext<GoogleDriveConfig>,
  purpose: CallPurpose = "run",
): Promise<Answer> {
  const { pageSize, apiUrl } = context;
  const url = listUrl(apiUrl, { ...request, pageSize, pageToken: at.page_token });
  let body: unknown;
  try {
    body = await context.getJson(url, purpose);
  } catch (error) {
    if (!isDeadPageToken(error, at)) throw error;
    const nextPosition = { page_token: null, restarts: at.restarts + 1, repeats: 0 };
    return { type: "restart", nextPosition };
  }
  const list = parseAnswer(fileList, body, "files.list");
  const pageToken = list.nextPageToken ?? null;
  if (pageToken === null) return { type: "page", list, nextPosition: null };
  const repeats = pageToken === at.page_token ? at.repeats + 1 : 0;
  if (repeats > MOST_REPEATS) {
    const message = "Google Drive answers a page that leads back to itself; it will be tried again";
    throw new SyncError("response_invalid", message, { isUnreadable: true });
  }
  return {
    type: "page",
    list,
    nextPosition: { page_token: pageToken, restarts: at.restarts, repeats },
  };
}

function isDeadPageToken(error: unknown, at: Position): boolean {
  return error instanceof SyncError && error.code === "cursor_expired" &&
    at.page_token !== null && at.restarts < MOST_RESTARTS;
}

/** Reported for a search that Drive itself calls incomplete: nothing may be deleted by it. */
export function incompleteSearch(folderId: string): Page["skipped"][number] {
  return {
    external_folder_id: folderId,
    code: "listing_incomplete",
    message: "Google Drive did not search everything; files it left out are kept as they were",
  };
}
