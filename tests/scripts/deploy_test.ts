/**
 * `deno task deploy` and `deno task undeploy`: the real Supabase CLI against a fake Management API
 * and the test database. What the CLI uploads is what will run.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { z } from "zod";
import { denoSystemEnvironment, findFunctionsDeno } from "../../local/functions/deno_binary.ts";
import { listFunctions } from "../../local/functions/function_list.ts";
import { launch } from "../../local/functions/launch.ts";
import { runCommand } from "../../local/processes.ts";
import { JOBS } from "../../scripts/deploy/schedule.ts";
import { openDeployProject } from "../support/deploy_project.ts";
import { type Deployment, deployTwice, PROBE } from "../support/deployment.ts";
import { PROJECT_REF, type Upload } from "../support/fake_management_api.ts";
import { fromFileUrl } from "../support/source_tree.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const FUNCTIONS_URL = `https://${PROJECT_REF}.supabase.co/functions/v1`;
const JOB_NAMES = JOBS.map(({ name }) => name);

/** Values with all that quotes and shells trip over. */
const SECRETS = {
  CONNECTOR_DISPATCH_TOKEN: "a-dispatch-token's-32-characters-or-more",
  CONNECTOR_TOKEN_KEYS: `{\n  "k1": "${"A".repeat(43)}"\n}`,
  CONNECTOR_GOOGLE_CLIENT_ID: "client.apps.googleusercontent.com",
  CONNECTOR_GOOGLE_CLIENT_SECRET: 'GOCSPX-$HOME#"1\\n${PATH}',
  CONNECTOR_AUTODESK_CLIENTS: `{"client-one":"o'ne\\u0041\\\\$HOME"}`,
};
const ENV = `SUPABASE_URL=http://127.0.0.1:54321
CONNECTOR_DISPATCH_TOKEN="${SECRETS.CONNECTOR_DISPATCH_TOKEN}"
CONNECTOR_TOKEN_KEYS='${SECRETS.CONNECTOR_TOKEN_KEYS}'
CONNECTOR_GOOGLE_CLIENT_ID=${SECRETS.CONNECTOR_GOOGLE_CLIENT_ID}
CONNECTOR_GOOGLE_CLIENT_SECRET='${SECRETS.CONNECTOR_GOOGLE_CLIENT_SECRET}'
CONNECTOR_AUTODESK_CLIENTS=\`${SECRETS.CONNECTOR_AUTODESK_CLIENTS}\`
CONNECTOR_FUNCTIONS_URL=
CONNECTOR_GOOGLE_DRIVE_CREDENTIALS=
`;

let deployment: Promise<Deployment> | null = null;

/** The deployment that the tests look at: made once, by whichever asks first. */
function deployed(): Promise<Deployment> {
  return deployment ??= deployTwice(ENV);
}

/** The slugs of all functions there are. */
async function allSlugs(): Promise<string[]> {
  return (await listFunctions(ROOT)).map(({ slug }) => slug);
}

Deno.test("undeploy turns the schedule off and says what remains, and again", async () => {
  const { undeployed, undeployedAgain } = await deployed();
  assert.equal(undeployed.run.errors, "");
  assert.equal(undeployed.run.status, 0);
  assert.deepEqual(
    undeployed.state.jobs,
    Object.fromEntries(JOB_NAMES.map((name) => [name, false])),
  );
  assert.match(undeployed.run.output, /turned off connector-tick, connector-retention/);
  assert.match(undeployed.run.output, /What remains:[\s\S]*functions delete/);
  assert.equal(undeployedAgain.run.status, 0);
  assert.match(undeployedAgain.run.output, /✓ schedule: off\n/);
  assert.deepEqual(undeployedAgain.state.jobs, { "connector-tick": false });
});

