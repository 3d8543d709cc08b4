/** The search that the end-to-end tests trust finds secrets in the disguises they travel in. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { keyLines } from "../../local/leaks/secret_forms.ts";
import { findLeaks } from "./consent/secret_search.ts";

const SECRET = { name: "token", value: '1//0a+b/c="d-0123456789' };

Deno.test("findLeaks() finds a secret as text, in addresses, in JSON, as bytes and in a Basic header", async () => {
  const places = [
    `before ${SECRET.value} after`,
    `https://example.com/?token=${encodeURIComponent(SECRET.value)}`,
    JSON.stringify({ token: SECRET.value }),
    `\\x00${Buffer.from(SECRET.value).toString("hex")}`,
    ...["", "1", "12", "123"].map((user) =>
      `Basic ${Buffer.from(`${user}:${SECRET.value}`).toString("base64")}`
    ),
  ].map((text, index) => ({ name: String(index), text }));
  const leaks = await findLeaks([SECRET], places);
  assert.deepEqual(leaks.map(({ place }) => place), places.map(({ name }) => name));
});

Deno.test("findLeaks() finds nothing where nothing is, and refuses a secret too short to search for", async () => {
  const places = [{ name: "a log", text: SECRET.value.slice(0, -1) }];
  assert.deepEqual(await findLeaks([SECRET], places), []);
  await assert.rejects(findLeaks([{ name: "short", value: "abc" }], places), RangeError);
});

Deno.test("keyLines() gives every line of a private key, so that a part of it is found too", () => {
  const line = "A".repeat(64);
  const pem = `-----BEGIN PRIVATE KEY-----\n${line}\n${line}\n-----END PRIVATE KEY-----\n`;
  assert.equal(keyLines("key", pem).length, 2);
});
