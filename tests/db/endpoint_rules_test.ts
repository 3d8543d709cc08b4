import assert from "node:assert/strict";
import { Cron } from "croner";
import fc from "fast-check";
import {
  ADA,
  addEndpoint,
  asUser,
  failureOf,
  type Sql,
  withDatabase,
} from "../support/database.ts";

interface Refusal {
  readonly title: string;
  readonly row: { readonly [column: string]: string | number | boolean | string[] | object | null };
  readonly constraint: string;
  readonly says: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    title: "an unknown endpoint_type, naming the known ones",
    row: { endpoint_type: "dropbox" },
    constraint: "endpoints_endpoint_type_check",
    says: /dropbox.*autodesk_construction_cloud, google_drive/s,
  },
  {
    title: "an unknown schedule_type",
    row: { schedule_type: "hourly" },
    constraint: "endpoints_schedule_type_check",
    says: /hourly.*interval, cron, manual/s,
  },
  {
    title: "a cron expression of four fields",
    row: { schedule_cron: "* * * *" },
    constraint: "endpoints_schedule_cron_check",
    says: /five fields/,
  },
  {
    title: "a cron minute of 60",
    row: { schedule_cron: "60 * * * *" },
    constraint: "endpoints_schedule_cron_check",
    says: /minute '60' must lie between 0 and 59/,
  },
  {
    title: "a cron step without a range",
    row: { schedule_cron: "5/10 * * * *" },
    constraint: "endpoints_schedule_cron_check",
    says: /a step needs \* or a range/,
  },
  {
    title: "an unknown time zone",
    row: { timezone: "Mars/Olympus" },
    constraint: "endpoints_timezone_check",
    says: /Mars\/Olympus.*Europe\/Berlin/s,
  },
  {
    title: "a POSIX time zone rule, which the cron library does not know",
    row: { timezone: "Foo/Bar+3" },
    constraint: "endpoints_timezone_check",
    says: /IANA/,
  },
  {
    title: "file_types that is not an array",
    row: { file_types: { pdf: true } },
    constraint: "endpoints_file_types_check",
    says: /array of strings/,
  },
  {
    title: "file_types with a number in it",
    row: { file_types: ["pdf", 7] },
    constraint: "endpoints_file_types_check",
    says: /7 is not a string/,
  },
  {
    title: "an empty file_types list",
    row: { file_types: [] },
    constraint: "endpoints_file_types_check",
    says: /use \["\*"\] for every file/,
  },
  {
    title: "a file type pattern that is neither extension nor MIME type",
    row: { file_types: ["*.pdf"] },
    constraint: "endpoints_file_types_check",
    says: /\*\.pdf.*an extension or a MIME type/,
  },
  {
    title: "a negative max_files_per_sync",
    row: { max_files_per_sync: -1 },
    constraint: "endpoints_max_files_per_sync_check",
    says: /-1.*at least 1/,
  },
  {
    title: "an interval of zero minutes",
    row: { interval_minutes: 0 },
    constraint: "endpoints_interval_minutes_check",
    says: /between 1 and 525600/,
  },
  {
    title: "an interval schedule without minutes",
    row: { interval_minutes: null },
    constraint: "endpoints_interval_minutes_check",
    says: /null/,
  },
  {
    title: "an endpoint_config that is a list",
    row: { endpoint_config: [] },
    constraint: "endpoints_endpoint_config_check",
    says: /JSON object/,
  },
  {
    title: "a blank name",
    row: { name: "  " },
    constraint: "endpoints_name_check",
    says: /endpoints_name_check/,
  },
];

for (const refusal of REFUSALS) {
  Deno.test(`endpoints refuse ${refusal.title}`, () =>
    withDatabase(async (sql) => {
      const failure = await failureOf(addEndpoint(sql, jsonColumns(sql, refusal.row)));
      assert.equal(failure.code, "23514");
      assert.equal(failure.constraint, refusal.constraint);
      assert.match(`${failure.message}\n${failure.hint}`, refusal.says);
    }));
}

Deno.test("endpoints refuse a bad edit just as a bad insert", () =>
  withDatabase(async (sql) => {
    const id = await addEndpoint(sql);
    const failure = await failureOf(
      sql`update public.endpoints set schedule_cron = 'often' where id = ${id}`,
    );
    assert.equal(failure.constraint, "endpoints_schedule_cron_check");
  }));

Deno.test("an owner's bad insert is refused with the same message as the dashboard's", () =>
  withDatabase(async (sql) => {
    const failure = await failureOf(asUser(
      sql,
      ADA,
      (as) =>
        as`insert into public.endpoints (name, endpoint_type, project_id, user_id)
           values ('x', 'dropbox', 'p', ${ADA})`,
    ));
    assert.equal(failure.constraint, "endpoints_endpoint_type_check");
  }));

