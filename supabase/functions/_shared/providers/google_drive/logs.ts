/** The change logs that a scope follows: a user's own, and one of each shared drive. */
import { SyncError } from "../../errors.ts";
import type { FeedStart, ProviderContext } from "../types.ts";
import type { GoogleDriveConfig, GoogleDriveScope } from "./config.ts";
import { startPageTokenUrl } from "./query.ts";
import { parseAnswer, startPageToken } from "./schemas.ts";

type Context = ProviderContext<GoogleDriveConfig>;

const USER_LOG = "user";
const DRIVE_LOG = "drive:";

/** The name of a log: a shared drive's, or (`null`) the user's own. */
function feedKey(driveId: string | null): string {
  return driveId === null ? USER_LOG : DRIVE_LOG + driveId;
}

/** The shared drive of a log, or `null` for the user's own; refuses a log of another scope. */
export function driveIdOf(key: string, scope: GoogleDriveScope): string | null {
  const driveId = key.startsWith(DRIVE_LOG) ? key.slice(DRIVE_LOG.length) : null;
  const isKnown = key === feedKey(driveId) && driveId !== "";
  const isWanted = scope.type === "folders" ||
    driveId === (scope.type === "drive" ? scope.driveId : null);
  if (isKnown && isWanted) return driveId;
  throw expired("Cannot follow this change log as it belongs to another endpoint_config");
}

/** Says that the logs no longer tell all, so that a full listing must. */
export function expired(why: string, cause?: unknown): SyncError {
  return new SyncError("cursor_expired", `${why}; everything is listed again`, { cause });
}

/** Where a log stands now. */
export async function startFeed(driveId: string | null, context: Context): Promise<FeedStart> {
  const answer = await context.getJson(startPageTokenUrl(context.apiUrl, driveId));
  const token = parseAnswer(startPageToken, answer, "changes.getStartPageToken").startPageToken;
  return { key: feedKey(driveId), cursor: { page_token: token } };
}
