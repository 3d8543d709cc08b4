import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify } from "jose";
import { join } from "node:path";
import { StackError } from "../../local/failure.ts";
import { loadKeys, makeKeys, signUserToken } from "../../local/keys.ts";

Deno.test("loadKeys() makes the keys once, for their owner's eyes alone", async () => {
  const folder = await Deno.makeTempDir();
  const first = await loadKeys(folder);
  const second = await loadKeys(folder);
  const { mode } = await Deno.stat(join(folder, "keys.json"));
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual(second, first);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  assert.equal(first.jwks.keys.some((key) => key.d !== undefined), false);
});

Deno.test("loadKeys() says what to do about a damaged file", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "keys.json"), "{");
  await assert.rejects(loadKeys(folder), (cause) => {
    assert(cause instanceof StackError);
    assert.match(cause.message, /keys\.json.*damaged.*--reset/);
    return true;
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("signUserToken() signs claims as the platform's Auth does", async () => {
  const keys = await makeKeys();
  const id = "11111111-1111-4111-8111-111111111111";
  const apiUrl = "http://127.0.0.1:54321";
  const token = await signUserToken(keys, { id, email: "ada@example.com" }, { apiUrl });
  const keySet = createLocalJWKSet({ keys: [...keys.jwks.keys] });
  const { payload, protectedHeader } = await jwtVerify(token, keySet, {
    issuer: `${apiUrl}/auth/v1`,
    audience: "authenticated",
  });
  assert.equal(protectedHeader.alg, "ES256");
  assert.deepEqual([payload.sub, payload.role, payload.email], [
    id,
    "authenticated",
    "ada@example.com",
  ]);
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3600);
});
