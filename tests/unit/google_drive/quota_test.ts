import { deepEqual, equal, match, notEqual, ok, throws } from "node:assert/strict";
import { parseConfig } from "../../../supabase/functions/_shared/providers/google_drive/config.ts";
import { googleDrive } from "../../../supabase/functions/_shared/providers/google_drive/index.ts";
import { keyFile, testAccount } from "./keys.ts";

const API = "https://www.googleapis.com/drive/v3";

function settings(key: string) {
  return googleDrive.parseSettings((name) =>
    name === "CONNECTOR_GOOGLE_DRIVE_CREDENTIALS" ? key : undefined
  );
}

async function quota(path: string, config: unknown = {}, more: Record<string, unknown> = {}) {
  const { pem } = await testAccount();
  const url = new URL(`${API}/${path}`);
  return googleDrive.quotaOf(url, parseConfig(config), settings(keyFile(pem, more)));
}

for (
  const [path, units] of [
    ["files?q=x", 100],
    ["changes?pageToken=1", 100],
    ["files/0AB", 5],
    ["files/changes", 5],
    ["changes/startPageToken", 5],
    ["about", 5],
  ] as const
) {
  Deno.test(`quotaOf() counts ${units} units for ${path}`, async () => {
    const { units: counted, unitsPerMinute } = await quota(path);
    deepEqual([counted, unitsPerMinute], [units, 325_000]);
  });
}

Deno.test("quotaOf() gives each reading user a bucket of its own, without naming it", async () => {
  const { bucket } = await quota("files");
  match(bucket, /^google_drive:[0-9a-f]{16}$/);
  equal((await quota("changes", { folder_id: "A" })).bucket, bucket);
  const others = [
    await quota("files", { impersonate: "ann@company.example" }),
    await quota("files", { impersonate: "ben@company.example" }),
    await quota("files", {}, { client_email: "other@project.example" }),
  ].map((each) => each.bucket);
  equal(new Set([bucket, ...others]).size, 4);
  ok(!others.join().includes("@"));
  notEqual(bucket, others[0]);
});

Deno.test("quotaOf() gives people's own accounts the bucket of the client they let in", () => {
  const bucket = (id: string) => {
    const values: Record<string, string> = {
      CONNECTOR_GOOGLE_CLIENT_ID: id,
      CONNECTOR_GOOGLE_CLIENT_SECRET: "secret",
    };
    const people = googleDrive.parseSettings((name) => values[name]);
    return googleDrive.quotaOf(new URL(`${API}/files`), parseConfig({}), people).bucket;
  };
  notEqual(bucket("one"), bucket("two"));
});

Deno.test("quotaOf() refuses settings that are not the provider's", () => {
  const strange = { apiUrl: "", tokenUrl: "", credentials: { email: "x" } };
  throws(() => googleDrive.quotaOf(new URL(`${API}/files`), parseConfig({}), strange), TypeError);
});
