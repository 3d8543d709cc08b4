import assert from "node:assert/strict";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import { googleDrive } from "../../supabase/functions/_shared/providers/google_drive/index.ts";
import { type Sql, withDatabase } from "../support/database.ts";
import { waitFor } from "../support/wait_for.ts";
import { connectAccount, createTestGrants, endLeases, readGrant, requestFor } from "./granted.ts";
import { accessToken, refreshToken } from "./issued.ts";
import { breakConnection, REFUSED, type TokenAddress, withAddress } from "./token_address.ts";

/** Runs a test with a clean database and a token address whose refresh tokens are used once. */
function withGrant(
  test: (sql: Sql, address: TokenAddress, endpointId: string) => Promise<void>,
): Promise<void> {
  return withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      await test(sql, address, await connectAccount(sql));
    })
  );
}

/** Failures of a provider that pass by themselves, or with the operator's help: the grant stays. */
const PASSING: readonly (readonly [string, string, () => Response | Promise<Response>])[] = [
  ["status 500", "unavailable", () => Response.json({}, { status: 500 })],
  ["status 503 with a page", "unavailable", () => new Response("<html>", { status: 503 })],
  [
    "status 429",
    "rate_limited",
    () =>
      Response.json({ developerMessage: "slow down", errorCode: "ERR-001" }, {
        status: 429,
        headers: { "retry-after": "7" },
      }),
  ],
  ["a broken connection", "unavailable", breakConnection],
  [
    "a redirect",
    "unavailable",
    () => new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/" } }),
  ],
  ["garbage", "response_invalid", () => new Response("<html>hello</html>")],
  ["an answer without a token", "response_invalid", () => Response.json({ expires_in: 3599 })],
  [
    "a wrong secret",
    "credentials_invalid",
    () => Response.json({ error: "invalid_client" }, { status: 401 }),
  ],
  ["a wrong secret in the gateway's words", "credentials_invalid", () =>
    Response.json({
      developerMessage: "The client_id specified does not have access to the api product",
      errorCode: "AUTH-006",
    }, { status: 401 })],
];

for (const [what, code, play] of PASSING) {
  Deno.test(`${what} leaves the grant as it is, to be tried again at once`, () =>
    withGrant(async (sql, address, endpointId) => {
      const { grants } = createTestGrants();
      address.play = play;
      await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)), { code });
      const { isEnded, isRefreshing, refresh } = await readGrant(sql, endpointId);
      assert.deepEqual([isEnded, isRefreshing, refresh], [false, false, refreshToken(1)]);
      address.play = null;
      const { token } = await grants.accessToken(requestFor(endpointId, address.url));
      assert.equal(token.reveal(), accessToken(2));
    }));
}

Deno.test("a provider that does not answer in time leaves the grant as it is", () =>
  withGrant(async (sql, address, endpointId) => {
    const tokenFetch = () => Promise.reject(new DOMException("late", "TimeoutError"));
    const { grants } = createTestGrants({ tokenFetch });
    await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)), {
      code: "unavailable",
    });
    const { isEnded, isRefreshing } = await readGrant(sql, endpointId);
    assert.deepEqual([isEnded, isRefreshing], [false, false]);
  }));

const REFUSALS: readonly (readonly [string, unknown, number])[] = [
  ["in the words of OAuth", REFUSED, 400],
  ["in the gateway's words", {
    developerMessage: "The refresh token is invalid or expired.",
    userMessage: "",
    errorCode: "AUTH-004",
    "more info": "https://developer.example/",
  }, 401],
];

for (const [how, body, status] of REFUSALS) {
  Deno.test(`a refusal ${how} ends the grant, and nobody asks again`, () =>
    withGrant(async (sql, address, endpointId) => {
      const { grants } = createTestGrants();
      address.play = () => Response.json(body, { status });
      const attempt = () => grants.accessToken(requestFor(endpointId, address.url));
      for (let n = 0; n < 3; n++) await assert.rejects(attempt(), { code: "grant_revoked" });
      assert.equal(address.asked.length, 1);
      const grant = await readGrant(sql, endpointId);
      assert.equal(grant.isEnded, true);
      assert.deepEqual([grant.status, grant.code], ["needs_reauthorization", "grant_revoked"]);
    }));
}

Deno.test("Google's refusal ends the grant too", () =>
  withGrant(async (sql, address, endpointId) => {
    const { grants } = createTestGrants();
    address.play = () => Response.json({ error: "invalid_grant" }, { status: 400 });
    const classify = googleDrive.classifyGrant.bind(googleDrive);
    await assert.rejects(
      grants.accessToken(requestFor(endpointId, address.url, { classify })),
      { code: "grant_revoked" },
    );
    assert.equal((await readGrant(sql, endpointId)).isEnded, true);
  }));