Deno.test("deploy --dry-run prints every step and sends nothing that changes anything", async () => {
  const { dryRun, undeployedAgain } = await deployed();
  assert.equal(dryRun.run.errors, "");
  assert.equal(dryRun.run.status, 0);
  assert.deepEqual(dryRun.state, undeployedAgain.state);
  for (const { method, path, sql } of dryRun.requests) {
    assert.ok(
      method === "GET" || /^\s*select (?!cron\.|vault\.)/.test(sql ?? ""),
      `${method} ${path}`,
    );
  }
  const steps = dryRun.run.output.split("\n").filter((line) => line.startsWith("· "));
  assert.deepEqual(steps.map((line) => line.slice(2).replace(/:.*/, "")), [
    "migrations",
    "secrets",
    "vault",
    "functions",
    "schedule",
    "health",
  ]);
  assert.match(steps[0] ?? "", new RegExp(`would apply 1: ${PROBE}$`));
  assert.match(steps[2] ?? "", /connector_functions_url/);
  assert.match(steps[4] ?? "", /would turn on connector-tick, connector-retention$/);
  assert.match(dryRun.run.output, /Nothing was changed\.\n$/);
});

Deno.test("a migration that fails stops the deployment before anything else is changed", async () => {
  const { failed, dryRun } = await deployed();
  assert.equal(failed.run.status, 1);
  assert.match(failed.run.errors, /✗ migrations: .*no_such_column/);
  assert.deepEqual(failed.requests.filter(({ method }) => method !== "GET"), []);
  assert.deepEqual(failed.state, dryRun.state);
});

Deno.test("deploy applies the migrations, fills the Vault and brings the ticks back", async () => {
  const { first, failed } = await deployed();
  assert.equal(first.run.errors, "");
  assert.equal(first.run.status, 0);
  assert.deepEqual(first.state.migrations, [...failed.state.migrations, PROBE.slice(0, 14)]);
  assert.deepEqual(first.state.vault, {
    connector_functions_url: FUNCTIONS_URL,
    connector_dispatch_token: SECRETS.CONNECTOR_DISPATCH_TOKEN,
  });
  assert.deepEqual(first.state.jobs, Object.fromEntries(JOB_NAMES.map((name) => [name, true])));
  assert.match(first.run.output, /✓ health: ok\nNext: /);
});

Deno.test("deploy a second time succeeds and changes nothing in the database", async () => {
  const { first, second } = await deployed();
  assert.equal(second.run.errors, "");
  assert.equal(second.run.status, 0);
  assert.deepEqual(second.state, first.state);
  assert.match(second.run.output, /✓ migrations: nothing new\n[\s\S]*✓ vault: as it should be\n/);
});

Deno.test("deploy defines the jobs as the migrations do", async () => {
  const names = await Array.fromAsync(
    Deno.readDir(`${ROOT}supabase/migrations`),
    ({ name }) => name,
  );
  const migrations = await Promise.all(
    names.sort().map((name) => Deno.readTextFile(`${ROOT}supabase/migrations/${name}`)),
  );
  const scheduled = migrations.join("\n").matchAll(
    /^select cron\.schedule\('([^']+)', '([^']+)', '([^']+)'\);/gm,
  );
  // A later migration schedules a job of the same name anew.
  const jobs = new Map(Array.from(scheduled, ([, name, schedule, command]) => [
    name,
    { name, schedule, command },
  ]));
  assert.deepEqual(
    [...JOBS].sort((a, b) => a.name < b.name ? -1 : 1),
    [...jobs.values()].sort((a, b) => (a.name ?? "") < (b.name ?? "") ? -1 : 1),
  );
});

Deno.test("the functions get exactly the settings they read, and no value is printed", async () => {
  const { secrets, undeployed, dryRun, failed, first, second } = await deployed();
  assert.deepEqual([...secrets.keys()].sort(), Object.keys(SECRETS).sort());
  for (const [name, value] of Object.entries(SECRETS)) {
    const isJson = value.startsWith("{");
    const sent = secrets.get(name) ?? "";
    if (isJson) assert.deepEqual(JSON.parse(sent), JSON.parse(value), name);
    else assert.equal(sent, value, name);
  }
  const printed = [undeployed, dryRun, failed, first, second]
    .map(({ run }) => run.output + run.errors).join("\n");
  for (const value of [...Object.values(SECRETS), ...secrets.values(), "A".repeat(43), "o'ne"]) {
    if (value !== SECRETS.CONNECTOR_GOOGLE_CLIENT_ID) assert.ok(!printed.includes(value), value);
  }
});

