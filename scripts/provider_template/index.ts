import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import type { Provider } from "../../supabase/functions/_shared/providers/types.ts";
import { type AcmeFilesConfig, CONFIG_KEYS, parseConfig } from "./config.ts";
import { classify, classifyGrant } from "./failures.ts";
import { readPage, startListing } from "./listing.ts";
import { credentialsOf, parseSettings } from "./settings.ts";
import { issueToken } from "./token.ts";

const CALLS_PER_MINUTE = 60;
const REFRESH_TOKEN_DAYS = 90;

/** Acme Files: a folder and all below it. */
export const acmeFilesProvider: Provider<AcmeFilesConfig> = {
  key: "acme_files",
  displayName: "Acme Files",
  limits: { maxPageSize: 200, maxParallelTasks: 4, foldersPerTask: 1 },
  scopes: ["files.read"],
  incremental: "walk",
  configKeys: CONFIG_KEYS,
  parseConfig,
  parseSettings,
  issueToken,
  oauthProfile: (_config, settings) => ({
    authorizeUrl: `${settings.apiUrl}/oauth/authorize`,
    tokenUrl: settings.tokenUrl,
    revokeUrl: `${settings.apiUrl}/oauth/revoke`,
    clientId: credentialsOf(settings).clientId,
    clientSecret: credentialsOf(settings).clientSecret,
    clientAuthentication: "body",
    scopes: ["files.read"],
    authorizeParameters: {},
    refreshTokenDays: REFRESH_TOKEN_DAYS,
    rotatesRefreshToken: true,
  }),
  classifyGrant,
  startListing,
  readPage,
  readChanges: () => {
    const message = "Cannot read a change log as Acme Files has none; everything is listed anew";
    return Promise.reject(new SyncError("cursor_expired", message));
  },
  quotaOf: (_url, _config, settings) => ({
    // All endpoints that one application reads share its limit.
    bucket: `acme_files:${credentialsOf(settings).clientId}`,
    units: 1,
    unitsPerMinute: CALLS_PER_MINUTE,
  }),
  classify,
};
