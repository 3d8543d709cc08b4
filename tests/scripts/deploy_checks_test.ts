/** What `deno task deploy` checks before it changes anything, and what it makes of the answers. */
import assert from "node:assert/strict";
import { findFunctionsUrl, findLocalAddresses } from "../../scripts/deploy/addresses.ts";
import { connectDirectly, literal } from "../../scripts/deploy/database.ts";
import { waitForHealth } from "../../scripts/deploy/health.ts";
import { createRedactor } from "../../scripts/deploy/redact.ts";
import { functionSecrets, isWritable } from "../../scripts/deploy/settings.ts";
import { checkSettings } from "../../scripts/deploy/settings_problems.ts";
import { compareVault, writeVault } from "../../scripts/deploy/vault.ts";
import { connect } from "../support/database.ts";
import { openDeployProject } from "../support/deploy_project.ts";
import { PROJECT_REF } from "../support/fake_management_api.ts";
import { readTestStack } from "../support/test_stack.ts";

const PROJECT_URL = `https://${PROJECT_REF}.supabase.co`;
const ENGINE = {
  CONNECTOR_DISPATCH_TOKEN: "x".repeat(32),
  CONNECTOR_TOKEN_KEYS: JSON.stringify({ k1: "A".repeat(43) }),
};
const AUTODESK = { CONNECTOR_AUTODESK_CLIENT_ID: "id", CONNECTOR_AUTODESK_CLIENT_SECRET: "secret" };

Deno.test("one provider is enough, and none is too few", () => {
  const one = checkSettings({ ...ENGINE, ...AUTODESK }, PROJECT_URL);
  assert.deepEqual(one, {
    problems: [],
    providers: ["Autodesk Construction Cloud"],
    unread: [],
  });
  const none = checkSettings(ENGINE, PROJECT_URL);
  assert.equal(none.problems.length, 1, none.problems.join("\n"));
  assert.match(
    none.problems[0] ?? "",
    /^No provider is set up; [^\n]*:\nGoogle Drive: [^\n]+\nAutodesk Construction Cloud: [^\n]+$/,
  );
});

Deno.test("without any setting, every required one is named", () => {
  const { problems } = checkSettings({}, PROJECT_URL);
  assert.match(problems.join("\n"), /CONNECTOR_DISPATCH_TOKEN is missing: put it into \.env/);
  assert.match(problems.join("\n"), /CONNECTOR_TOKEN_KEYS is missing/);
});

Deno.test("a broken setting of one provider is told though another provider works", () => {
  const settings = { ...ENGINE, ...AUTODESK, CONNECTOR_GOOGLE_DRIVE_CREDENTIALS: "{not json" };
  const { problems, providers } = checkSettings(settings, PROJECT_URL);
  assert.deepEqual(providers, ["Autodesk Construction Cloud"]);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /CONNECTOR_GOOGLE_DRIVE_CREDENTIALS/);
});

Deno.test("a setting that no function reads is pointed out", () => {
  const settings = { ...ENGINE, ...AUTODESK, CONNECTOR_LOG_LEVLE: "debug" };
  assert.deepEqual(checkSettings(settings, PROJECT_URL).unread, ["CONNECTOR_LOG_LEVLE"]);
});

Deno.test("a misspelt setting is pointed out beside the problem it causes", async () => {
  const env = `CONNECTOR_DISPATCH_TOKEN=${ENGINE.CONNECTOR_DISPATCH_TOKEN}
CONNECTOR_TOKEN_KEYS=${ENGINE.CONNECTOR_TOKEN_KEYS}
CONNECTOR_AUTODESK_CLIENT_ID=id
CONNECTOR_AUTODESK_CLIENT_SECRT=secret
`;
  await using project = await openDeployProject({ env, isLoggedIn: false, isLinked: false });
  const { status, errors } = await project.deploy();
  assert.equal(status, 2);
  assert.match(errors, /^✗ .*CONNECTOR_AUTODESK_CLIENT_SECRET/m);
  assert.match(errors, /^! no function asks for CONNECTOR_AUTODESK_CLIENT_SECRT: misspelt\?$/m);
});

Deno.test("a value that cannot be handed to the CLI as it is is refused", () => {
  assert.ok(isWritable("it's"));
  assert.ok(isWritable(`{"a":"it's \\\\"}`));
  assert.ok(!isWritable(`it's "$HOME"`));
  assert.ok(!isWritable("ends with \\"));
});

Deno.test("functions get neither the address for Vault nor the names of files", () => {
  const secrets = functionSecrets({
    ...ENGINE,
    CONNECTOR_FUNCTIONS_URL: "https://x",
    CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH: "key.json",
  });
  assert.deepEqual(secrets, ENGINE);
});

Deno.test("the functions' address is derived, and another project's is refused", () => {
  const own = `${PROJECT_URL}/functions/v1`;
  const find = (CONNECTOR_FUNCTIONS_URL: string) =>
    findFunctionsUrl({ CONNECTOR_FUNCTIONS_URL }, PROJECT_REF);
  assert.deepEqual(findFunctionsUrl({}, PROJECT_REF), { url: own });
  assert.deepEqual(find(`${own}/`), { url: own });
  assert.ok("note" in find("https://api.example.com/functions/v1"));
  for (
    const wrong of [
      "https://zyxwvutsrqponmlkjihg.supabase.co/functions/v1",
      "http://api.supabase.internal:8000/functions/v1",
      "https://localhost/functions/v1",
      `http://${PROJECT_REF}.supabase.co/functions/v1`,
      PROJECT_URL,
      "no address",
    ]
  ) assert.ok("problem" in find(wrong), wrong);
});