Deno.test("new tokens are stored before anyone uses them", () =>
  withGrant(async (sql, address, endpointId) => {
    const { grants } = createTestGrants();
    const { token, generation } = await grants.accessToken(requestFor(endpointId, address.url));
    const grant = await readGrant(sql, endpointId);
    assert.equal(grant.access, token.reveal());
    assert.deepEqual([grant.refresh, grant.generation, generation], [refreshToken(2), 2, 2]);
    const daysLeft = (grant.refreshBy.getTime() - Date.now()) / 86_400_000;
    assert.ok(daysLeft > 7 && daysLeft < 8, `${daysLeft} days`);
  }));

Deno.test("new tokens that cannot be stored are not used", () =>
  withGrant(async (_sql, address, endpointId) => {
    const { db } = createTestGrants();
    const storeRefresh = () => Promise.reject(new SyncError("internal", "The database refused."));
    const { grants, log } = createTestGrants({ db: { ...db, storeRefresh } });
    await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)), {
      code: "internal",
    });
    assert.ok(log.entries.some(({ event }) => event === "refresh_not_stored"));
  }));

Deno.test("a database that does not answer for a moment loses no refresh token", () =>
  withGrant(async (sql, address, endpointId) => {
    const { db } = createTestGrants();
    let attempts = 0;
    const storeRefresh: typeof db.storeRefresh = async (refresh) => {
      attempts += 1;
      if (attempts < 4) throw new SyncError("unavailable", "not now");
      return await db.storeRefresh(refresh);
    };
    const sleep = () => Promise.resolve();
    const { grants } = createTestGrants({ db: { ...db, storeRefresh }, sleep });
    await grants.accessToken(requestFor(endpointId, address.url));
    assert.deepEqual([attempts, address.asked.length], [4, 1]);
    assert.equal((await readGrant(sql, endpointId)).refresh, refreshToken(2));
  }));

Deno.test("a stored answer that the database did not confirm is found again", () =>
  withGrant(async (_sql, address, endpointId) => {
    const { db } = createTestGrants();
    let isLost = true;
    const storeRefresh: typeof db.storeRefresh = async (refresh) => {
      const isStored = await db.storeRefresh(refresh);
      if (!isLost) return isStored;
      isLost = false;
      throw new SyncError("unavailable", "The answer was lost.");
    };
    const { grants } = createTestGrants({
      db: { ...db, storeRefresh },
      sleep: () => Promise.resolve(),
    });
    const { token, generation } = await grants.accessToken(requestFor(endpointId, address.url));
    assert.deepEqual([token.reveal(), generation], [accessToken(2), 2]);
    assert.equal(address.asked.length, 1);
  }));

Deno.test("a token that was refused is replaced once, by whoever notices first", () =>
  withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      const endpointId = await connectAccount(sql, { secondsLeft: 3_000 });
      const refused = requestFor(endpointId, address.url, { refusedGeneration: 1 });
      // Of two workers, each with grants of its own.
      const both = [createTestGrants().grants, createTestGrants().grants];
      const tokens = await Promise.all(both.map((grants) => grants.accessToken(refused)));
      assert.deepEqual(tokens.map(({ generation }) => generation), [2, 2]);
      const unaware = requestFor(endpointId, address.url);
      assert.equal((await createTestGrants().grants.accessToken(unaware)).generation, 2);
      assert.equal(address.asked.length, 1);
    })
  ));

Deno.test("tokens that live for minutes are not refreshed by each of those who waited", () =>
  withGrant(async (_sql, address, endpointId) => {
    const others = 5;
    address.lifetimeSeconds = 120;
    const { db } = createTestGrants();
    // Workers, not questions: one that waits asks again and again, while another has yet to come.
    const waiting = new Set<number>();
    address.delay = () => waitFor("the others wait", () => waiting.size === others, { everyMs: 5 });
    const workers = Array.from({ length: others + 1 }, (_, n) => {
      const beginRefresh: typeof db.beginRefresh = async (request) => {
        const begun = await db.beginRefresh(request);
        if (begun.type === "wait") waiting.add(n);
        return begun;
      };
      return createTestGrants({ db: { ...db, beginRefresh } }).grants;
    });
    const request = requestFor(endpointId, address.url);
    const tokens = await Promise.all(workers.map((grants) => grants.accessToken(request)));
    assert.deepEqual(new Set(tokens.map(({ generation }) => generation)), new Set([2]));
    assert.equal(address.asked.length, 1);
  }));

