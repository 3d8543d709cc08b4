import assert from "node:assert/strict";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import { withDatabase } from "../support/database.ts";
import { connectAccount, createTestGrants, requestFor } from "./granted.ts";
import { refreshToken } from "./issued.ts";
import { withAddress } from "./token_address.ts";

const OLD = ["k1", new Uint8Array(32).fill(7)] as const;
const NEW = ["k2", new Uint8Array(32).fill(8)] as const;

Deno.test("a refresh token that stays good is sealed anew when it is used, so that its key can go", () =>
  withDatabase((sql) =>
    withAddress({ rotates: false }, async (address) => {
      const endpointId = await connectAccount(sql);
      address.play = () => Response.json({ access_token: "a", expires_in: 1 });
      const both = createTokenVault({ newest: "k2", keys: new Map([OLD, NEW]) });
      const rotating = createTestGrants({ vault: both }).grants;
      await rotating.accessToken(requestFor(endpointId, address.url));

      const newer = createTokenVault({ newest: "k2", keys: new Map([NEW]) });
      const rotated = createTestGrants({ vault: newer }).grants;
      await rotated.accessToken(requestFor(endpointId, address.url));
      assert.deepEqual(address.asked, [refreshToken(1), refreshToken(1)]);
    })
  ));
