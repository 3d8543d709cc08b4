import assert from "node:assert/strict";
import { decodeProtectedHeader } from "jose";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";

const ENDPOINT = "e1";
const TOKEN = new Secret("ya29.secret-token-value");

function vaultWith(newest: string, ...ids: string[]) {
  const keys = new Map(ids.map((id) => [id, new Uint8Array(32).fill(id.charCodeAt(0))]));
  return createTokenVault({ newest, keys });
}

async function refusal(work: Promise<unknown>): Promise<SyncError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof SyncError, String(error));
    return error;
  }
  throw new Error("Cannot find a refusal: the value was opened");
}

Deno.test("a sealed token opens again and never looks the same twice", async () => {
  const vault = vaultWith("a", "a");
  const sealed = await vault.seal(TOKEN, ENDPOINT);
  assert.ok(!sealed.includes("secret-token"));
  assert.notEqual(await vault.seal(TOKEN, ENDPOINT), sealed);
  assert.equal((await vault.open(sealed, ENDPOINT)).reveal(), TOKEN.reveal());
});

Deno.test("seal() writes a compact JWE under the newest key and names it", async () => {
  const sealed = await vaultWith("b", "a", "b").seal(TOKEN, ENDPOINT);
  assert.equal(sealed.split(".").length, 5);
  const { alg, enc, kid } = decodeProtectedHeader(sealed);
  assert.deepEqual({ alg, enc, kid }, { alg: "dir", enc: "A256GCM", kid: "b" });
});

Deno.test("keys rotate: an older key still opens, a removed one says what to do", async () => {
  const sealed = await vaultWith("a", "a").seal(TOKEN, ENDPOINT);
  assert.equal(
    (await vaultWith("b", "a", "b").open(sealed, ENDPOINT)).reveal(),
    TOKEN.reveal(),
  );
  const error = await refusal(vaultWith("b", "b").open(sealed, ENDPOINT));
  assert.equal(error.code, "credentials_invalid");
  assert.ok(error.message.includes("CONNECTOR_TOKEN_KEYS"));
});

Deno.test("open() refuses a value with any part changed", async () => {
  const vault = vaultWith("a", "a");
  const parts = (await vault.seal(TOKEN, ENDPOINT)).split(".");
  for (const index of [0, 2, 3, 4]) {
    const part = parts[index] ?? "";
    const changed = part[5] === "A" ? "B" : "A";
    const forged = parts.with(index, part.slice(0, 5) + changed + part.slice(6)).join(".");
    const error = await refusal(vault.open(forged, ENDPOINT));
    assert.equal(error.code, "credentials_invalid");
  }
  for (const text of ["", "plain-token", "a.b.c.d.e"]) {
    assert.equal((await refusal(vault.open(text, ENDPOINT))).code, "credentials_invalid");
  }
});

Deno.test("open() refuses a value sealed for another endpoint", async () => {
  const vault = vaultWith("a", "a");
  const sealed = await vault.seal(TOKEN, "someone-else");
  assert.equal((await refusal(vault.open(sealed, ENDPOINT))).code, "credentials_invalid");
});
