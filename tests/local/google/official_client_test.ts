import assert from "node:assert/strict";
import { auth, drive as driveClient } from "@googleapis/drive";
import { arrangeDrive, type Layout } from "../../../local/google/arrangement.ts";
import { generateTree } from "../../../local/google/generated_tree.ts";
import { startDriveEmulator } from "../../../local/google/server.ts";
import { createServiceAccount } from "../../../local/google/service_account.ts";
import { CLIENT, VERIFIER } from "./consent.ts";
import { OWNER, SCOPE } from "./support.ts";

async function startClient(layout: Layout) {
  const { json } = await createServiceAccount();
  const server = await startDriveEmulator({ serviceAccounts: [json] });
  const place = arrangeDrive(server.model, {
    layout,
    name: "Top",
    owner: OWNER,
    reader: json.client_email,
  });
  const jwt = new auth.JWT({
    email: json.client_email,
    key: json.private_key,
    keyId: json.private_key_id,
    scopes: [SCOPE],
    // The library asks Google's own address for tokens, whatever the key file says.
    transporterOptions: {
      fetchImplementation: (input, init) => {
        const url = input instanceof Request ? input.url : String(input);
        return fetch(url.replace("https://oauth2.googleapis.com", server.origin), init);
      },
    },
  });
  const client = driveClient({ version: "v3", auth: jwt, rootUrl: `${server.origin}/` });
  return { server, place, client };
}

Deno.test("Google's own client lists a shared folder page by page", async () => {
  const { server, place, client } = await startClient("shared_folder");
  try {
    generateTree(server.model, { parent: place.folderId, files: 2300 });
    const found = new Map<string, string>();
    let pageToken: string | undefined;
    let pages = 0;
    do {
      const { data } = await client.files.list({
        pageSize: 1000,
        q: "trashed = false",
        fields: "nextPageToken,incompleteSearch,files(id,name,parents,size)",
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      for (const file of data.files ?? []) found.set(file.id ?? "", file.name ?? "");
      pageToken = data.nextPageToken ?? undefined;
      pages++;
    } while (pageToken !== undefined);
    const expected = [...server.model.items.values()].filter((item) => !item.isRoot);
    assert.deepEqual(
      new Map([...found].sort()),
      new Map(expected.map((item) => [item.id, item.name] as const).sort()),
    );
    assert.equal(pages, 3);
    assert.equal(server.control.counters().calls["token"], 1);
  } finally {
    await server.stop();
  }
});

Deno.test("Google's own client reads the changes of a shared drive", async () => {
  const { server, place, client } = await startClient("shared_drive");
  try {
    const driveId = place.driveId ?? "";
    const scope = { driveId, supportsAllDrives: true };
    const start = await client.changes.getStartPageToken(scope);
    const file = server.model.createFile({ name: "new.pdf", parent: place.folderId });
    const gone = server.model.createFile({ name: "gone.pdf", parent: place.folderId });
    server.model.delete(gone.id);
    const { data } = await client.changes.list({
      ...scope,
      includeItemsFromAllDrives: true,
      pageToken: start.data.startPageToken ?? "",
      fields: "nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file(id,name))",
    });
    assert.deepEqual(data.changes, [
      {
        changeType: "file",
        removed: false,
        fileId: file.id,
        file: { id: file.id, name: "new.pdf" },
      },
      { changeType: "file", removed: true, fileId: gone.id },
    ]);
    assert.equal(typeof data.newStartPageToken, "string");
    const item = await client.files.get({ fileId: file.id, supportsAllDrives: true });
    assert.equal(item.data.name, "new.pdf");
    await assert.rejects(client.files.get({ fileId: file.id }), { status: 404 });
  } finally {
    await server.stop();
  }
});

Deno.test("Google's own client is given access by a person, refreshes by itself and revokes", async () => {
  const server = await startDriveEmulator({ oauthClients: [CLIENT] });
  try {
    const owner = server.model.addAccount({ email: OWNER });
    server.model.createFile({ name: "mine.pdf", parent: owner.root.id });
    const [redirectUri = ""] = CLIENT.redirectUris;
    const oauth = new auth.OAuth2({
      clientId: CLIENT.clientId,
      clientSecret: CLIENT.clientSecret,
      redirectUri,
      endpoints: {
        oauth2AuthBaseUrl: server.authUrl,
        oauth2TokenUrl: server.tokenUrl,
        oauth2RevokeUrl: `${server.origin}/revoke`,
      },
    });
    const challenge = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(VERIFIER)),
    ).toBase64({ alphabet: "base64url", omitPadding: true });
    const address = oauth.generateAuthUrl({ access_type: "offline", scope: [SCOPE], state: "s" });
    const body = new URL(`${address}&code_challenge=${challenge}&code_challenge_method=S256`)
      .searchParams;
    for (const [name, value] of [["email", OWNER], ["granted", SCOPE], ["decision", "allow"]]) {
      body.append(name ?? "", value ?? "");
    }
    const answer = await fetch(server.authUrl, { method: "POST", body, redirect: "manual" });
    await answer.body?.cancel();
    const code = new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const { tokens } = await oauth.getToken({ code, codeVerifier: VERIFIER });
    oauth.setCredentials({ ...tokens, expiry_date: Date.now() - 1 });
    const client = driveClient({ version: "v3", auth: oauth, rootUrl: `${server.origin}/` });
    const { data } = await client.files.list({ fields: "files(name)" });
    assert.deepEqual(data.files, [{ name: "mine.pdf" }]);
    assert.notEqual(oauth.credentials.access_token, tokens.access_token);
    assert.equal(oauth.credentials.refresh_token, tokens.refresh_token);
    await oauth.revokeToken(tokens.refresh_token ?? "");
    assert.deepEqual(server.control.grants(), []);
  } finally {
    await server.stop();
  }
});
