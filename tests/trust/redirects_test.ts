/** A redirect of whatever kind leads no request of the functions to another host. */
import assert from "node:assert/strict";
import { serveHttp } from "../../local/emulator/http_server.ts";
import { startSync } from "../../supabase/functions/_shared/handlers/start_sync.ts";
import { wakeDispatcher } from "../../supabase/functions/_shared/handlers/wake_dispatcher.ts";
import { freshFetch } from "../../supabase/functions/_shared/http/fresh_fetch.ts";
import { createTimedFetch } from "../../supabase/functions/_shared/http/timed_fetch.ts";
import { requestToken, revokeToken } from "../../supabase/functions/_shared/oauth/token_request.ts";
import { autodesk } from "../../supabase/functions/_shared/providers/autodesk/index.ts";
import { googleDrive } from "../../supabase/functions/_shared/providers/google_drive/index.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { autodeskSettings } from "../support/autodesk_sync.ts";
import { loadServiceAccount, settingsFor } from "../support/drive_sync.ts";
import { createMemoryLog } from "../support/memory_log.ts";
import { PROFILE } from "../support/oauth_profile.ts";
import { providerCalls } from "../support/provider_calls.ts";

/** Any 3xx; fetch knows five of them as redirects. */
const STATUSES = [300, 301, 302, 303, 305, 306, 307, 308] as const;

/** A server that sends everybody to another one, which notes who comes. */
async function withRedirects(
  test: (world: {
    /** Address from which requests with this status and to this place are sent away. */
    readonly from: (status: number, location: string) => string;
    readonly asked: readonly string[];
    readonly strays: readonly string[];
    readonly places: readonly string[];
  }) => Promise<void>,
): Promise<void> {
  const [asked, strays]: [string[], string[]] = [[], []];
  const local = { port: 0, hostname: "127.0.0.1" };
  const other = await serveHttp((request) => {
    strays.push(`${request.method} ${request.url} ${request.headers.get("authorization") ?? ""}`);
    return Promise.resolve(Response.json({ access_token: "stolen", expires_in: 3600 }));
  }, local);
  const first = await serveHttp((request) => {
    asked.push(request.url);
    const [, status = "302", location = ""] = new URL(request.url).pathname.split("/");
    const headers = { location: decodeURIComponent(location), refresh: `0; url=${other.origin}` };
    return Promise.resolve(new Response(null, { status: Number(status), headers }));
  }, local);
  try {
    await test({
      from: (status, location) => `${first.origin}/${status}/${encodeURIComponent(location)}`,
      asked,
      strays,
      places: [`${other.origin}/x`, other.origin.replace("http:", ""), `${first.origin}@x`],
    });
  } finally {
    await first.stop();
    await other.stop();
  }
}

type Ask = (address: string) => Promise<unknown>;

const signal = () => AbortSignal.timeout(20_000);
const now = () => new Date();
const timed = () => createTimedFetch({ fetch: globalThis.fetch, timeoutMs: 20_000 });

const context = () => ({
  fetch: freshFetch,
  classify: googleDrive.classifyGrant,
  now,
  signal: signal(),
});

/** Every way in which the functions ask somebody; each fails or answers nothing. */
const ASKS: Readonly<Record<string, Ask>> = {
  "a data call": (address) =>
    providerCalls(googleDrive, {
      apiUrl: address,
      tokens: { get: () => Promise.resolve(new Secret("token")), invalidate: () => false },
      fetch: globalThis.fetch,
    }).getJson(new URL(address), { signal: signal() }),
  "a service account's token call": async (address) =>
    googleDrive.issueToken({
      config: googleDrive.parseConfig({}),
      settings: { ...settingsFor(await loadServiceAccount()), tokenUrl: address },
      fetch: globalThis.fetch,
      now,
      signal: signal(),
    }),
  "an application's token call": (address) =>
    autodesk.issueToken({
      config: autodesk.parseConfig({ project_id: "b.x" }),
      settings: { ...autodeskSettings(), tokenUrl: address },
      fetch: globalThis.fetch,
      now,
      signal: signal(),
    }),
  "the exchange of a code": (address) =>
    requestToken({ ...PROFILE, tokenUrl: address }, { code: "code" }, {
      ...context(),
      request: "exchange",
    }),
  "a refresh": (address) =>
    requestToken({ ...PROFILE, tokenUrl: address }, { refresh_token: "refresh" }, {
      ...context(),
      request: "refresh",
    }),
  "a revocation": (address) =>
    revokeToken({ ...PROFILE, revokeUrl: address }, new Secret("refresh"), context()),
  "the start of a sync function": async (address) => {
    const deps = { fetch: timed(), supabaseUrl: address, secretKey: new Secret("sb_secret_key") };
    const batch = { endpointType: "google_drive", claims: [], refreshes: [], isMoreDue: false };
    const { type } = await startSync(deps, batch);
    assert.equal(type, "refused");
    throw new Error("refused");
  },
  "the waking of the dispatcher": async (address) => {
    const log = createMemoryLog();
    const dispatchToken = new Secret("dispatch token");
    await wakeDispatcher({ fetch: timed(), supabaseUrl: address, dispatchToken, log });
    assert.equal(log.entries.length, 1);
    throw new Error("not woken");
  },
};

for (const [what, ask] of Object.entries(ASKS)) {
  Deno.test(`${what} follows no redirect`, () =>
    withRedirects(async ({ from, asked, strays, places }) => {
      for (const status of STATUSES) {
        for (const place of places) {
          const before = asked.length;
          await assert.rejects(ask(from(status, place)), `${status} to ${place}`);
          assert.ok(asked.length > before, "nobody was asked at all");
          assert.deepEqual(strays, [], `${status} to ${place}`);
        }
      }
    }));
}
