/** `deno task token-keys:new` and `token-keys:reencrypt`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeProtectedHeader } from "jose";
import { createTerminal } from "../../local/terminal.ts";
import { runTokenKeys } from "../../scripts/token_keys.ts";
import { parseTokenKeys } from "../../supabase/functions/_shared/config_token_keys.ts";
import { createTokenVault } from "../../supabase/functions/_shared/oauth/token_vault.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";
import { ADA, addEndpoint, type Sql, withDatabase } from "../support/database.ts";
import { readTestStack } from "../support/test_stack.ts";

const OLD = { k1: btoa("\x01".repeat(32)) };
const NEW = { ...OLD, k2: btoa("\x02".repeat(32)) };
const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();

const vaultOf = (keys: object) => createTokenVault(parseTokenKeys("KEYS", JSON.stringify(keys)));

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
}

/** Runs a command in an empty folder; what it printed and ended with. */
async function run(args: readonly string[], { env = {}, files = {}, fetch }: Run = {}) {
  const root = await Deno.makeTempDir();
  let [output, errors] = ["", ""];
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(root, path), text);
    }
    const [command = "", ...flags] = args;
    const status = await runTokenKeys([command, "--state-dir", root, ...flags], {
      terminal: createTerminal({
        isInteractive: false,
        columns: () => 80,
        write: (text) => output += text,
        writeError: (text) => errors += text,
      }),
      fetch: fetch ?? globalThis.fetch,
      env: (name) => env[name],
      root,
    });
    return { status, output, errors };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** The environment of an operator of the test's project. */
function operator(keys: object): Readonly<Record<string, string>> {
  const { api_url, secret_key } = readTestStack();
  return {
    SUPABASE_URL: api_url,
    SUPABASE_SECRET_KEY: secret_key,
    CONNECTOR_TOKEN_KEYS: JSON.stringify(keys),
  };
}

async function addGrant(sql: Sql, vault = vaultOf(OLD)): Promise<string> {
  const endpointId = await addEndpoint(sql);
  const grant = {
    endpoint_id: endpointId,
    user_id: ADA,
    access_token: await vault.seal(new Secret(`access of ${endpointId}`), endpointId),
    refresh_token: await vault.seal(new Secret(`refresh of ${endpointId}`), endpointId),
    expires_at: IN_AN_HOUR,
  };
  await sql`select public.connector_store_grant(${sql.json(grant)})`;
  return endpointId;
}

async function addOwnToken(sql: Sql, sealed: (endpointId: string) => Promise<string>) {
  const endpointId = await addEndpoint(sql);
  await sql`
    insert into public.oauth_tokens (endpoint_id, access_token, expires_at)
    values (${endpointId}, ${await sealed(endpointId)}, ${IN_AN_HOUR})`;
  return endpointId;
}

interface TokenRow {
  readonly endpoint_id: string;
  readonly access_token: string;
  readonly refresh_token: string | null;
  readonly generation: number;
}

async function tokens(sql: Sql): Promise<TokenRow[]> {
  return [...await sql<TokenRow[]>`select * from public.oauth_tokens where is_active`];
}

const kidOf = (sealed: string) => decodeProtectedHeader(sealed).kid;

function kidsOf(rows: readonly TokenRow[]): Set<unknown> {
  const values = rows.flatMap(({ access_token, refresh_token }) => [access_token, refresh_token]);
  return new Set(values.filter((value) => value !== null).map(kidOf));
}

Deno.test("token-keys:new makes a first key, and puts the value alone on standard output", async () => {
  const { status, output, errors } = await run(["new"]);
  assert.equal(status, 0);
  assert.deepEqual([...parseTokenKeys("KEYS", output).keys.keys()], ["k1"]);
  assert.match(errors, /secrets set CONNECTOR_TOKEN_KEYS/);
  assert.notEqual((await run(["new"])).output, output);
});

Deno.test("token-keys:new keeps the keys there are, and its own seals from then on", async () => {
  const files = { ".env": `CONNECTOR_TOKEN_KEYS='${JSON.stringify({ ...OLD, other: NEW.k2 })}'` };
  const { output, errors } = await run(["new"], { files });
  const { keys, newest } = parseTokenKeys("KEYS", output);
  assert.deepEqual([...keys.keys()], ["k1", "other", "k2"]);
  assert.equal(newest, "k2");
  assert.equal(JSON.parse(output).k1, OLD.k1);
  assert.match(errors, /keys of \.env/);
});

Deno.test("token-keys:new refuses a value that the functions would refuse, and shows no key", async () => {
  for (const text of ["{", '{"k1":"c2hvcnQ"}', JSON.stringify({ 1: OLD.k1 })]) {
    const { status, output, errors } = await run(["new"], { env: { CONNECTOR_TOKEN_KEYS: text } });
    assert.deepEqual([status, output], [2, ""]);
    assert.match(errors, /^error: The setting CONNECTOR_TOKEN_KEYS must /);
    assert.ok(!errors.includes("c2hvcnQ") && !errors.includes(OLD.k1));
  }
});

