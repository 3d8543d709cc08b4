import { createHash } from "node:crypto";
import type { ProviderSettings, Quota } from "../types.ts";
import type { GoogleDriveConfig } from "./config.ts";
import { Credentials } from "./credentials.ts";

/** Units a minute for one user of one project, since May 2026. */
const UNITS_PER_MINUTE = 325_000;
const LIST_UNITS = 100;
const OTHER_UNITS = 5;

const LIST_PATH = /\/drive\/v3\/(files|changes)$/;

/**
 * What a call costs, and whose quota it uses: that of the user in whose name is read. All calls of
 * a service account that impersonates nobody count as one user.
 * https://developers.google.com/workspace/drive/api/guides/limits
 */
export function quotaOf(url: URL, config: GoogleDriveConfig, settings: ProviderSettings): Quota {
  const { credentials } = settings;
  if (!(credentials instanceof Credentials)) {
    throw new TypeError("Cannot tell the quota as settings must come from parseSettings()");
  }
  // Without a service account people read, as the client that they have let in.
  const reader = credentials.find(config.serviceAccount)?.email ?? credentials.client?.clientId;
  // The name of a bucket is stored and logged, so it holds no e-mail address.
  const digest = createHash("sha256")
    .update(JSON.stringify([reader ?? null, config.impersonate]))
    .digest("hex");
  return {
    bucket: `google_drive:${digest.slice(0, 16)}`,
    units: LIST_PATH.test(url.pathname) ? LIST_UNITS : OTHER_UNITS,
    unitsPerMinute: UNITS_PER_MINUTE,
  };
}
