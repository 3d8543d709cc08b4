import assert from "node:assert/strict";
import { importPKCS8, SignJWT } from "jose";
import { createDriveEmulator } from "../../../local/google/emulator.ts";
import { createServiceAccount } from "../../../local/google/service_account.ts";
import { loadOrCreateServiceAccount } from "../../../local/google/service_account.ts";
import { asObject, SCOPE } from "./support.ts";

const { json } = await createServiceAccount();
const stranger = (await createServiceAccount({ name: "stranger" })).json;
const TOKEN_URL = "http://drive.test/token";

interface Request {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, string>;
  readonly signer?: string;
  readonly form?: Record<string, string>;
}

function emulator() {
  const made = createDriveEmulator({
    serviceAccounts: [json],
    delegations: { [json.client_id]: [SCOPE] },
  });
  made.model.addAccount({ email: "user@example.com" });
  return made;
}

async function assertion({ claims, header, signer }: Request): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: json.client_email,
    scope: SCOPE,
    aud: TOKEN_URL,
    iat: now,
    exp: now + 3600,
    ...claims,
  };
  return await new SignJWT(all)
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: json.private_key_id, ...header })
    .sign(await importPKCS8(signer ?? json.private_key, "RS256"));
}

async function ask(request: Request, target = emulator()): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: await assertion(request),
    ...request.form,
  });
  const response = await target.fetch(TOKEN_URL, { method: "POST", body });
  return { status: response.status, ...asObject(await response.json()) };
}

async function refused(request: Request, target = emulator()): Promise<string> {
  const { status, error, error_description: description } = await ask(request, target);
  return `${status} ${error} ${description}`;
}

Deno.test("A signed assertion is exchanged for a token that reads files", async () => {
  const target = emulator();
  for (const aud of [TOKEN_URL, "https://oauth2.googleapis.com/token"]) {
    const { status, access_token: token, ...rest } = await ask({ claims: { aud } }, target);
    assert.equal(status, 200);
    assert.deepEqual(rest, { expires_in: 3599, token_type: "Bearer" });
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await target.fetch("http://drive.test/drive/v3/files", { headers })).status, 200);
  }
});

Deno.test("The token endpoint refuses a wrong assertion as Google does", async () => {
  const now = Math.floor(Date.now() / 1000);
  const signature = "400 invalid_grant Invalid JWT Signature.";
  const times = /^400 invalid_grant Invalid JWT: Token must be a short-lived token/;
  assert.equal(await refused({ signer: stranger.private_key }), signature);
  assert.equal(await refused({ header: { kid: "other" } }), signature);
  assert.match(await refused({ claims: { exp: now + 66 * 60 } }), times);
  assert.match(await refused({ claims: { iat: now, exp: now - 60 } }), times);
  assert.match(await refused({ claims: { iat: now - 7200, exp: now - 3600 } }), times);
  assert.match(await refused({ claims: { iat: now + 3600, exp: now + 7200 } }), times);
  assert.match(await refused({ claims: { iss: stranger.client_email } }), /account not found$/);
  assert.match(await refused({ claims: { aud: "https://example.com" } }), /audience check/);
  assert.match(await refused({ form: { assertion: "a.b" } }), /^400 invalid_grant Invalid JWT/);
  assert.match(await refused({ form: { grant_type: "password" } }), /^400 unsupported_grant_type/);
});

Deno.test("The token endpoint wants known scopes, separated by spaces", async () => {
  const other = "https://www.googleapis.com/auth/drive.readonly";
  assert.equal((await ask({ claims: { scope: `${SCOPE} ${other}` } }))["status"], 200);
  for (const scope of ["", `${SCOPE},${other}`, "drive.readonly"]) {
    assert.match(await refused({ claims: { scope } }), /^400 invalid_scope/);
  }
});

Deno.test("Impersonation needs a delegation that covers the scopes, and a user", async () => {
  const target = emulator();
  const { access_token: token } = await ask({ claims: { sub: "user@example.com" } }, target);
  const headers = { authorization: `Bearer ${token}` };
  const about = await target.fetch("http://drive.test/drive/v3/about?fields=user", { headers });
  assert.equal(asObject(asObject(await about.json())["user"])["emailAddress"], "user@example.com");
  assert.equal(
    await refused({ claims: { sub: "nobody@example.com" } }),
    "400 invalid_grant Invalid email or User ID",
  );
  const wider = "https://www.googleapis.com/auth/drive";
  assert.match(
    await refused({ claims: { sub: "user@example.com", scope: wider } }),
    /^401 unauthorized_client Unauthorized client or scope/,
  );
  const undelegated = createDriveEmulator({ serviceAccounts: [json] });
  assert.match(
    await refused({ claims: { sub: "user@example.com" } }, undelegated),
    /^401 unauthorized_client Client is unauthorized/,
  );
});

Deno.test("loadOrCreateServiceAccount() keeps the account it has made", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/keys/service_account.json`;
    const first = await loadOrCreateServiceAccount(path, { name: "demo" });
    assert.match(first.client_email, /^demo@.*\.iam\.gserviceaccount\.com$/);
    assert.match(first.private_key, /^-----BEGIN PRIVATE KEY-----\n/);
    assert.deepEqual(await loadOrCreateServiceAccount(path), first);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