const Graph = z.object({
  roots: z.array(z.string()),
  modules: z.array(z.object({
    specifier: z.string(),
    dependencies: z.array(z.object({
      code: z.object({ specifier: z.string().optional() }).optional(),
      type: z.object({ specifier: z.string().optional() }).optional(),
    })).default([]),
  })),
});

/** The local files that each function reaches, as Deno itself sees them, by slug. */
async function localFiles(slugs: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
  const folder = await Deno.makeTempDir();
  const entry = (slug: string) => new URL(`supabase/functions/${slug}/index.ts`, `file://${ROOT}`);
  const all = join(folder, "all.ts");
  await Deno.writeTextFile(all, slugs.map((slug) => `import "${entry(slug)}";\n`).join(""));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", `--config=${ROOT}deno.json`, all],
    env: { ...denoSystemEnvironment() },
    stdin: "null",
  });
  const { stdout } = await child.output();
  await Deno.remove(folder, { recursive: true });
  const { modules } = Graph.parse(JSON.parse(new TextDecoder().decode(stdout)));
  const edges = new Map(modules.map(({ specifier, dependencies }) => [
    specifier,
    dependencies.flatMap(({ code, type }) => [code?.specifier ?? [], type?.specifier ?? []].flat()),
  ]));
  return new Map(slugs.map((slug) => {
    const reached = new Set([entry(slug).href]);
    for (const specifier of reached) edges.get(specifier)?.forEach((next) => reached.add(next));
    const files = [...reached].filter((specifier) => specifier.startsWith(`file://${ROOT}`));
    return [slug, files.map((specifier) => specifier.slice(`file://${ROOT}`.length))];
  }));
}

Deno.test("each upload holds every local file the function needs, and nothing else", async () => {
  const { uploads } = await deployed();
  const slugs = await allSlugs();
  assert.deepEqual([...uploads.keys()].sort(), slugs);
  const needed = await localFiles(slugs);
  for (const [slug, { files }] of uploads) {
    const expected = ["deno.json", ...needed.get(slug) ?? []];
    assert.ok(expected.length > 20, `${slug} reaches ${expected.length} files only`);
    assert.deepEqual([...files.keys()].sort(), expected.sort(), slug);
    for (const [path, text] of files) {
      assert.equal(text, await Deno.readTextFile(join(ROOT, path)), `${slug}: ${path}`);
    }
  }
});

Deno.test("each function is deployed with verify_jwt off and deno.json as its import map", async () => {
  const { uploads, functions } = await deployed();
  for (const slug of await allSlugs()) {
    assert.deepEqual({ ...uploads.get(slug)?.metadata }, {
      name: slug,
      entrypoint_path: `supabase/functions/${slug}/index.ts`,
      import_map_path: "deno.json",
      verify_jwt: false,
    });
    assert.deepEqual(functions.get(slug), { verify_jwt: false });
  }
});

/** Writes each upload into an empty folder of its own; their entry points by folder. */
async function unpack(
  folder: string,
  uploads: ReadonlyMap<string, Upload>,
): Promise<ReadonlyMap<string, string>> {
  const entries = new Map<string, string>();
  for (const [slug, { files, metadata }] of uploads) {
    for (const [path, text] of files) {
      const target = join(folder, slug, path);
      await Deno.mkdir(dirname(target), { recursive: true });
      await Deno.writeTextFile(target, text);
    }
    entries.set(join(folder, slug), join(folder, slug, metadata.entrypoint_path));
  }
  return entries;
}

