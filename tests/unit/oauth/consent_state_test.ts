import assert from "node:assert/strict";
import { base64url, decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from "jose";
import { createConsentStates } from "../../../supabase/functions/_shared/oauth/consent_state.ts";

const NOW = new Date("2026-11-22T10:00:00Z");
const IN_TEN_MINUTES = new Date(NOW.getTime() + 600_000);
const CONSENT = {
  consentId: "33333333-3333-4333-8333-333333333333",
  endpointId: "44444444-4444-4444-8444-444444444444",
  userId: "11111111-1111-4111-8111-111111111111",
  clientId: "an application",
};
const KEY = new Uint8Array(32).fill(1);

function statesWith(keys: Readonly<Record<string, Uint8Array>>, now = NOW) {
  const newest = Object.keys(keys).at(-1) ?? "";
  return createConsentStates({ newest, keys: new Map(Object.entries(keys)) }, () => now);
}

const states = statesWith({ k1: KEY });

/** The payload of a good state. */
async function goodClaims() {
  const state = await states.sign(CONSENT, IN_TEN_MINUTES);
  return { state, claims: decodeJwt(state), header: decodeProtectedHeader(state) };
}

Deno.test("a state says which consent of whom it is, and names its key", async () => {
  const { state, header } = await goodClaims();
  assert.deepEqual(await states.verify(state), CONSENT);
  assert.deepEqual(header, { alg: "HS256", typ: "consent+jwt", kid: "k1" });
});

Deno.test("a state outlives a rotation of the keys, and not the removal of its own", async () => {
  const { state } = await goodClaims();
  const other = new Uint8Array(32).fill(2);
  assert.deepEqual(await statesWith({ k1: KEY, k2: other }).verify(state), CONSENT);
  await assert.rejects(statesWith({ k2: other }).verify(state), { code: "state_invalid" });
  await assert.rejects(statesWith({ k1: other }).verify(state), { code: "state_invalid" });
});

Deno.test("a state is worth nothing once its time is over", async () => {
  const { state } = await goodClaims();
  const later = (ms: number) => statesWith({ k1: KEY }, new Date(NOW.getTime() + ms));
  assert.deepEqual(await later(599_000).verify(state), CONSENT);
  await assert.rejects(later(600_000).verify(state), { code: "state_invalid" });
});

Deno.test("a state with any part changed is refused", async () => {
  const { state, claims } = await goodClaims();
  const parts = state.split(".");
  const altered = [
    ...[0, 1, 2].map((index) => {
      const part = parts[index] ?? "";
      const changed = part[5] === "A" ? "B" : "A";
      return parts.with(index, part.slice(0, 5) + changed + part.slice(6)).join(".");
    }),
    parts.with(1, base64url.encode(JSON.stringify({ ...claims, sub: "another" }))).join("."),
    parts.with(2, "").join("."),
    parts.slice(0, 2).join("."),
    `${state}.${parts[2]}`,
    "a.b.c",
    "x",
    `${state}${"a".repeat(2_000)}`,
  ];
  for (const forged of altered) {
    await assert.rejects(states.verify(forged), { code: "state_invalid" }, forged);
  }
});

Deno.test("a state without signature, or signed by anything else, is refused", async () => {
  const { claims, header } = await goodClaims();
  const sign = (more: object, key: Uint8Array, payload: object = claims) =>
    new SignJWT({ ...payload }).setProtectedHeader({ ...header, alg: "HS256", ...more }).sign(key);
  const noneHeader = base64url.encode(JSON.stringify({ ...header, alg: "none" }));
  const payload = base64url.encode(JSON.stringify(claims));
  const forged = [
    new UnsecuredJWT({ ...claims }).encode(),
    `${noneHeader}.${payload}.`,
    // The key that seals tokens is not the one that signs states.
    await sign({}, KEY),
    await sign({ kid: "unknown" }, KEY),
    await sign({ kid: undefined }, KEY),
    await sign({ kid: "__proto__" }, KEY),
    await sign({ alg: "HS512" }, new Uint8Array(64)),
  ];
  for (const state of forged) {
    await assert.rejects(states.verify(state), { code: "state_invalid" }, state);
  }
});