Deno.test("token-keys:reencrypt seals with the newest key what was not, and changes nothing else", () =>
  withDatabase(async (sql) => {
    const ids = [await addGrant(sql), await addGrant(sql), await addGrant(sql, vaultOf(NEW))];
    await addOwnToken(sql, (id) => vaultOf(OLD).seal(new Secret("own"), id));
    const before = await tokens(sql);
    const dry = await run(["reencrypt", "--dry-run"], { env: operator(NEW) });
    assert.equal(dry.status, 0);
    assert.match(dry.output, /3 to be sealed again · 1 up to date/);
    assert.deepEqual(await tokens(sql), before);

    const { status, output } = await run(["reencrypt"], { env: operator(NEW) });
    assert.equal(status, 0, output);
    assert.match(output, /3 sealed again · 1 up to date · 0 changed meanwhile · 0 unreadable\n/);
    assert.match(output, /Every token is sealed with the key "k2"\.\n$/);
    const after = await tokens(sql);
    assert.deepEqual(kidsOf(after), new Set(["k2"]));
    assert.deepEqual(new Set(after.map(({ generation }) => generation)), new Set([1]));
    const vault = vaultOf({ k2: NEW.k2 });
    for (const id of ids) {
      const row = after.find(({ endpoint_id }) => endpoint_id === id);
      assert.equal((await vault.open(row?.access_token ?? "", id)).reveal(), `access of ${id}`);
      assert.equal((await vault.open(row?.refresh_token ?? "", id)).reveal(), `refresh of ${id}`);
    }
    const again = await run(["reencrypt"], { env: operator(NEW) });
    assert.match(again.output, /0 sealed again · 4 up to date/);
  }));

Deno.test("token-keys:reencrypt names the endpoints whose tokens it cannot open, and seals the others", () =>
  withDatabase(async (sql) => {
    const good = await addGrant(sql);
    const foreign = await addGrant(sql, vaultOf({ k9: NEW.k2 }));
    const damaged = await addGrant(sql);
    await sql`
      update public.oauth_tokens set refresh_token = overlay(refresh_token placing
        case substr(refresh_token, length(refresh_token) - 30, 1) when 'A' then 'B' else 'A' end
        from length(refresh_token) - 30 for 1)
      where endpoint_id = ${damaged}`;
    await addOwnToken(sql, () => Promise.resolve("nonsense"));
    const { status, output, errors } = await run(["reencrypt"], { env: operator(NEW) });
    assert.equal(status, 1);
    assert.match(output, /1 sealed again · 0 up to date · 0 changed meanwhile · 2 unreadable\n$/);
    assert.match(errors, new RegExp(`endpoint ${foreign}: .*not in CONNECTOR_TOKEN_KEYS`));
    assert.match(errors, new RegExp(`endpoint ${damaged}: .*cannot be decrypted`));
    assert.match(errors, /1 unreadable tokens of the application's own/);
    assert.ok(!errors.includes(good));
  }));

Deno.test("token-keys:reencrypt never undoes a refresh, and seals what came meanwhile", () =>
  withDatabase(async (sql) => {
    for (let n = 0; n < 6; n++) await addGrant(sql);
    const oldWorker = vaultOf(OLD);
    // Whenever the command is about to write, a worker that knows the old key alone is quicker; twice.
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      const query = new URL(request.url).searchParams;
      const generation = Number(query.get("generation")?.slice("eq.".length));
      if (request.method === "PATCH" && generation < 3) {
        const [row] = await sql`
          select endpoint_id from public.oauth_tokens where id = ${
          query.get("id")?.slice("eq.".length) ?? ""
        }`;
        const refresh = {
          endpoint_id: row?.endpoint_id,
          generation,
          access_token: await oldWorker.seal(new Secret("new access"), row?.endpoint_id),
          refresh_token: await oldWorker.seal(new Secret("new refresh"), row?.endpoint_id),
          expires_at: IN_AN_HOUR,
        };
        await sql`select public.connector_store_refresh(${sql.json(refresh)})`;
      }
      return await globalThis.fetch(request);
    };
    const { status, output } = await run(["reencrypt"], { env: operator(NEW), fetch });
    assert.equal(status, 0, output);
    assert.match(output, /6 sealed again · 0 up to date/);
    const rows = await tokens(sql);
    assert.deepEqual(kidsOf(rows), new Set(["k2"]));
    for (const { endpoint_id, access_token, refresh_token, generation } of rows) {
      const open = async (sealed: string | null) =>
        (await vaultOf(NEW).open(sealed ?? "", endpoint_id)).reveal();
      assert.deepEqual(
        [await open(access_token), await open(refresh_token), generation],
        ["new access", "new refresh", 3],
      );
    }
  }));

Deno.test("token-keys:reencrypt passes over tokens that were retired, also while it works", () =>
  withDatabase(async (sql) => {
    const [gone, replaced] = [await addGrant(sql), await addGrant(sql)];
    await sql`select public.connector_disconnect(${gone})`;
    let isFirst = true;
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      if (request.method === "PATCH" && isFirst) {
        isFirst = false;
        await sql`select public.connector_disconnect(${replaced})`;
      }
      return await globalThis.fetch(request);
    };
    const { status } = await run(["reencrypt"], { env: operator(NEW), fetch });
    assert.equal(status, 0);
    const rows = await sql`select access_token, refresh_token from public.oauth_tokens`;
    assert.deepEqual([...rows], [
      { access_token: "", refresh_token: null },
      { access_token: "", refresh_token: null },
    ]);
  }));

Deno.test("token-keys:reencrypt says what it lacks, and what the project answers", async () => {
  const { CONNECTOR_TOKEN_KEYS: _, ...withoutKeys } = operator(NEW);
  const unknown = { ...operator(NEW), SUPABASE_SECRET_KEY: "sb_secret_of_nobody" };
  const cases = [
    [["reencrypt"], {}, /Cannot find the project/],
    [["reencrypt"], withoutKeys, /CONNECTOR_TOKEN_KEYS must be set/],
    [["reencrypt"], unknown, /status 40[13]/],
    [["reencrypt", "--all"], operator(NEW), /--all/],
    [["rotate"], operator(NEW), /it is new or reencrypt/],
  ] as const;
  for (const [args, env, message] of cases) {
    const { status, errors } = await run(args, { env });
    assert.equal(status, 2, errors);
    assert.match(errors, message);
  }
});
