/** `deno task endpoint:test`: what it asks of whom, prints, and ends with. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createTerminal } from "../../local/terminal.ts";
import { writeStackFile } from "../../local/stack_file.ts";
import { runEndpointTest } from "../../scripts/endpoint_test.ts";

const ID = "11111111-1111-4111-8111-111111111111";
const KEY = "sb_secret_of_the_test";

const CHECKS = [
  { name: "settings", result: "pass", message: "All settings are there.", took_ms: 0 },
  { name: "token", result: "pass", message: "There is a token.", took_ms: 120 },
  { name: "quota", result: "pass", message: "Nothing to say.", took_ms: 1 },
];
const WELL = { endpoint_type: "google_drive", ok: true, checks: CHECKS };

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly isInteractive?: boolean;
  readonly respond?: (request: Request) => Response | Promise<Response>;
}

/** Runs the command in an empty folder; what it sent, printed and ended with. */
async function run(args: readonly string[], options: Run = {}) {
  const folder = await Deno.makeTempDir();
  const requests: Request[] = [];
  let [output, errors] = ["", ""];
  const envFile = join(folder, ".env");
  if (options.envFile !== undefined) await Deno.writeTextFile(envFile, options.envFile);
  try {
    const status = await runEndpointTest(["--state-dir", folder, ...args], {
      terminal: createTerminal({
        isInteractive: options.isInteractive ?? false,
        columns: () => 80,
        write: (text) => output += text,
        writeError: (text) => errors += text,
      }),
      fetch: async (input, init) => {
        const request = new Request(input, init);
        requests.push(request.clone());
        return await (options.respond?.(request) ?? Response.json(WELL));
      },
      env: (name) => options.env?.[name],
      envFile,
    });
    return { status, output, errors, requests };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HERE = ["--url", "http://127.0.0.1:54321", "--key", KEY];

Deno.test("endpoint:test asks the function for a stored endpoint, with a secret key", async () => {
  const { status, output, errors, requests } = await run(["--id", ID, ...HERE]);
  assert.equal(status, 0);
  assert.equal(errors, "asking http://127.0.0.1:54321 (from --url)\n");
  const [request] = requests;
  assert.equal(request?.url, "http://127.0.0.1:54321/functions/v1/test-endpoint");
  assert.equal(request?.headers.get("apikey"), KEY);
  assert.equal(request?.headers.get("authorization"), null);
  assert.equal(request?.redirect, "error");
  assert.deepEqual(await request?.json(), { endpoint_id: ID });
  assert.equal(
    output,
    "✓ settings          All settings are there.\n" +
      "✓ token     120 ms  There is a token.\n" +
      "✓ quota       1 ms  Nothing to say.\n" +
      "\ngoogle_drive: 3 checks passed\n",
  );
});

Deno.test("endpoint:test sends a configuration, as a user where a token is given", async () => {
  const config = '{"folder_id":"A"}';
  const args = ["--type", "google_drive", "--config", config, "--project-id", "p"];
  const url = ["--url", "https://ref.supabase.co/"];
  const { requests } = await run([...args, ...url, "--token", "jwt"]);
  assert.equal(requests[0]?.url, "https://ref.supabase.co/functions/v1/test-endpoint");
  assert.equal(requests[0]?.headers.get("authorization"), "Bearer jwt");
  assert.equal(requests[0]?.headers.get("apikey"), null);
  assert.deepEqual(await requests[0]?.json(), {
    endpoint_type: "google_drive",
    endpoint_config: { folder_id: "A" },
    project_id: "p",
  });
});

Deno.test("endpoint:test ends with 1 when a check failed, and marks what was not looked at", async () => {
  const checks = [
    ...CHECKS.slice(0, 1),
    { name: "token", result: "fail", message: "Do this.", took_ms: 5 },
    { name: "quota", result: "skipped", message: "Not looked at.", took_ms: 0 },
  ];
  const respond = () => Response.json({ ...WELL, ok: false, checks });
  const plain = await run(["--id", ID, ...HERE], { respond });
  assert.equal(plain.status, 1);
  assert.match(plain.output, /^✗ token +5 ms {2}Do this\.$/m);
  assert.match(plain.output, /^– quota +Not looked at\.$/m);
  assert.match(plain.output, /1 checks? passed, 1 failed, 1 not looked at/);
  assert.ok(!plain.output.includes("\x1b"));
  const colourful = await run(["--id", ID, ...HERE], { respond, isInteractive: true });
  assert.ok(colourful.output.includes("\x1b[31m✗\x1b[0m token"));
});

Deno.test("endpoint:test prints JSON that a program reads back", async () => {
  const { status, output } = await run(["--id", ID, "--json", ...HERE]);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(output), WELL);
});

Deno.test("endpoint:test lets nothing in an answer move the cursor or change colours", async () => {
  const message = "a\x1b[2Jb\u009b31mc\r\nd\u202ee\u2028f";
  const checks = [{ name: "to\x07ken", result: "pass", message, took_ms: 0 }];
  const respond = () => Response.json({ endpoint_type: "x\x1b[0m", ok: true, checks });
  const table = await run(["--id", ID, ...HERE], { respond });
  const json = await run(["--id", ID, "--json", ...HERE], { respond });
  for (const { output } of [table, json]) {
    // deno-lint-ignore no-control-regex -- these are what is looked for
    assert.doesNotMatch(output.replaceAll("\n", ""), /[\x00-\x1f\x7f-\x9f\u202e\u2028]/);
  }
  assert.deepEqual(JSON.parse(json.output).checks, checks);
  const error = () => Response.json({ code: "x", message: "\x1b[31mred" }, { status: 400 });
  assert.ok(!(await run(["--id", ID, ...HERE], { respond: error })).errors.includes("\x1b"));
});

Deno.test("endpoint:test takes address and key from the environment, from .env, or from the local stack", async () => {
  const env = { SUPABASE_URL: "https://env.supabase.co", SUPABASE_SECRET_KEY: "key-of-env" };
  const envFile = "SUPABASE_URL=https://file.supabase.co\nSUPABASE_SECRET_KEYS=" +
    `'{"other":"no","default":"key-of-file"}'\n`;
  const asked = async (options: Run, args: readonly string[] = []) => {
    const [request] = (await run(["--id", ID, ...args], options)).requests;
    return [new URL(request?.url ?? "none:").host, request?.headers.get("apikey")];
  };
  assert.deepEqual(await asked({ env, envFile }), ["env.supabase.co", "key-of-env"]);
  assert.deepEqual(await asked({ envFile }), ["file.supabase.co", "key-of-file"]);
  const url = ["--url", "https://file.supabase.co"];
  assert.deepEqual(await asked({ env, envFile }, url), ["file.supabase.co", "key-of-file"]);
  const key = ["--key", "mine"];
  assert.deepEqual(await asked({ env }, key), ["env.supabase.co", "mine"]);

  const stateDir = await Deno.makeTempDir();
  try {
    await writeStackFile(stateDir, {
      api_url: "http://127.0.0.1:54321",
      functions_url: "http://127.0.0.1:54321/functions/v1",
      rest_url: "http://127.0.0.1:54321/rest/v1",
      db_url: "postgres://x",
      publishable_key: "p",
      secret_key: "key-of-stack",
      users: [],
      pid: Deno.pid,
      stand_ins: [],
    });
    const stack = await asked({}, ["--state-dir", stateDir]);
    assert.deepEqual(stack, ["127.0.0.1:54321", "key-of-stack"]);
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});

Deno.test("endpoint:test sends no key to an address that it was not found with", async () => {
  const env = { SUPABASE_URL: "https://env.supabase.co", SUPABASE_SECRET_KEY: "key-of-env" };
  const other = await run(["--id", ID, "--url", "https://other.supabase.co"], { env });
  assert.deepEqual([other.status, other.requests.length], [2, 0]);
  const plain = await run(["--id", ID, "--url", "http://files.example", "--key", KEY]);
  assert.deepEqual([plain.status, plain.requests.length], [2, 0]);
  assert.match(plain.errors, /must begin with https/);
});

const misuses: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /give --id or --type/],
  [["--id", "1"], /must be an endpoint's UUID: .*endpoint:list/],
  [["--id", ID, "--type", "google_drive"], /--id with --type/],
  [["--type", "google_drive", "--config", "{"], /--config as it must be a JSON object/],
  [["--type", "google_drive", "--config", "[]"], /--config as it must be a JSON object/],
  [["--unknown"], /--help/],
  [["--id", ID], /SUPABASE_URL and SUPABASE_SECRET_KEY.*deno task start/],
  [["--id", ID, "--key", KEY], /give --url/],
  [["--id", ID, "--key", "a", "--token", "b"], /--key and --token together/],
  [["--id", ID, "--key", "a b", "--url", "https://x.example"], /without spaces/],
  [["--id", ID, "--key", KEY, "--url", "https://u:p@x.example"], /address/],
];

for (const [args, message] of misuses) {
  Deno.test(`endpoint:test ${args.join(" ")} is wrong use, and nothing is asked`, async () => {
    const { status, output, errors, requests } = await run(args);
    assert.deepEqual([status, output, requests.length], [2, "", 0]);
    assert.match(errors, /^error: /);
    assert.match(errors, message);
  });
}

Deno.test("endpoint:test ends with 2 and a sentence when the function cannot be used", async () => {
  const answers: readonly (readonly [() => Response, RegExp])[] = [
    [() => Response.json({ code: "NOT_FOUND", message: "…" }, { status: 404 }), /not deployed/],
    [
      () => Response.json({ code: "not_found", message: "No such endpoint." }, { status: 404 }),
      /not_found: No such endpoint\. .*endpoint:list/,
    ],
    [() => Response.json({ code: "unauthorized", message: "Who?" }, { status: 401 }), /Who\?/],
    [() => new Response("<html>", { status: 200 }), /HTTP status 200 and no report/],
    [
      () => {
        throw new TypeError("connection refused");
      },
      /Cannot reach http:\/\/127\.0\.0\.1:54321 \(from --url\): connection refused/,
    ],
  ];
  for (const [respond, message] of answers) {
    const { status, errors } = await run(["--id", ID, ...HERE], { respond });
    assert.equal(status, 2);
    assert.match(errors, message);
    assert.ok(!errors.includes(KEY));
  }
});

Deno.test("endpoint:test --help says what its status means", async () => {
  const { status, output, requests } = await run(["--help"]);
  assert.deepEqual([status, requests.length], [0, 0]);
  assert.match(output, /0 every check passed · 1 a check failed · 2 wrong use/);
});
