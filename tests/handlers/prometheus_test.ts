import assert from "node:assert/strict";
import type { Quotas, SyncStatus } from "../../supabase/functions/_shared/db/connector_db.ts";
import { toPrometheus } from "../../supabase/functions/_shared/handlers/prometheus.ts";
import { emptyStatus } from "../support/function_fakes.ts";

const ROOT = new URL("../../", import.meta.url);

/** A name as an enemy would give it: quotes, line ends, escapes of a terminal, a metric of its own. */
const HOSTILE = 'a"} 1\nfile_connector_files 0\n# \\ \u001b[31m\r\u2028';

const STATUS: SyncStatus = {
  ...emptyStatus(),
  by_status: { completed: 1, [HOSTILE]: 2 },
  tokens: { by_status: { Valid: 1 }, next_end_of_grant: "2026-11-23T00:00:00Z" },
  last_hour: {
    ...emptyStatus().last_hour,
    runs: 3,
    runs_by_status: { completed: 2, failed: 1 },
    errors: { rate_limited: 1 },
    provider_calls: { google_drive: 5 },
    lag_seconds: { p50: 0.5, p95: 1.25, max: 2 },
    run_seconds: { p50: 1, p95: 2, max: 3 },
  },
  endpoints: [{
    id: "e1",
    name: HOSTILE,
    endpoint_type: "google_drive",
    enabled: true,
    last_sync_status: "completed",
    last_sync_at: "2026-11-22T10:00:00Z",
    next_sync_at: "2026-11-22T10:05:00Z",
    is_running: false,
    files: 3,
    bytes: "9007199254740993",
    token_status: "Valid",
    token_expires_at: "2026-11-22T11:00:00Z",
    last_error_code: null,
    last_error_message: null,
  }],
};
const QUOTAS: Quotas = [
  { bucket: HOSTILE, units_per_minute: 300, units_left: 75, blocked_seconds: 0 },
];

const TEXT = toPrometheus(STATUS, QUOTAS);

interface Sample {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Parses the text format strictly; throws on the first line that it does not allow. */
function parse(text: string): Sample[] {
  assert.ok(text.endsWith("\n"));
  const typed = new Set<string>();
  const samples: Sample[] = [];
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, named] = /^# (HELP|TYPE) ([a-z_]+) .+$/.exec(line) ?? [];
    if (kind === "TYPE") {
      assert.ok(named !== undefined && !typed.has(named), `a second TYPE: ${line}`);
      typed.add(named);
    } else if (kind === undefined) {
      samples.push(parseSample(line, typed));
    }
  }
  return samples;
}

function parseSample(line: string, typed: ReadonlySet<string>): Sample {
  const match = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line);
  assert.ok(match, `not a sample: ${JSON.stringify(line)}`);
  const [, metric = "", labels = "", value = ""] = match;
  assert.ok(typed.has(metric), `no TYPE before ${metric}`);
  assert.match(value, /^-?\d+(\.\d+)?(e[+-]?\d+)?$/);
  const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map((
    [, name = "", text = ""],
  ) =>
    [name, text.replaceAll("\\n", "\n").replaceAll('\\"', '"').replaceAll("\\\\", "\\")] as const
  );
  return { metric, labels: Object.fromEntries(pairs), value: Number(value) };
}

const samples = parse(TEXT);
const metrics = new Set(samples.map((sample) => sample.metric));

Deno.test("a name of whatever kind stays within its label", () => {
  const files = samples.filter(({ metric }) => metric === "file_connector_endpoint_files");
  assert.deepEqual(files.map(({ value }) => value), [3]);
  assert.equal(files[0]?.labels.endpoint_id, "e1");
  assert.equal(samples.filter(({ metric }) => metric === "file_connector_files").length, 1);
});

Deno.test("the last hour, the tokens and the quotas are among the metrics", () => {
  const valueOf = (metric: string, labels: Readonly<Record<string, string>> = {}) =>
    samples.find((sample) =>
      sample.metric === `file_connector_${metric}` &&
      Object.entries(labels).every(([name, value]) => sample.labels[name] === value)
    )?.value;
  assert.equal(valueOf("last_hour_lag_seconds", { percentile: "95" }), 1.25);
  assert.equal(valueOf("last_hour_errors", { code: "rate_limited" }), 1);
  assert.equal(valueOf("last_hour_runs", { status: "failed" }), 1);
  assert.equal(valueOf("endpoints_by_token_status", { status: "Valid" }), 1);
  assert.equal(
    valueOf("next_grant_refresh_timestamp_seconds"),
    Date.parse("2026-11-23T00:00:00Z") / 1000,
  );
  assert.equal(valueOf("quota_units_left"), 75);
});

Deno.test("a project without endpoints gives metrics too", () => {
  assert.ok(parse(toPrometheus(emptyStatus(), [])).length > 5);
});

Deno.test("every metric that an alert or the dashboard asks for is there", async () => {
  for (const path of ["docs/monitoring/alerts.yml", "docs/monitoring/dashboard.json"]) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    const named = new Set(text.match(/file_connector_[a-z_]+/g));
    named.delete("file_connector_key");
    assert.ok(named.size > 5, path);
    for (const metric of named) assert.ok(metrics.has(metric), `${path} asks for ${metric}`);
  }
});

Deno.test("every metric is named in docs/api.md", async () => {
  const text = await Deno.readTextFile(new URL("docs/api.md", ROOT));
  for (const metric of metrics) {
    const name = metric.replace("file_connector_", "");
    assert.match(text, new RegExp(`\`${name}[\`{]`), `${metric} is not documented`);
  }
});

/** Prometheus's own checks, where the machine has them: Debian's package is called prometheus. */
async function promtool(args: readonly string[], input = ""): Promise<string> {
  let child: Deno.ChildProcess;
  try {
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    child = new Deno.Command("promtool", { args: [...args], ...pipes }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // deno-lint-ignore no-console -- whoever reads the run is told what it did without
    console.log(`note: promtool is not here: ${args.join(" ")} was left to the tests above`);
    return "";
  }
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  assert.ok(success, said + new TextDecoder().decode(stdout));
  return said;
}

Deno.test("Prometheus's own tool finds nothing to complain of in metrics and alert rules", async () => {
  assert.equal(await promtool(["check", "metrics"], TEXT), "");
  const rules = new URL("docs/monitoring/alerts.yml", ROOT);
  assert.equal(await promtool(["check", "rules", rules.pathname]), "");
});
