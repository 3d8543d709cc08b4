/** `deno task endpoint:add`: what it asks, refuses, checks and inserts. */
import assert from "node:assert/strict";
import { runEndpointAdd } from "../../scripts/endpoint_add.ts";
import type { ProjectDeps } from "../../scripts/project_command.ts";
import {
  type CommandRun,
  projectFlags,
  type Respond,
  runCommand,
  userFlags,
} from "../support/command_run.ts";
import { ADA, GRACE, withDatabase } from "../support/database.ts";

const CONFIG = '{"folder_id":"1AbC"}';
const BASICS = ["--type", "google_drive", "--name", "Plans", "--config", CONFIG];
const PASSED = {
  endpoint_type: "google_drive",
  ok: true,
  checks: [{ name: "token", result: "pass", message: "There is one.", took_ms: 3 }],
};
const FAILED = {
  ...PASSED,
  ok: false,
  checks: [{ name: "scope", result: "fail", message: "Share the folder.", took_ms: 3 }],
};

/** Answers as the function test-endpoint does; everything else is the project's. */
function checksAnswer(report: unknown, bodies: unknown[] = []): Respond {
  return async (request) => {
    if (!request.url.endsWith("/functions/v1/test-endpoint")) return null;
    bodies.push(await request.json());
    return Response.json(report);
  };
}

const passes = { respond: checksAnswer(PASSED) };

/** Runs the command; each question gets the next of `answers`, and no answers mean no terminal. */
async function add(args: readonly string[], run: CommandRun = {}, answers?: readonly string[]) {
  const questions: string[] = [];
  const ask = answers === undefined ? null : (question: string) => {
    questions.push(question);
    return answers[questions.length - 1] ?? null;
  };
  const command = (given: readonly string[], deps: ProjectDeps) =>
    runEndpointAdd(given, { ...deps, ask });
  return { ...await runCommand(command, args, run), questions };
}

Deno.test("endpoint:add checks a configuration, then inserts it for the owner that --user names", async () => {
  await withDatabase(async (sql) => {
    const bodies: unknown[] = [];
    const flags = [
      "--cron",
      "0 7 * * MON-FRI",
      "--timezone",
      "Europe/Berlin",
      "--max-files",
      "none",
    ];
    const types = ["--file-types", "pdf, .rvt"];
    const { status, output, asked } = await add(
      [...BASICS, "--user", GRACE, ...flags, ...types, ...projectFlags()],
      { respond: checksAnswer(PASSED, bodies) },
    );
    assert.equal(status, 0, output);
    assert.deepEqual(asked, [
      `GET /auth/v1/admin/users/${GRACE}`,
      "POST /functions/v1/test-endpoint",
      "POST /rest/v1/endpoints",
    ]);
    assert.deepEqual(bodies, [{
      endpoint_type: "google_drive",
      endpoint_config: { folder_id: "1AbC" },
      project_id: "Plans",
    }]);
    const [row] = await sql`select * from public.endpoints`;
    const { id, name, user_id, schedule_type, schedule_cron, timezone, file_types } = row ?? {};
    assert.deepEqual([name, user_id, schedule_type], ["Plans", GRACE, "cron"]);
    assert.deepEqual([schedule_cron, timezone], ["0 7 * * MON-FRI", "Europe/Berlin"]);
    assert.deepEqual([file_types, row?.["max_files_per_sync"]], [["pdf", ".rvt"], null]);
    assert.match(output, /^✓ token/);
    assert.ok(output.includes(`added Plans (google_drive): ${id}\n`));
  });
});

Deno.test("endpoint:add inserts as the signed-in user whose token is given", async () => {
  await withDatabase(async (sql) => {
    const { status, output } = await add(
      [...BASICS, "--json", "--manual", ...await userFlags(ADA)],
      passes,
    );
    assert.equal(status, 0, output);
    const [row] = await sql`select id, user_id, schedule_type from public.endpoints`;
    const { endpoint, checks } = JSON.parse(output);
    assert.deepEqual([endpoint.id, endpoint.user_id], [row?.["id"], ADA]);
    assert.deepEqual([row?.["user_id"], row?.["schedule_type"]], [ADA, "manual"]);
    assert.deepEqual(checks, PASSED);
  });
});

Deno.test("endpoint:add inserts nothing when a check fails, unless it is forced or told to skip them", async () => {
  await withDatabase(async (sql) => {
    const args = [...BASICS, "--user", ADA, ...projectFlags()];
    const fails = { respond: checksAnswer(FAILED) };
    const failed = await add(args, fails);
    assert.deepEqual([failed.status, failed.asked.length], [1, 2]);
    assert.match(failed.output, /✗ scope +3 ms {2}Share the folder\./);
    assert.match(failed.errors, /not added.*--force/);
    assert.equal((await add([...args, "--force"], fails)).status, 0);
    const skipped = await add([...args, "--skip-checks"], fails);
    assert.deepEqual([skipped.status, skipped.asked.slice(1)], [0, ["POST /rest/v1/endpoints"]]);
    const [count] = await sql`select count(*)::integer as rows from public.endpoints`;
    assert.equal(count?.["rows"], 2);
  });
});