Deno.test("addresses of this machine are found wherever they stand", () => {
  const find = (value: string) => findLocalAddresses({ CONNECTOR_X: value }).length;
  for (
    const local of [
      "http://127.0.0.1:9000/token",
      "https://localhost",
      "http://host.docker.internal:1",
      "http://[::1]:80",
      "http://192.168.1.2",
      '{"token_uri":"http://172.17.0.1:4000/token"}',
      "http://www.example.com",
    ]
  ) assert.equal(find(local), 1, local);
  for (const fine of ["https://www.googleapis.com", "127.0.0.1", '{"a":"https://a.example/b"}']) {
    assert.equal(find(fine), 0, fine);
  }
  const pages = { CONNECTOR_OAUTH_REDIRECT_URLS: "http://localhost:3000" };
  assert.deepEqual(findLocalAddresses(pages), []);
});

/** Waits for health on a clock of its own; what came of it, and after how long. */
async function health(answers: (second: number) => Response) {
  let now = 0;
  const result = await waitForHealth(`${PROJECT_URL}/functions/v1`, "1.0.0", {
    fetch: () => Promise.resolve(answers(now / 1000)),
    clock: () => now,
    pause: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  });
  return { ...result, seconds: now / 1000 };
}

const report = (status: string, message: string | null, version = "1.0.0") =>
  Response.json({ status, version, checks: { scheduler: { message } } });

Deno.test("health is asked again until the schedule runs in the new version", async () => {
  const result = await health((second) => {
    if (second < 5) return new Response("<html>", { status: 404 });
    if (second < 10) return report("ok", null, "0.9.0");
    return second < 60 ? report("degraded", "It has never run.") : report("ok", null);
  });
  assert.deepEqual(result, { status: "ok", message: "", seconds: 60 });
});

Deno.test("health takes the last answer when the time is up", async () => {
  const degraded = await health(() => report("degraded", "It has never run."));
  assert.deepEqual([degraded.status, degraded.message], ["degraded", "It has never run."]);
  assert.ok(degraded.seconds < 120);
  const silent = await health(() => new Response("<html>", { status: 404 }));
  assert.equal(silent.status, "no answer");
});

Deno.test("the Vault is written where it is missing or differs, and only there", async () => {
  const sql = connect(1);
  await using database = connectDirectly(readTestStack().postgres_url, (text) => text);
  const secrets = { deploy_test_one: "it's \\ 'one'", deploy_test_two: "two" };
  try {
    const missing = await compareVault(database, secrets);
    assert.deepEqual(missing.map(({ state }) => state), ["missing", "missing"]);
    await writeVault(database, secrets, missing);
    assert.deepEqual(await compareVault(database, secrets), []);
    const changed = { ...secrets, deploy_test_two: "changed" };
    const different = await compareVault(database, changed);
    assert.deepEqual(different, [{ name: "deploy_test_two", state: "different" }]);
    await writeVault(database, changed, different);
    const rows = await sql`
      select name, decrypted_secret from vault.decrypted_secrets
      where name like 'deploy_test_%' order by name`;
    assert.deepEqual(
      Object.fromEntries(rows.map((row) => [row["name"], row["decrypted_secret"]])),
      changed,
    );
  } finally {
    await sql`delete from vault.secrets where name like 'deploy_test_%'`;
    await sql.end();
  }
});

Deno.test("a literal of SQL is its text, whatever is in it", async () => {
  await using database = connectDirectly(readTestStack().postgres_url, (text) => text);
  for (const text of ["", "it's", "\\", "\\' or true; --", "a\nb"]) {
    assert.deepEqual([{
      ...Object((await rowsOf(database.query(`select ${literal(text)} as t`)))[0]),
    }], [
      { t: text },
    ]);
  }
});

async function rowsOf(answer: Promise<unknown>): Promise<unknown[]> {
  const rows = await answer;
  assert.ok(Array.isArray(rows));
  return rows;
}

Deno.test("a redactor hides values in every form they are written in", () => {
  const redact = createRedactor(['pass"word/1', "info"]);
  const told = redact('info: pass"word/1 pass\\"word/1 pass%22word%2F1');
  assert.equal(told, "info: [secret] [secret] [secret]");
});

Deno.test("wrong use ends with status 2 and one line, and --help with the usage", async () => {
  await using project = await openDeployProject({ env: "" });
  const url = "postgresql://postgres.zyxwvutsrqponmlkjihg:a-password@pooler.example/postgres";
  for (
    const [args, expected] of [
      [["--frobnicate"], /--frobnicate/],
      [["--project-ref", "Not A Ref"], /20 lower-case letters/],
      [["--remote-db", "mysql://a-password@x"], /postgresql:\/\/ connection string/],
      [["--remote-db", url], /database of zyxwvutsrqponmlkjihg, and the project is abcdef/],
    ] as const
  ) {
    for (const command of [project.deploy, project.undeploy]) {
      const { status, errors } = await command(...args);
      assert.equal(status, 2);
      assert.match(errors, expected);
      assert.ok(!errors.includes("a-password"), errors);
    }
  }
  assert.match((await project.deploy("--help")).output, /^deno task deploy \[flags\]/);
  assert.match((await project.undeploy("--help")).output, /^deno task undeploy \[flags\]/);
  assert.deepEqual(project.api.requests, []);
});
