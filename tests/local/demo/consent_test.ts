import assert from "node:assert/strict";
import { startAutodeskDemo } from "../../../local/demo/autodesk.ts";
import { startGoogleDemo } from "../../../local/demo/google.ts";

const CALLBACK = "http://127.0.0.1:54321/functions/v1/oauth/callback";
const SOURCE = { type: "generated", files: 1 } as const;
const SCOPES = {
  google: "https://www.googleapis.com/auth/drive.metadata.readonly",
  autodesk: "data:read",
};

async function statusOf(url: string, clientId: string | undefined, scope: string): Promise<number> {
  const address = new URL(url);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId ?? "",
    redirect_uri: CALLBACK,
    scope,
  }).toString();
  const response = await fetch(address);
  await response.body?.cancel();
  return response.status;
}

Deno.test("People can connect to the demo's Google Drive once the stack's callback is known", async () => {
  const demo = await startGoogleDemo(SOURCE);
  try {
    const { CONNECTOR_GOOGLE_AUTH_URL: url, CONNECTOR_GOOGLE_CLIENT_ID: id } = demo.settings;
    assert.notEqual(await statusOf(url ?? "", id, SCOPES.google), 200);
    demo.allowCallback(CALLBACK);
    assert.equal(await statusOf(url ?? "", id, SCOPES.google), 200);
  } finally {
    await demo.stop();
  }
});

Deno.test("People can connect to the demo's Autodesk project once the stack's callback is known", async () => {
  const demo = await startAutodeskDemo(SOURCE);
  try {
    const { CONNECTOR_AUTODESK_API_URL: api, CONNECTOR_AUTODESK_CLIENT_ID: id } = demo.settings;
    const url = `${api}/authentication/v2/authorize`;
    assert.equal(await statusOf(url, id, SCOPES.autodesk), 400);
    demo.allowCallback(CALLBACK);
    assert.equal(await statusOf(url, id, SCOPES.autodesk), 200);
  } finally {
    await demo.stop();
  }
});
