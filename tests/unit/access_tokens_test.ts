import assert from "node:assert/strict";
import type {
  Lease,
  SealedToken,
  StoredToken,
} from "../../supabase/functions/_shared/db/connector_db.ts";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { createLog } from "../../supabase/functions/_shared/log.ts";
import { createAccessTokens } from "../../supabase/functions/_shared/oauth/access_tokens.ts";
import type { GrantRequest } from "../../supabase/functions/_shared/oauth/grants.ts";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { PROFILE } from "../support/oauth_profile.ts";

const LEASE: Lease = { endpoint_id: "e1", lease_token: "l1" };
const MINUTE_MS = 60_000;
const vault = createTokenVault({ newest: "k1", keys: new Map([["k1", new Uint8Array(32)]]) });

/** A provider that numbers its tokens, and a database that keeps them. */
function setUp(lifetimeMs = 60 * MINUTE_MS) {
  const clock = { nowMs: Date.parse("2026-11-22T10:00:00Z") };
  const stored: SealedToken[] = [];
  const lines: string[] = [];
  const provider = {
    issued: 0,
    failure: null as Error | null,
    async issueToken() {
      await Promise.resolve();
      if (provider.failure !== null) throw provider.failure;
      return {
        access_token: `ya29.token-${++provider.issued}`,
        token_type: "Bearer",
        scope: "read",
        expires_at: new Date(clock.nowMs + lifetimeMs),
      };
    },
    oauthProfile: () => PROFILE,
    classifyGrant: () => new SyncError("grant_revoked", "over"),
  };
  const now = () => new Date(clock.nowMs);
  const asked: GrantRequest[] = [];
  const tokens = createAccessTokens({
    vault,
    publicUrl: "https://project.example",
    grants: {
      async accessToken(grantRequest) {
        await Promise.resolve();
        asked.push(grantRequest);
        const generation = 7 + asked.length;
        const token = new Secret(`ya29.granted-${generation}`);
        return { token, generation, expiresAt: new Date(clock.nowMs + lifetimeMs) };
      },
    },
    now,
    log: createLog({ level: "debug", function: "t", write: (line) => lines.push(line), now }),
    db: {
      storeToken: (_lease, token) => {
        stored.push(token);
        return Promise.resolve();
      },
    },
  });
  const request = {
    lease: LEASE,
    mode: "application" as const,
    stored: null as StoredToken | null,
    provider,
    config: {},
    settings: { apiUrl: "", tokenUrl: "", credentials: null },
    fetch: globalThis.fetch,
    signal: new AbortController().signal,
  };
  const storedFor = async (
    minutes: number,
    token = "ya29.stored",
    endpointId = "e1",
  ): Promise<StoredToken> => ({
    access_token: await vault.seal(new Secret(token), endpointId),
    token_type: "Bearer",
    expires_at: new Date(clock.nowMs + minutes * MINUTE_MS).toISOString(),
    grant_type: "application",
    generation: 7,
  });
  /** The token of a connected account, and the request of a slice that reads as that person. */
  const grantedFor = async (...args: Parameters<typeof storedFor>) => ({
    ...request,
    mode: "user" as const,
    stored: { ...await storedFor(...args), grant_type: "user" as const },
  });
  return { clock, stored, lines, provider, tokens, request, storedFor, grantedFor, asked };
}

Deno.test("get() uses the stored token while it has more than five minutes left", async () => {
  const { tokens, request, provider, storedFor } = setUp();
  const source = tokens.accessTokenFor({ ...request, stored: await storedFor(6) });
  assert.equal((await source.get()).reveal(), "ya29.stored");
  assert.equal(provider.issued, 0);
});

Deno.test("get() replaces a stored token with five minutes left, and stores the new one sealed", async () => {
  const { tokens, request, stored, storedFor, clock } = setUp();
  const source = tokens.accessTokenFor({ ...request, stored: await storedFor(5) });
  assert.equal((await source.get()).reveal(), "ya29.token-1");
  const [token] = stored;
  assert.ok(token);
  assert.ok(!token.access_token.includes("token-1"));
  assert.equal((await vault.open(token.access_token, "e1")).reveal(), "ya29.token-1");
  assert.equal(token.expires_at, new Date(clock.nowMs + 60 * MINUTE_MS).toISOString());
});

Deno.test("get() asks the provider once for many callers and many slices of an endpoint", async () => {
  const { tokens, request, provider, stored } = setUp();
  const [first, second] = [tokens.accessTokenFor(request), tokens.accessTokenFor(request)];
  const all = await Promise.all([first.get(), first.get(), second.get(), second.get()]);
  assert.deepEqual(new Set(all.map((token) => token.reveal())), new Set(["ya29.token-1"]));
  assert.equal(provider.issued, 1);
  assert.equal(stored.length, 1);
});

Deno.test("get() renews a token that nears its end during a long slice", async () => {
  const { tokens, request, provider, clock } = setUp();
  const source = tokens.accessTokenFor(request);
  await source.get();
  clock.nowMs += 54 * MINUTE_MS;
  assert.equal((await source.get()).reveal(), "ya29.token-1");
  clock.nowMs += 2 * MINUTE_MS;
  const renewed = await Promise.all([source.get(), source.get()]);
  assert.deepEqual(renewed.map((token) => token.reveal()), ["ya29.token-2", "ya29.token-2"]);
  assert.equal(provider.issued, 2);
});