Deno.test("endpoint:add refuses an owner whom Auth does not know, and inserts where Auth cannot be asked", async () => {
  await withDatabase(async (sql) => {
    const path = `/auth/v1/admin/users/${GRACE}`;
    const answering = (status: number, body: unknown): CommandRun => ({
      respond: ({ url }) =>
        url.endsWith(path)
          ? Response.json(body, { status, headers: { "x-supabase-api-version": "2024-01-01" } })
          : null,
    });
    const args = [...BASICS, "--user", GRACE, "--skip-checks", ...projectFlags()];
    // Auth's older way to write a failure, and its newer one.
    for (const body of [{ code: 404, error_code: "user_not_found" }, { code: "user_not_found" }]) {
      const { status, errors, asked } = await add(args, answering(404, body));
      assert.deepEqual([status, asked], [1, [`GET ${path}`]]);
      assert.match(
        errors,
        /There is no user 2\S+ in http\S+: let the person sign up, or give --user/,
      );
    }
    assert.equal((await sql`select from public.endpoints`).length, 0);
    for (const run of [answering(404, { code: "NOT_FOUND" }), answering(503, "…")]) {
      assert.equal((await add(args, run)).status, 0);
    }
    assert.equal((await sql`select from public.endpoints`).length, 2);
  });
});

Deno.test("endpoint:add passes on the database's own rules, with their hint", async () => {
  await withDatabase(async (sql) => {
    const args = [...BASICS, "--user", ADA, "--skip-checks", ...projectFlags()];
    const { status, errors } = await add([...args, "--cron", "61 * * * *"]);
    assert.equal(status, 1);
    assert.match(errors, /Cannot use schedule_cron '61 \* \* \* \*'.*\(Use five fields/);
    const stranger = await add([...BASICS, "--skip-checks", ...projectFlags(), "--user", GRACE]);
    assert.equal(stranger.status, 0);
    assert.equal((await sql`select from public.endpoints`).length, 1);
  });
});

Deno.test("endpoint:add asks on a terminal for what is missing, and again where an answer cannot be used", async () => {
  await withDatabase(async (sql) => {
    const answers = ["dropbox", "google_drive", "  ", "Plans", '{"folder_id":7}', CONFIG, ADA];
    const { status, errors, questions } = await add(projectFlags(), passes, answers);
    assert.equal(status, 0, errors);
    const asked = questions.map((question) => question.split(" ")[0]);
    assert.deepEqual(asked, [
      "type",
      "type",
      "name:",
      "name:",
      ...Array(2).fill("endpoint_config"),
      "owner",
    ]);
    assert.match(errors, /endpoint_type must be "google_drive"/);
    assert.match(errors, /folder_id must be the id of a folder/);
    const [row] = await sql`select name, endpoint_config from public.endpoints`;
    assert.deepEqual([row?.["name"], row?.["endpoint_config"]], ["Plans", { folder_id: "1AbC" }]);
  });
});

const misuses: readonly (readonly [readonly string[], RegExp])[] = [
  [["--name", "x"], /give --type/],
  [["--type", "google_drive"], /give --name/],
  [["--type", "dropbox", "--name", "x"], /endpoint_type must be/],
  [BASICS, /give --user/],
  [[...BASICS, "--cron", "every day"], /--cron as it must have five fields.*"every day"/],
  [[...BASICS, "--timezone", "Europe/Berlin"], /--timezone without --cron/],
  [[...BASICS, "--user", "me"], /--user as it must be a user's UUID/],
  [
    ["--type", "google_drive", "--name", "x", "--config", "[]"],
    /--config as it must be a JSON object/,
  ],
  [
    ["--type", "google_drive", "--name", "x", "--config", '{"folder_id":"a b"}'],
    /folder_id must be/,
  ],
  [["--type", "autodesk_construction_cloud", "--name", "x"], /project_id must be/],
  [["--manual", "--interval", "5"], /more than one of/],
  [["--interval", "0"], /--interval/],
  [["--max-files", "all"], /--max-files/],
  [["--file-types", " , "], /--file-types/],
  [["--token", "x", "--user", ADA], /--user with --token/],
];

for (const [args, message] of misuses) {
  Deno.test(`endpoint:add ${args.join(" ")} is wrong use, and nothing is asked of the project`, async () => {
    const hasToken = args.includes("--token");
    const { status, errors, asked } = await add([...args, ...(hasToken ? [] : projectFlags())]);
    assert.deepEqual([status, asked], [2, []]);
    assert.match(errors, message);
  });
}

Deno.test("endpoint:add lets no name move the cursor or change colours", async () => {
  await withDatabase(async () => {
    const args = ["--type", "google_drive", "--name", "a\x1b[31mb\u202e", "--user", ADA];
    const { status, output } = await add([...args, ...projectFlags()], passes);
    assert.equal(status, 0);
    // deno-lint-ignore no-control-regex -- these are what is looked for
    assert.doesNotMatch(output.replaceAll("\n", ""), /[\x00-\x1f\x7f-\x9f\u202e]/);
  });
});
