import { SyncError } from "../../errors.ts";
import type { Page, Provider, ProviderContext, Task } from "../types.ts";
import { confirmGone } from "./absences.ts";
import { classify } from "./classify.ts";
import { type AutodeskConfig, CONFIG_KEYS, parseConfig } from "./config.ts";
import { readWalkPage } from "./contents.ts";
import { classifyGrant } from "./grant_errors.ts";
import { oauthProfile } from "./oauth_profile.ts";
import { quotaOf } from "./quota.ts";
import { READ_SCOPE } from "./scopes.ts";
import { readerName } from "./reader_name.ts";
import { parseSettings } from "./settings.ts";
import { startListing } from "./start.ts";
import { showValue } from "./text.ts";
import { issueToken } from "./token.ts";
import { readUnreadable } from "../unreadable.ts";

async function readPage(task: Task, context: ProviderContext<AutodeskConfig>): Promise<Page> {
  switch (task.kind) {
    case "walk":
      return await readWalkPage(task, context);
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

/** Autodesk Construction Cloud: projects of Autodesk Docs, or folders of one. */
export const autodesk: Provider<AutodeskConfig> = {
  key: "autodesk_construction_cloud",
  displayName: "Autodesk Construction Cloud",
  limits: {
    maxPageSize: 200,
    // At 150 ms a call one lane makes 400 calls a minute, more than Autodesk allows; several make
    // short work of what a quiet minute has left over.
    maxParallelTasks: 12,
    foldersPerTask: 1,
  },
  scopes: [READ_SCOPE],
  incremental: "walk",
  configKeys: CONFIG_KEYS,
  parseConfig,
  parseSettings,
  issueToken,
  oauthProfile,
  classifyGrant,
  readerName,
  callHeaders: ({ userId }) => userId === null ? {} : { "x-user-id": userId },
  startListing,
  readPage,
  readChanges: () => {
    // The API has no change log, and no listing of this provider names one.
    const message = "Cannot read a change log as Autodesk has none; the project is listed anew";
    return Promise.reject(new SyncError("cursor_expired", message));
  },
  confirmGone,
  quotaOf,
  classify,
};