Deno.test("get() does not ask again for each page when tokens live shorter than five minutes", async () => {
  const { tokens, request, provider } = setUp(2 * MINUTE_MS);
  const source = tokens.accessTokenFor(request);
  await source.get();
  await source.get();
  assert.equal(provider.issued, 1);
});

Deno.test("invalidate() brings one replacement, even when several tasks report the same token", async () => {
  const { tokens, request, provider, storedFor } = setUp();
  const source = tokens.accessTokenFor({ ...request, stored: await storedFor(30) });
  const refused = await source.get();
  assert.equal(source.invalidate(refused), true);
  const replacement = await source.get();
  assert.equal(source.invalidate(refused), true);
  assert.equal((await source.get()).reveal(), "ya29.token-1");
  assert.equal(provider.issued, 1);
  assert.equal(source.invalidate(replacement), false);
});

Deno.test("get() issues a new token when the stored one cannot be opened", async () => {
  const { tokens, request, lines, storedFor } = setUp();
  const foreign = await storedFor(30, "ya29.stored", "another-endpoint");
  const source = tokens.accessTokenFor({ ...request, stored: foreign });
  assert.equal((await source.get()).reveal(), "ya29.token-1");
  assert.ok(lines.some((line) => line.includes("stored_token_unreadable")));
});

Deno.test("get() passes on a failure and tries again at the next call", async () => {
  const { tokens, request, provider } = setUp();
  const source = tokens.accessTokenFor(request);
  provider.failure = new SyncError("unavailable", "no answer");
  await assert.rejects(source.get(), { code: "unavailable" });
  provider.failure = null;
  assert.equal((await source.get()).reveal(), "ya29.token-1");
});

Deno.test("get() uses a stored token of a person, and asks the grants for nothing", async () => {
  const { tokens, asked, stored, provider, grantedFor } = setUp();
  const source = tokens.accessTokenFor(await grantedFor(6));
  assert.equal((await source.get()).reveal(), "ya29.stored");
  assert.deepEqual([asked.length, stored.length, provider.issued], [0, 0, 0]);
});

Deno.test("get() has a person's token refreshed when it has five minutes left", async () => {
  const { tokens, asked, provider, grantedFor } = setUp();
  const source = tokens.accessTokenFor(await grantedFor(5));
  const all = await Promise.all([source.get(), source.get()]);
  assert.deepEqual(all.map((token) => token.reveal()), ["ya29.granted-8", "ya29.granted-8"]);
  assert.deepEqual(asked.map(({ refusedGeneration }) => refusedGeneration), [null]);
  assert.equal(provider.issued, 0);
});

Deno.test("invalidate() names the generation that was refused, once", async () => {
  const { tokens, asked, grantedFor } = setUp();
  const source = tokens.accessTokenFor(await grantedFor(30));
  const refused = await source.get();
  assert.equal(source.invalidate(refused), true);
  const replacement = await source.get();
  assert.equal(replacement.reveal(), "ya29.granted-8");
  assert.deepEqual(asked.map(({ refusedGeneration }) => refusedGeneration), [7]);
  assert.equal(source.invalidate(replacement), false);
});

Deno.test("invalidate() of a token that was replaced meanwhile refuses nothing", async () => {
  const { tokens, asked, clock, grantedFor } = setUp();
  const source = tokens.accessTokenFor(await grantedFor(6));
  const old = await source.get();
  clock.nowMs += 2 * MINUTE_MS;
  await source.get();
  assert.equal(source.invalidate(old), true);
  assert.equal((await source.get()).reveal(), "ya29.granted-8");
  assert.equal(asked.length, 1);
});

Deno.test("a person's access token that cannot be opened is refreshed, whatever time it has left", async () => {
  const { tokens, asked, grantedFor } = setUp();
  const source = tokens.accessTokenFor(await grantedFor(30, "ya29.stored", "another-endpoint"));
  assert.equal((await source.get()).reveal(), "ya29.granted-8");
  assert.deepEqual(asked.map(({ refusedGeneration }) => refusedGeneration), [7]);
});

Deno.test("an endpoint of a person is never read as the application, nor the other way round", async () => {
  const { tokens, provider, asked, request, grantedFor, storedFor } = setUp();
  const granted = await grantedFor(30);
  const asPerson = tokens.accessTokenFor({ ...granted, stored: await storedFor(30) });
  await assert.rejects(asPerson.get(), {
    code: "grant_missing",
    message: /https:\/\/project\.example\/functions\/v1\/oauth\/authorize\?endpoint_id=e1$/,
  });
  assert.equal(asked.length, 0);
  const asApplication = tokens.accessTokenFor({ ...request, stored: granted.stored });
  assert.equal((await asApplication.get()).reveal(), "ya29.token-1");
  assert.equal(provider.issued, 1);
});

Deno.test("no token is ever written to the log", async () => {
  const { tokens, request, lines, storedFor } = setUp();
  const source = tokens.accessTokenFor({ ...request, stored: await storedFor(30) });
  source.invalidate(await source.get());
  await source.get();
  assert.ok(lines.length > 0);
  assert.ok(lines.every((line) => !line.includes("ya29")));
});
