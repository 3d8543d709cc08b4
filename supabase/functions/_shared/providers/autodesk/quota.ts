import { createHash } from "node:crypto";
import type { ProviderSettings, Quota } from "../types.ts";
import type { AutodeskConfig } from "./config.ts";
import { credentialsOf } from "./credentials.ts";

/**
 * Calls a minute for one client id, for each kind of call by itself.
 * https://aps.autodesk.com/en/docs/data/v2/developers_guide/rate-limiting/dm-rate-limits/
 */
const KINDS: readonly (readonly [RegExp, string, number])[] = [
  [/\/project\/v1\/hubs$/, "hubs", 50],
  [/\/projects\/[^/]+\/topFolders$/, "top_folders", 300],
  [/\/hubs\/[^/]+\/projects\/[^/]+$/, "project", 50],
  [/\/folders\/[^/]+\/contents$/, "contents", 300],
  [/\/folders\/[^/]+$/, "folder", 300],
  [/\/items\/[^/]+$/, "item", 300],
  [/\/items\/[^/]+\/versions$/, "versions", 800],
];

/** Calls of no known kind keep to the lowest limit there is. */
const OTHER = ["other", 50] as const;

/** Which limit a call counts against: those of one client id are shared by all its endpoints. */
export function quotaOf(url: URL, config: AutodeskConfig, settings: ProviderSettings): Quota {
  const clientId = credentialsOf(settings).clientIdOf(config);
  const digest = createHash("sha256").update(clientId).digest("hex").slice(0, 16);
  const known = KINDS.find(([pattern]) => pattern.test(url.pathname));
  const [kind, unitsPerMinute] = known === undefined ? OTHER : [known[1], known[2]];
  return { bucket: `autodesk_construction_cloud:${digest}:${kind}`, units: 1, unitsPerMinute };
}
