/** Whatever users write and providers answer, requests go to the configured hosts and to no other. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ApsModel } from "../../local/autodesk/aps_model.ts";
import { arrangeProject } from "../../local/autodesk/arrangement.ts";
import { createApsEmulator } from "../../local/autodesk/emulator.ts";
import { createDriveEmulator } from "../../local/google/emulator.ts";
import type { AutodeskConfig } from "../../supabase/functions/_shared/providers/autodesk/config.ts";
import { autodesk } from "../../supabase/functions/_shared/providers/autodesk/index.ts";
import { googleDrive } from "../../supabase/functions/_shared/providers/google_drive/index.ts";
import type { Json, Provider } from "../../supabase/functions/_shared/providers/types.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { applicationToken } from "../../supabase/functions/_shared/sync/endpoint_check/application_token.ts";
import { checkEndpoint } from "../../supabase/functions/_shared/sync/endpoint_check/check_endpoint.ts";
import {
  autodeskSettings,
  CLIENT_ID,
  CLIENT_SECRET,
  stateOf,
  withAutodeskSync,
} from "../support/autodesk_sync.ts";
import { loadServiceAccount, settingsFor, withDriveSync } from "../support/drive_sync.ts";
import { providerCalls } from "../support/provider_calls.ts";
import { guard, type GuardedFetch, OTHER } from "../support/other_host.ts";

/** What might be taken for a host, or lead out of a path. */
const PLACES: readonly string[] = [
  `https://${OTHER}`,
  `http://${OTHER}/token`,
  `//${OTHER}`,
  `\\\\${OTHER}`,
  `/\\${OTHER}`,
  `@${OTHER}`,
  `x@${OTHER}`,
  `b.x@${OTHER}`,
  `${OTHER}:443`,
  `.${OTHER}`,
  `b.${OTHER}`,
  `urn:x@${OTHER}`,
  `urn:${OTHER}`,
  `urn://${OTHER}`,
  `urn:..`,
  `%2f%2f${OTHER}`,
  `%5c%5c${OTHER}`,
  `..%2f..%2f@${OTHER}`,
  "..",
  "../../../..",
  "b.x/../../..",
  "x%00y",
  "x\0y",
  `x\r\nhost: ${OTHER}`,
  `x\nauthorization: none`,
  "ｏther.test",
  "other。test",
  "𝐨ther.test",
  "127.0.0.1",
  "0x7f.1",
  "[::1]",
  "?x=",
  "#x",
  "x&corpora=allDrives",
  "__proto__",
  "constructor",
];

const OTHER_KEYS = ["api_url", "apiUrl", "token_url", "tokenUrl", "auth_url", "host", "url"];

/** Every field that a provider reads, and some that it does not. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  [googleDrive.key]: [
    "drive_id",
    "folder_id",
    "folder_ids",
    "impersonate",
    "service_account",
    "auth",
    ...OTHER_KEYS,
  ],
  [autodesk.key]: [
    "project_id",
    "hub_id",
    "folder_ids",
    "client_id",
    "x_user_id",
    "service_account",
    "auth",
    ...OTHER_KEYS,
  ],
};

/** A string of an attacker's choice. */
const place = fc.oneof(
  fc.constantFrom(...PLACES),
  fc.tuple(fc.constantFrom("", "b.", "urn:", "x"), fc.constantFrom(...PLACES)).map((parts) =>
    parts.join("")
  ),
  fc.string({ unit: fc.constantFrom("/", "\\", ".", ":", "@", "%", "2", "f", "#", "?", "x") }),
  fc.string({ unit: "binary", maxLength: 20 }),
);

/** Everything that reading an endpoint asks for, by the way of the function test-endpoint. */
async function readEndpoint<Config>(
  provider: Provider<Config>,
  settings: ReturnType<typeof autodeskSettings>,
  endpointConfig: unknown,
  { fetch }: GuardedFetch,
): Promise<void> {
  const now = () => new Date();
  await checkEndpoint({
    provider,
    endpointConfig,
    needsGrant: false,
    readSettings: () => settings,
    obtainToken: (_mode, config, settings, signal) =>
      applicationToken(provider, { config, settings, fetch, now, signal }),
    limitMs: 60_000,
    onFailure: () => {},
    fetch,
    now,
    sleep: () => Promise.resolve(),
    random: () => 0,
    startedAt: now(),
  });
}

