import assert from "node:assert/strict";
import { inspect } from "node:util";
import { SyncError } from "../../supabase/functions/_shared/errors.ts";
import {
  createLog,
  type LogFields,
  type LogLevel,
  logWith,
  redact,
} from "../../supabase/functions/_shared/log.ts";
import { Secret } from "../../supabase/functions/_shared/secret.ts";

const NOW = new Date("2026-11-22T10:00:00Z");

function capture(level: LogLevel = "debug") {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  return { lines, log: createLog({ level, function: "dispatcher", write, now: () => NOW }) };
}

function logged(fields: LogFields): string {
  const { lines, log } = capture();
  log.info("something_happened", fields);
  const [line] = lines;
  assert.ok(line);
  return line;
}

Deno.test("createLog() writes one JSON object per line with time, level, function and event", () => {
  assert.deepEqual(JSON.parse(logged({ files: 3, at: NOW, size: 10n, text: "a\nb" })), {
    time: "2026-11-22T10:00:00.000Z",
    level: "info",
    function: "dispatcher",
    event: "something_happened",
    files: 3,
    at: "2026-11-22T10:00:00.000Z",
    size: "10",
    text: "a\nb",
  });
  assert.ok(!logged({ text: "a\nb" }).includes("\n"));
});

Deno.test("createLog() repeats the name of the deployment where there is one", () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const options = { level: "info", function: "dispatcher", write, now: () => NOW } as const;
  createLog({ ...options, environment: "staging" }).info("a", { environment: "forged" });
  createLog({ ...options, environment: null }).info("b");
  const [named = {}, unnamed = {}] = lines.map((line) => JSON.parse(line));
  assert.equal(named.environment, "staging");
  assert.ok(!("environment" in unnamed));
});

Deno.test("createLog() leaves out what is below its level", () => {
  const { lines, log } = capture("warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  assert.deepEqual(lines.map((line) => JSON.parse(line).event), ["c", "d"]);
});

Deno.test("a field cannot take the place of time, level, function or event", () => {
  assert.equal(JSON.parse(logged({ event: "forged", level: "debug" })).event, "something_happened");
});

Deno.test("createLog() writes an error with its causes, and a stack only for the unexpected", () => {
  const cause = new TypeError("connection refused");
  const error = new SyncError("unavailable", "The database did not answer.", { cause });
  const { cause: written } = JSON.parse(logged({ cause: error }));
  assert.equal(written.code, "unavailable");
  assert.equal(written.stack, undefined);
  assert.equal(written.cause.message, "connection refused");
  assert.ok(written.cause.stack.includes("log_test.ts"));
});

Deno.test("no line is longer than 10,000 characters, whatever the fields", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const fields: LogFields[] = [
    { text: "x".repeat(50_000) },
    { list: Array.from({ length: 5_000 }, () => "y".repeat(100)) },
    Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`field_${index}`, "z".repeat(99)]),
    ),
    { deep: Array.from({ length: 50 }, () => Array.from({ length: 50 }, () => "é".repeat(500))) },
    { circular },
    { cause: new Error("m".repeat(30_000), { cause: new Error("n".repeat(30_000)) }) },
    { ["k".repeat(20_000)]: 1 },
  ];
  for (const each of fields) {
    const line = logged(each);
    assert.ok(line.length <= 10_000, `${line.length}`);
    assert.equal(JSON.parse(line).event, "something_happened");
  }
});

Deno.test("a Secret says [secret] however it is printed", () => {
  const secret = new Secret("hunter2");
  const texts = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    Deno.inspect({ secret }),
    logged({ secret, list: [secret] }),
    JSON.stringify(Object.entries(secret)),
  ];
  assert.ok(texts.every((text) => !text.includes("hunter2")));
  assert.equal(secret.reveal(), "hunter2");
});

Deno.test("tokens and keys inside texts, URLs and errors are not written", () => {
  const secrets = [
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn",
    "sb_secret_abcdefgh12345678",
    "ya29.a0AfH6SMBx-y_z",
  ];
  for (const secret of secrets) {
    const cause = new Error(`refused ${secret} twice`);
    const line = logged({
      cause,
      text: `token ${secret}`,
      url: new URL(`http://a.test/?access_token=${secret}`),
      nested: { header: `Bearer ${secret}`, lines: [`key=${secret}`] },
    });
    assert.ok(!line.includes(secret), line);
  }
  const pem = redact("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----");
  assert.equal(pem, "[secret]");
});

Deno.test("a text in a field with a secret's name is not written", () => {
  const line = logged({
    access_token: "abc123",
    nested: { lease_token: "def456", password: "x9z" },
  });
  assert.ok(!/abc123|def456|x9z/.test(line), line);
});

Deno.test("logWith() repeats fields on every line", () => {
  const { lines, log } = capture();
  logWith(logWith(log, { request_id: "r1" }), { endpoint_id: "e1" }).info("a", { files: 1 });
  const { request_id, endpoint_id, files } = JSON.parse(lines[0] ?? "");
  assert.deepEqual({ request_id, endpoint_id, files }, {
    request_id: "r1",
    endpoint_id: "e1",
    files: 1,
  });
});
