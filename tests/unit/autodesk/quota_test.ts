import { deepEqual, doesNotMatch, equal, notEqual, throws } from "node:assert/strict";
import { parseConfig } from "../../../supabase/functions/_shared/providers/autodesk/config.ts";
import { quotaOf } from "../../../supabase/functions/_shared/providers/autodesk/quota.ts";
import { parseSettings } from "../../../supabase/functions/_shared/providers/autodesk/settings.ts";
import {
  contentsUrl,
  folderUrl,
  hubsUrl,
  itemUrl,
  projectUrl,
  topFoldersUrl,
} from "../../../supabase/functions/_shared/providers/autodesk/urls.ts";

const env: Readonly<Record<string, string>> = {
  CONNECTOR_AUTODESK_CLIENT_ID: "app",
  CONNECTOR_AUTODESK_CLIENT_SECRET: "hush",
};
const SETTINGS = parseSettings((name) => env[name]);
const CONFIG = parseConfig({ project_id: "b.p" });
const API = "https://aps.test/base";

const limits: readonly (readonly [URL, string, number])[] = [
  [hubsUrl(API), "hubs", 50],
  [projectUrl(API, "b.h", CONFIG), "project", 50],
  [topFoldersUrl(API, "b.h", CONFIG), "top_folders", 300],
  [folderUrl(API, "urn:a", CONFIG), "folder", 300],
  [contentsUrl(API, "urn:a", CONFIG, 200), "contents", 300],
  [itemUrl(API, "urn:a", CONFIG), "item", 300],
  [new URL(`${itemUrl(API, "urn:a", CONFIG)}/versions`), "versions", 800],
  [new URL(`${itemUrl(API, "urn:a", CONFIG)}/tip`), "other", 50],
];

for (const [url, kind, unitsPerMinute] of limits) {
  Deno.test(`quotaOf() counts ${url.pathname} as one of ${unitsPerMinute} a minute`, () => {
    const quota = quotaOf(url, CONFIG, SETTINGS);
    deepEqual([quota.units, quota.unitsPerMinute], [1, unitsPerMinute]);
    equal(quota.bucket.split(":").at(-1), kind);
    doesNotMatch(quota.bucket, /app/);
  });
}

Deno.test("quotaOf() shares a bucket among the endpoints of one client id and no others", () => {
  const bucket = (config: object) =>
    quotaOf(hubsUrl(API), parseConfig({ project_id: "x", ...config }), SETTINGS).bucket;
  equal(bucket({ client_id: "app" }), bucket({ project_id: "y" }));
  notEqual(bucket({ client_id: "other" }), bucket({}));
});

Deno.test("quotaOf() refuses settings of another provider", () => {
  const foreign = { apiUrl: API, tokenUrl: API, credentials: null };
  throws(() => quotaOf(hubsUrl(API), CONFIG, foreign), TypeError);
});