Deno.test("endpoints take the documented insert, with the documented defaults", () =>
  withDatabase(async (sql) => {
    const [row] = await sql`
      insert into endpoints (name, endpoint_type, project_id, user_id, endpoint_config)
      values ('ACC', 'autodesk_construction_cloud', 'b.1', ${ADA},
        '{"client_id": "abc", "project_id": "b.1"}')
      returning enabled, schedule_type, schedule_cron, interval_minutes, file_types,
        max_files_per_sync, tags, last_sync_status, timezone`;
    assert.deepEqual({ ...row }, {
      enabled: true,
      schedule_type: "interval",
      schedule_cron: "*/5 * * * *",
      interval_minutes: 5,
      file_types: ["*"],
      max_files_per_sync: 1000,
      tags: [],
      last_sync_status: "pending",
      timezone: "UTC",
    });
  }));

for (const pattern of ["*", "pdf", ".rvt", "tar.gz", "image/*", "application/pdf", "PDF"]) {
  Deno.test(`endpoints take the file type pattern ${pattern}`, () =>
    withDatabase(async (sql) => {
      await addEndpoint(sql, { file_types: sql.json([pattern]) });
    }));
}

Deno.test("every time zone of the database with a usual name is known to the cron library", () =>
  withDatabase(async (sql) => {
    const zones = await sql<{ name: string }[]>`
      select name from pg_catalog.pg_timezone_names
      where connector.is_timezone(name) and name not like 'posix/%' and name not like 'right/%'`;
    assert.ok(zones.length > 300, `only ${zones.length} zones`);
    for (const { name } of zones) {
      assert.doesNotThrow(() => new Cron("0 7 * * *", { timezone: name }).nextRun(), name);
    }
  }));

Deno.test("cron_problem() accepts only what the cron library accepts too", () =>
  withDatabase(async (sql) => {
    const expressions = fc.sample(cronExpression, { numRuns: 1500, seed: 20261122 });
    const verdicts = await sql<{ expression: string; problem: string | null }[]>`
      select e.expression, connector.cron_problem(e.expression) as problem
      from unnest(${expressions}::text[]) as e (expression)`;
    const accepted = verdicts.filter(({ problem }) => problem === null);
    assert.ok(accepted.length > 200, `only ${accepted.length} accepted: the generator is too wild`);
    assert.ok(accepted.length < verdicts.length, "nothing refused: the generator is too tame");
    for (const { expression } of accepted) {
      assert.doesNotThrow(() => new Cron(expression, { paused: true }), `croner on ${expression}`);
    }
  }));

Deno.test("cron_problem() refuses wild strings without failing itself", () =>
  withDatabase(async (sql) => {
    const wild = fc.sample(fc.string({ maxLength: 40 }), { numRuns: 500, seed: 7 })
      .map((text) => text.replaceAll("\0", ""));
    const [row] = await sql<{ accepted: number }[]>`
      select (count(*) filter (where connector.cron_problem(e.expression) is null))::int as accepted
      from unnest(${wild}::text[]) as e (expression)`;
    assert.equal(row?.accepted, 0);
  }));

/** Mostly valid cron fields, with numbers now and then out of range. */
function cronField(highest: number, names: readonly string[]): fc.Arbitrary<string> {
  const value = names.length === 0
    ? fc.integer({ min: 0, max: highest }).map(String)
    : fc.oneof(fc.integer({ min: 0, max: highest }).map(String), fc.constantFrom(...names));
  const range = fc.tuple(value, value).map(([from, to]) => `${from}-${to}`);
  const step = fc.tuple(fc.oneof(fc.constant("*"), range), fc.integer({ min: 0, max: highest }))
    .map(([base, every]) => `${base}/${every}`);
  const part = fc.oneof({ weight: 3, arbitrary: value }, range, step, fc.constant("*"));
  return fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(","));
}

const cronExpression = fc.tuple(
  cronField(60, []),
  cronField(24, []),
  cronField(31, []),
  cronField(12, ["JAN", "feb", "Dec"]),
  cronField(7, ["MON", "sun", "Fri"]),
).map((fields) => fields.join(" "));

function jsonColumns(sql: Sql, row: Refusal["row"]) {
  const columns: { [column: string]: ReturnType<Sql["json"]> | string | number | boolean | null } =
    {};
  for (const [column, value] of Object.entries(row)) {
    columns[column] = typeof value === "object" && value !== null
      ? sql.json(JSON.parse(JSON.stringify(value)))
      : value;
  }
  return columns;
}
