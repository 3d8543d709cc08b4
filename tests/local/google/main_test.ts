import assert from "node:assert/strict";
import { importPKCS8, SignJWT } from "jose";
import { ServiceAccountJson } from "../../../local/google/service_account.ts";
import { asArray, asObject, type Body, SCOPE } from "./support.ts";

const MAIN = new URL("../../../local/google/main.ts", import.meta.url).pathname;

/** Runs the process until its first line, then the test, then stops it. */
async function withProcess(args: readonly string[], test: (ready: Body) => Promise<void>) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let output = "";
    while (!output.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The emulator ended before it was ready: "${output}"`);
      output += value;
    }
    await reader.cancel();
    await test(asObject(JSON.parse(output)));
  } finally {
    process.kill("SIGTERM");
    assert.equal((await process.status).code, 0);
  }
}

async function accessToken(ready: Body, keyPath: string): Promise<string> {
  const key = ServiceAccountJson.parse(JSON.parse(await Deno.readTextFile(keyPath)));
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: "RS256", kid: key.private_key_id })
    .setIssuer(key.client_email)
    .setAudience("https://oauth2.googleapis.com/token")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(await importPKCS8(key.private_key, "RS256"));
  const body = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion,
  });
  const response = await fetch(String(ready["token_url"]), { method: "POST", body });
  return String(asObject(await response.json())["access_token"]);
}

Deno.test("The process serves a folder to the service account in its key file", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const folder = `${directory}/Documents`;
    const keyPath = `${directory}/key.json`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/a.pdf`, "pdf");
    await withProcess(["--folder", folder, "--service-account", keyPath], async (ready) => {
      assert.equal(ready["event"], "ready");
      const authorization = `Bearer ${await accessToken(ready, keyPath)}`;
      const q = `'${ready["folder_id"]}' in parents`;
      const url = `${ready["origin"]}/drive/v3/files?${new URLSearchParams({ q })}`;
      const response = await fetch(url, { headers: { authorization } });
      const files = asArray(asObject(await response.json())["files"]);
      assert.deepEqual(files.map((file) => asObject(file)["name"]), ["a.pdf"]);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
