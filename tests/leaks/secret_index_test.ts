import assert from "node:assert/strict";
import { formsOf } from "../../local/leaks/secret_forms.ts";
import { SecretIndex } from "../../local/leaks/secret_index.ts";

const SECRETS = [
  { name: "sixteen", value: "0123456789abcdef" },
  { name: "odd", value: '1//0a+b/c="d-0123456789~*\\' },
  { name: "long", value: `ya29.${"Ab3_".repeat(20)}-the-end-of-it` },
  { name: "jwt", value: `eyJhbGciOiJSUzI1NiJ9.${"eyJh".repeat(30)}.${"Zq9-".repeat(25)}` },
];

Deno.test("SecretIndex finds every form of every value at every offset, and where it begins", () => {
  const index = new SecretIndex(SECRETS);
  const encoder = new TextEncoder();
  for (const secret of SECRETS) {
    for (const form of formsOf(secret)) {
      for (let offset = 0; offset < 24; offset++) {
        const text = " ".repeat(offset) + form + " ".repeat(offset % 5);
        const hits = index.scan(encoder.encode(text));
        const found = hits.some((hit) => hit.secret === secret.name && hit.at === offset);
        assert.ok(found, `${secret.name} at ${offset}: ${form}`);
      }
    }
  }
});

Deno.test("SecretIndex finds no value of which a character differs", () => {
  const encoder = new TextEncoder();
  for (const secret of SECRETS.slice(0, 2)) {
    const index = new SecretIndex([secret]);
    for (let n = 0; n < secret.value.length; n++) {
      const changed = `${secret.value.slice(0, n)}#${secret.value.slice(n + 1)}`;
      assert.deepEqual(index.scan(encoder.encode(`  ${changed}  `)), []);
    }
  }
});

Deno.test("SecretIndex finds the beginning of a token that a log cut off, but not that of a JWT", () => {
  const [, , long, jwt] = SECRETS;
  const index = new SecretIndex(SECRETS);
  const scan = (text = "") => index.scan(new TextEncoder().encode(text));
  assert.deepEqual(scan(long?.value.slice(0, 40)).map(({ secret }) => secret), ["long"]);
  assert.deepEqual(scan(jwt?.value.slice(0, 80)), []);
});

Deno.test("SecretIndex keeps many values apart, and reads bytes from any position of a buffer", () => {
  const secrets = Array.from({ length: 3_000 }, (_, n) => ({
    name: String(n),
    value: `value-${n}-${crypto.randomUUID()}`,
  }));
  const index = new SecretIndex(secrets);
  assert.equal(index.size, secrets.length);
  const text = secrets.map(({ value }) => value).join("\n");
  for (let offset = 0; offset < 4; offset++) {
    const bytes = new TextEncoder().encode(" ".repeat(offset) + text).subarray(offset);
    assert.equal(new Set(index.scan(bytes).map(({ secret }) => secret)).size, secrets.length);
  }
  assert.deepEqual(new SecretIndex([]).scan(new Uint8Array(100)), []);
});
