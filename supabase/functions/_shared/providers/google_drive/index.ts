import { SyncError } from "../../errors.ts";
import type { Page, Provider, ProviderContext, Task } from "../types.ts";
import { readChanges } from "./changes.ts";
import { classify } from "./classify.ts";
import { CONFIG_KEYS, describeWholeScope, type GoogleDriveConfig, parseConfig } from "./config.ts";
import { classifyGrant } from "./grant_errors.ts";
import { readFlatPage } from "./listing.ts";
import { oauthProfile } from "./oauth_profile.ts";
import { quotaOf } from "./quota.ts";
import { DRIVE_SCOPE } from "./scopes.ts";
import { parseSettings } from "./settings.ts";
import { readSharedPage } from "./shared.ts";
import { startListing } from "./start.ts";
import { showValue } from "./text.ts";
import { issueToken } from "./token.ts";
import { readUnreadable } from "../unreadable.ts";
import { readGroupPage, readSinglePage } from "./walking.ts";

async function readPage(task: Task, context: ProviderContext<GoogleDriveConfig>): Promise<Page> {
  switch (task.kind) {
    case "folders":
    case "files":
      return await readFlatPage(task.kind, task, context);
    case "shared":
      return await readSharedPage(task, context);
    case "walk":
      return await readGroupPage(task, context);
    case "walk_one":
      return await readSinglePage(task, context);
    case "unreadable":
      return readUnreadable(task);
    default:
      throw new SyncError(
        "cursor_expired",
        "Cannot read a task as its kind must be one this version knows: " +
          `current value is ${showValue(task.kind)}`,
      );
  }
}

/** Google Drive: whole shared drives, folders, or an account's own corpus. */
export const googleDrive: Provider<GoogleDriveConfig> = {
  key: "google_drive",
  displayName: "Google Drive",
  limits: {
    maxPageSize: 1000,
    maxParallelTasks: 12,
    // Fifty parents make a query of about 3,000 characters; rclone has used the number for years.
    foldersPerTask: 50,
  },
  scopes: [DRIVE_SCOPE],
  incremental: "feed",
  configKeys: CONFIG_KEYS,
  describeWholeScope,
  parseConfig,
  parseSettings: (env) => parseSettings(env),
  issueToken,
  oauthProfile,
  classifyGrant,
  // A file read before its folder has its path written a second time.
  leadingTasks: new Set(["folders"]),
  startListing,
  readPage,
  readChanges,
  quotaOf,
  classify,
};
