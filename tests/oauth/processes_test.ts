import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { connectAccount, createTestGrants, endLeases, readGrant, requestFor } from "./granted.ts";
import { accessToken, LASTING_TOKEN, refreshToken } from "./issued.ts";
import { withAddress } from "./token_address.ts";
import { runWorkers } from "./workers.ts";

Deno.test("twenty processes with one expired token ask the provider once, and all go on with the new one", () =>
  withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      const endpointId = await connectAccount(sql);
      const ends = await runWorkers(20, { endpointId, tokenUrl: address.url, death: "never" });
      assert.deepEqual(address.asked, [refreshToken(1)]);
      assert.equal(ends.length, 20);
      for (const { said } of ends) {
        assert.deepEqual(said, { token: accessToken(2), generation: 2 });
      }
      const { refresh, isRefreshing } = await readGrant(sql, endpointId);
      assert.deepEqual([refresh, isRefreshing], [refreshToken(2), false]);
    })
  ));

Deno.test("a worker killed between the answer and the store: a refresh token of one use is tried once more, then a person is needed", () =>
  withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      const endpointId = await connectAccount(sql);
      const order = { endpointId, tokenUrl: address.url, death: "before_storing" } as const;
      assert.deepEqual(await runWorkers(1, order), [{ signal: "SIGKILL", said: null }]);
      assert.equal((await readGrant(sql, endpointId)).isRefreshing, true);
      await endLeases(sql);
      const { grants, log } = createTestGrants();
      for (let n = 0; n < 3; n++) {
        await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)), {
          code: "grant_revoked",
        });
      }
      assert.deepEqual(address.asked, [refreshToken(1), refreshToken(1)]);
      assert.ok(log.entries.some(({ event }) => event === "refresh_outcome_unknown"));
      const { isEnded, status, code } = await readGrant(sql, endpointId);
      assert.deepEqual([isEnded, status, code], [true, "needs_reauthorization", "grant_revoked"]);
    })
  ));

Deno.test("a worker killed between the answer and the store: a refresh token of many uses goes on", () =>
  withDatabase((sql) =>
    withAddress({ rotates: false }, async (address) => {
      const endpointId = await connectAccount(sql, { refreshToken: LASTING_TOKEN });
      const order = { endpointId, tokenUrl: address.url, death: "before_storing" } as const;
      await runWorkers(1, order);
      await endLeases(sql);
      const { grants } = createTestGrants();
      const { token } = await grants.accessToken(requestFor(endpointId, address.url));
      assert.equal(token.reveal(), accessToken(3));
      const { access, refresh, isEnded } = await readGrant(sql, endpointId);
      assert.deepEqual([access, refresh, isEnded], [accessToken(3), LASTING_TOKEN, false]);
    })
  ));

Deno.test("a worker killed before it asked the provider costs nothing", () =>
  withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      const endpointId = await connectAccount(sql);
      const order = { endpointId, tokenUrl: address.url, death: "before_asking" } as const;
      await runWorkers(1, order);
      await endLeases(sql);
      const { grants } = createTestGrants();
      const { token } = await grants.accessToken(requestFor(endpointId, address.url));
      assert.equal(token.reveal(), accessToken(2));
      assert.deepEqual(address.asked, [refreshToken(1)]);
    })
  ));

Deno.test("the workers of a provider that cannot be asked are lost one after the other, not for ever", () =>
  withDatabase((sql) =>
    withAddress({ rotates: true }, async (address) => {
      const endpointId = await connectAccount(sql);
      const order = { endpointId, tokenUrl: address.url, death: "before_asking" } as const;
      for (let n = 0; n < 3; n++) {
        await runWorkers(1, order);
        await endLeases(sql);
      }
      const { grants } = createTestGrants();
      await assert.rejects(grants.accessToken(requestFor(endpointId, address.url)), {
        code: "grant_revoked",
      });
      assert.deepEqual(address.asked, []);
      assert.equal((await readGrant(sql, endpointId)).isEnded, true);
    })
  ));
