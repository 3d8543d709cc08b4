import assert from "node:assert/strict";
import {
  findPostgrest,
  isExecutableFile,
  postgrestCommand,
} from "../../../local/rest/postgrest_binary.ts";
import { PUBLISHABLE_KEY, SECRET_KEY, withRest } from "./rest_fixture.ts";

const MAIN = new URL("../../../local/rest/main.ts", import.meta.url);

function startMain(env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN.pathname],
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

Deno.test("the REST stand-in runs as a process and says its port", async () => {
  await withRest(async ({ databaseUrl, keys }) => {
    const child = startMain({
      REST_DB_URL: databaseUrl,
      REST_PORT: "0",
      REST_KEYS: JSON.stringify(keys),
    });
    const { port } = JSON.parse(await firstLine(child.stdout));
    const answer = await fetch(`http://127.0.0.1:${port}/rest/v1/rpc/count_rows`, {
      method: "POST",
      body: JSON.stringify({ p_rows: Array.from({ length: 100_000 }, () => "x") }),
      headers: { apikey: SECRET_KEY, "content-type": "application/json" },
    });
    assert.deepEqual([answer.status, await answer.json()], [200, 100_000]);
    const head = await fetch(`http://127.0.0.1:${port}/rest/v1/numbers`, {
      method: "HEAD",
      headers: { apikey: PUBLISHABLE_KEY },
    });
    assert.equal(head.status, 401);
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 0);
    await child.stderr.cancel();
  });
});

Deno.test("the REST stand-in names the setting it lacks", async () => {
  const child = startMain({ REST_DB_URL: "postgresql://x", REST_PORT: "0", REST_KEYS: "{}" });
  const [said, status] = await Promise.all([firstLine(child.stderr), child.status]);
  assert.match(said, /REST_KEYS/);
  assert.equal(status.code, 2);
  await child.stdout.cancel();
});

Deno.test("findPostgrest() takes the configured program, then the first on the path", async () => {
  const programs = new Set(["/opt/postgrest", "/b/postgrest", "/c/postgrest"]);
  const isExecutable = (path: string) => Promise.resolve(programs.has(path));
  const find = (configured: string | undefined, searchPath: string) =>
    findPostgrest({ configured, searchPath, isExecutable });
  assert.equal(await find("/opt/postgrest", "/b"), "/opt/postgrest");
  assert.equal(await find(undefined, "/a:/b:/c"), "/b/postgrest");
  assert.equal(await find("", ".:"), null);
  await assert.rejects(find("/absent", "/b"), /POSTGREST_BIN/);
  assert.equal(await isExecutableFile(Deno.execPath()), true);
  assert.equal(await isExecutableFile("/absent"), false);
});

Deno.test("postgrestCommand() passes the keys and the platform's limits", () => {
  const jwks = { keys: [] };
  const { env } = postgrestCommand("/b/postgrest", {
    databaseUrl: "postgresql://x",
    port: 1,
    jwks,
  });
  assert.deepEqual([env["PGRST_JWT_SECRET"], env["PGRST_DB_MAX_ROWS"], env["PGRST_SERVER_PORT"]], [
    '{"keys":[]}',
    "1000",
    "1",
  ]);
});