Deno.test("one process asks the database once for all who want the same token", () =>
  withGrant(async (_sql, address, endpointId) => {
    const { db } = createTestGrants();
    let begun = 0;
    const beginRefresh: typeof db.beginRefresh = (request) => {
      begun += 1;
      return db.beginRefresh(request);
    };
    const { grants } = createTestGrants({ db: { ...db, beginRefresh } });
    const request = requestFor(endpointId, address.url);
    await Promise.all(Array.from({ length: 5 }, () => grants.accessToken(request)));
    assert.deepEqual([begun, address.asked.length], [1, 1]);
  }));

Deno.test("a worker whose run ends stops waiting for another's refresh", () =>
  withGrant(async (sql, address, endpointId) => {
    await sql`
      select public.connector_begin_refresh(${
      sql.json({ endpoint_id: endpointId, margin_seconds: 300, lease_seconds: 60 })
    })`;
    const run = new AbortController();
    const { grants } = createTestGrants({
      sleep: (_ms, signal) => {
        run.abort(new Error("the run is over"));
        return Promise.reject(signal.reason);
      },
    });
    await assert.rejects(
      grants.accessToken(requestFor(endpointId, address.url, { signal: run.signal })),
      /the run is over/,
    );
    assert.equal(address.asked.length, 0);
    await endLeases(sql);
  }));

Deno.test("a worker does not wait for another's refresh for ever", () =>
  withGrant(async (sql, address, endpointId) => {
    await sql`
      select public.connector_begin_refresh(${
      sql.json({ endpoint_id: endpointId, margin_seconds: 300, lease_seconds: 600 })
    })`;
    let nowMs = Date.now();
    const { grants } = createTestGrants({
      now: () => new Date(nowMs),
      sleep: (ms) => {
        nowMs += ms;
        return Promise.resolve();
      },
    });
    const startedMs = nowMs;
    await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)), {
      code: "unavailable",
    });
    assert.ok(nowMs - startedMs < 60_000, `${nowMs - startedMs} ms`);
  }));

Deno.test("a run that ends does not end the refresh that it began", () =>
  withGrant(async (sql, address, endpointId) => {
    const run = new AbortController();
    address.play = () => {
      run.abort(new Error("the run is over"));
      address.play = null;
      return Response.json({ access_token: "a", refresh_token: "b", expires_in: 3599 });
    };
    const { grants } = createTestGrants();
    await grants.accessToken(requestFor(endpointId, address.url, { signal: run.signal }));
    const { access, refresh } = await readGrant(sql, endpointId);
    assert.deepEqual([access, refresh], ["a", "b"]);
  }));

for (
  const [what, strange] of [
    [
      "sealed with a key that is gone",
      createTokenVault({
        newest: "k0",
        keys: new Map([["k0", new Uint8Array(32).fill(9)]]),
      }),
    ],
    ["of which a byte was changed", null],
  ] as const
) {
  Deno.test(`a refresh token ${what} is a clear failure that asks nobody and ends nothing`, () =>
    withGrant(async (sql, address, endpointId) => {
      const sealed = await sealedRefreshToken(sql, endpointId);
      const middle = Math.floor(sealed.length * 0.7);
      const changed = sealed[middle] === "A" ? "B" : "A";
      const { grants } = createTestGrants(strange === null ? {} : { vault: strange });
      if (strange === null) {
        await setRefreshToken(
          sql,
          endpointId,
          sealed.slice(0, middle) + changed + sealed.slice(middle + 1),
        );
      }
      for (let n = 0; n < 5; n++) {
        await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)), {
          code: "credentials_invalid",
        });
      }
      assert.deepEqual(address.asked, []);
      await setRefreshToken(sql, endpointId, sealed);
      // The operator puts it right: nothing is lost.
      const mended = createTestGrants().grants;
      await mended.accessToken(requestFor(endpointId, address.url));
      assert.deepEqual(address.asked, [refreshToken(1)]);
    }));
}

async function sealedRefreshToken(sql: Sql, endpointId: string): Promise<string> {
  const [row] = await sql<{ refresh_token: string }[]>`
    select refresh_token from public.oauth_tokens where endpoint_id = ${endpointId} and is_active`;
  return row?.refresh_token ?? "";
}

async function setRefreshToken(sql: Sql, endpointId: string, sealed: string): Promise<void> {
  await sql`
    update public.oauth_tokens set refresh_token = ${sealed}
    where endpoint_id = ${endpointId} and is_active`;
}

Deno.test("no token is ever written to the log", () =>
  withGrant(async (_sql, address, endpointId) => {
    const { grants, log } = createTestGrants();
    address.play = () => Response.json({ access_token: 7, note: refreshToken(1) });
    await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)));
    address.play = null;
    await grants.accessToken(requestFor(endpointId, address.url));
    const written = JSON.stringify(log.entries);
    assert.match(written, /grant_refreshed/);
    for (const secret of [refreshToken(1), refreshToken(2), accessToken(2), "hush"]) {
      assert.ok(!written.includes(secret), secret);
    }
  }));