/** Puts the strings into each field of a configuration that works. */
async function assertNoStrays<Config>(
  provider: Provider<Config>,
  settings: ReturnType<typeof autodeskSettings>,
  valid: Readonly<Record<string, string>>,
  guarded: GuardedFetch,
): Promise<void> {
  const fields = FIELDS[provider.key] ?? [];
  const tried = [
    ...fields.flatMap((field) => PLACES.map((text) => ({ field, text }))),
    ...fc.sample(fc.record({ field: fc.constantFrom(...fields), text: place }), {
      numRuns: 300,
      seed: 20261122,
    }),
  ];
  for (const { field, text } of tried) {
    const value = field === "folder_ids" ? [text] : text;
    await readEndpoint(provider, settings, { ...valid, [field]: value }, guarded);
    assert.deepEqual(guarded.strays, [], `${field} = ${JSON.stringify(text)}`);
  }
  assert.ok(guarded.requests.length > tried.length / 4, "nearly nothing was asked for");
}

Deno.test("no field of a Google Drive endpoint leads to another host", async () => {
  const json = await loadServiceAccount();
  const drive = createDriveEmulator({ serviceAccounts: [json] });
  const settings = settingsFor(json);
  await assertNoStrays(googleDrive, settings, {}, guard(drive.fetch, settings.apiUrl));
});

Deno.test("no field of an Autodesk endpoint leads to another host", async () => {
  const model = new ApsModel();
  const { projectId } = arrangeProject(model, { clientId: CLIENT_ID });
  const apps = [{ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }];
  const aps = createApsEmulator({ model, apps });
  const settings = autodeskSettings();
  const guarded = guard(aps.fetch, settings.apiUrl);
  await assertNoStrays(autodesk, settings, { project_id: projectId }, guarded);
});

Deno.test("endpoints that name hosts need attention, call no other host and stop no other endpoint", async () => {
  const hostile = PLACES.filter((text) => /[@%\\/?#.]/.test(text) && !text.includes("\0"));
  await withDriveSync(async ({ sql, drive, add, sync, deps }) => {
    const guarded = guard(drive.fetch, deps.settings.apiUrl);
    for (const text of hostile) await add({ folder_id: text });
    await add({});
    await sync({ fetch: guarded.fetch });
    assert.deepEqual(guarded.strays, []);
    assert.deepEqual(await tally(sql), [
      { code: null, count: 1 },
      { code: "config_invalid", count: hostile.length },
    ]);
  });
});

/** How many endpoints ended with which code. */
async function tally(sql: Parameters<typeof stateOf>[0]) {
  return [
    ...await sql`
      select last_error_code as code, count(*)::int as count from public.endpoints
      group by 1 order by 1 nulls first`,
  ];
}

/** Where an answer may say that the next page is. `{api}` is the configured host. */
const LINKS: readonly string[] = [
  `https://${OTHER}/data/v1/x`,
  `//${OTHER}/data/v1/x`,
  `///${OTHER}/data/v1/x`,
  `\\\\${OTHER}/data/v1/x`,
  `/\\${OTHER}/data/v1/x`,
  `\t//${OTHER}/data/v1/x`,
  `{api}//${OTHER}/data/v1/x`,
  `{api}/\\${OTHER}/data/v1/x`,
  `/.//${OTHER}/data/v1/x`,
  `{api}/..//${OTHER}/data/v1/x`,
  `{api}@${OTHER}/data/v1/x`,
  `{api}.${OTHER}/data/v1/x`,
  `{api}:8443/data/v1/x`,
  `http://user:pass@aps.emulator/data/v1/x`,
  "https://aps.emulator/data/v1/x",
  "ftp://aps.emulator/data/v1/x",
  "http://аps.emulator/data/v1/x",
  "http://aps。emulator.other.test/data/v1/x",
  `http:${OTHER}/data/v1/x`,
  `http:/\\${OTHER}/data/v1/x`,
  `http:%2f%2f${OTHER}/data/v1/x`,
  `%2f%2f${OTHER}/data/v1/x`,
  `javascript:fetch('https://${OTHER}')`,
  `data:application/json,{"data":[]}`,
  "file:///etc/passwd",
  "blob:http://aps.emulator/x",
  "?page[number]=1",
  "..",
  "",
];

/** An Autodesk whose pages all name `link` as the next one. */
function linking(fetch: typeof globalThis.fetch, link: string): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { pathname } = new URL(new Request(input).url);
    if (!response.ok || pathname.includes("/authentication/")) return response;
    const body = await response.json();
    return Response.json({ ...body, links: { next: { href: link } } });
  };
}