/** Boots one bundle and asks it something; what it answers. */
async function ask(denoPath: string, root: string, entrypoint: string): Promise<{
  readonly slug: string;
  readonly status: number;
  readonly body: Record<string, unknown>;
}> {
  const launched = launch({
    denoPath,
    root,
    entrypoint,
    env: {
      ...SECRETS,
      SUPABASE_URL: "http://127.0.0.1:1",
      SUPABASE_SECRET_KEYS: '{"default":"sb_secret_of_the_test"}',
      SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_of_the_test"}',
      SUPABASE_JWKS: '{"keys":[]}',
    },
    readable: [],
    onLine: () => {},
  });
  try {
    const slug = root.slice(root.lastIndexOf("/") + 1);
    const path = slug === "oauth" ? "oauth/authorize" : slug;
    const method = /^(health|oauth|status)$/.test(slug) ? "GET" : "POST";
    const response = await fetch(`http://127.0.0.1:${await launched.port}/${path}`, { method });
    const body = z.looseObject({}).parse(await response.json());
    return { slug, status: response.status, body };
  } finally {
    await launched.stop(5_000);
  }
}

/** Boots the bundles one after the other; each must answer as it does to a stranger. */
async function askAll(denoPath: string, entries: ReadonlyMap<string, string>): Promise<void> {
  for (const [root, entrypoint] of entries) {
    const { slug, status, body } = await ask(denoPath, root, entrypoint);
    const isHealth = slug === "health";
    assert.equal(status, isHealth ? 503 : 401, `${slug}: ${JSON.stringify(body)}`);
    assert.ok((isHealth ? "checks" : "request_id") in body, `${slug}: ${JSON.stringify(body)}`);
  }
}

Deno.test("each upload, alone in an empty folder, type-checks, boots and answers", async () => {
  const { uploads } = await deployed();
  const { path: denoPath } = await findFunctionsDeno();
  // Below no folder that has a deno.json, a package.json or node_modules.
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "bundles_" }));
  try {
    const entries = await unpack(folder, uploads);
    const [anyRoot = ""] = entries.keys();
    // One process for all: each entry point only finds what lies in its own folder.
    const checking = runCommand({
      command: denoPath,
      args: ["check", "--no-lock", "--quiet", `--config=${anyRoot}/deno.json`, ...entries.values()],
      cwd: folder,
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", ...denoSystemEnvironment() },
    });
    const [checked] = await Promise.all([checking, askAll(denoPath, entries)]);
    assert.equal(checked.code, 0, checked.output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deploy says all that is missing at once, and sends nothing", async () => {
  await using project = await openDeployProject({
    env: `CONNECTOR_DISPATCH_TOKEN=short
CONNECTOR_TOKEN_KEYS={"k1":"tooshort"}
CONNECTOR_MAX_CONCURRENT_SYNCS=many
CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH=key.json
CONNECTOR_GOOGLE_CLIENT_ID=client
CONNECTOR_GOOGLE_API_URL=http://127.0.0.1:9000
CONNECTOR_AUTODESK_CLIENTS=[]
CONNECTOR_FUNCTIONS_URL=http://kong:8000/functions/v1
`,
    isLoggedIn: false,
    isLinked: false,
  });
  const { status, output, errors } = await project.deploy();
  assert.equal(status, 2);
  assert.equal(output, "");
  for (
    const expected of [
      /There is no project: run `npx --yes supabase@[\d.]+ link/,
      /You are not logged in: run `npx --yes supabase@[\d.]+ login`, or set SUPABASE_ACCESS_TOKEN/,
      /CONNECTOR_DISPATCH_TOKEN must have at least 32 characters/,
      /CONNECTOR_TOKEN_KEYS must hold 32 bytes/,
      /CONNECTOR_MAX_CONCURRENT_SYNCS must be a whole number/,
      /CONNECTOR_GOOGLE_DRIVE_CREDENTIALS_PATH names a file of this machine/,
      /CONNECTOR_GOOGLE_CLIENT_SECRET as it must be the client secret/,
      /CONNECTOR_GOOGLE_API_URL leads to 127\.0\.0\.1:9000/,
      /CONNECTOR_AUTODESK_CLIENTS as it must be a JSON object/,
      /CONNECTOR_FUNCTIONS_URL must be https:\/\/<project>\.supabase\.co\/functions\/v1/,
    ]
  ) assert.match(errors, expected);
  assert.equal(errors.split("\n").filter((line) => line.startsWith("✗ ")).length, 10, errors);
  assert.match(errors, /Nothing was changed\.\n$/);
  assert.deepEqual(project.api.requests, []);
});