/** Reads a folder from its first page on, as far as the links lead, up to four pages. */
async function followLinks(link: string): Promise<{ strays: readonly string[]; code: string }> {
  const model = new ApsModel();
  const { projectId, folderId } = arrangeProject(model, { clientId: CLIENT_ID });
  const apps = [{ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }];
  const settings = autodeskSettings();
  const aps = createApsEmulator({ model, apps });
  const guarded = guard(linking(aps.fetch, link), settings.apiUrl);
  const signal = AbortSignal.timeout(60_000);
  const config: AutodeskConfig = autodesk.parseConfig({ project_id: projectId });
  const now = () => new Date();
  const { fetch } = guarded;
  const { source } = await applicationToken(autodesk, { config, settings, fetch, now, signal });
  const calls = providerCalls(autodesk, { apiUrl: settings.apiUrl, tokens: source, fetch });
  let cursor: Json = null;
  try {
    for (let sequence = 0; sequence < 4; sequence++) {
      const page = await autodesk.readPage(
        { id: 1, kind: "walk", folder_ids: [folderId], cursor, sequence },
        {
          config,
          apiUrl: settings.apiUrl,
          pageSize: 10,
          getJson: (url) => calls.getJson(url, { signal }),
          idleLanes: 0,
          mode: "full",
          memory: null,
          now,
          signal,
        },
      );
      if (page.next.type === "done") return { strays: guarded.strays, code: "done" };
      cursor = page.next.cursor;
    }
    return { strays: guarded.strays, code: "more" };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { strays: guarded.strays, code: error.code };
  }
}

Deno.test("no link of an answer of Autodesk's leads to another host, at once or on the second page", async () => {
  const { apiUrl } = autodeskSettings();
  const samples = fc.sample(fc.oneof(fc.webUrl(), place), { numRuns: 100, seed: 7 });
  for (const link of [...LINKS, ...samples]) {
    const href = link.replace("{api}", apiUrl);
    const { strays } = await followLinks(href);
    assert.deepEqual(strays, [], JSON.stringify(href));
  }
});

Deno.test("links to another host are refused by a sentence that says so", async () => {
  const { apiUrl } = autodeskSettings();
  const leading = LINKS.filter((link) => link.includes(OTHER) && !/^(%2f|http:[o%])/.test(link));
  for (const link of leading) {
    const { code } = await followLinks(link.replace("{api}", apiUrl));
    assert.equal(code, "response_invalid", link);
  }
});

Deno.test("a sync whose pages lead elsewhere fails, deletes nothing and goes on when they no longer do", () =>
  withAutodeskSync(async ({ sql, aps, model, place, add, sync, wait, deps }) => {
    model.createItem({ name: "a.pdf", parent: place.folderId });
    wait();
    const endpoint = await add();
    const guarded = guard(linking(aps.fetch, `//${OTHER}/data/v1/x`), deps.settings.apiUrl);
    await sync({ fetch: guarded.fetch });
    const failed = await stateOf(sql, endpoint);
    assert.deepEqual([failed.status, failed.code], ["failed", "response_invalid"]);
    assert.match(failed.message ?? "", /another host/);
    assert.deepEqual(guarded.strays, []);
    await sync();
    assert.deepEqual([(await stateOf(sql, endpoint)).status], ["completed"]);
  }));
